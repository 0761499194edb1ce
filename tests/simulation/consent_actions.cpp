// SPDX-License-Identifier: Apache-2.0
// Refunds, and those who would take from an account without its owner's word: I19, I21.
#include <algorithm>

#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "world.hpp"

namespace simulation {

// A payment is given back, whole or in part or more than that; perhaps at two tills at once.
void World::begin_refund(const Step& step)
{
    Random random(step.seed);
    const auto paid = auditor_.payment(step.other);
    if (!paid || merchant_of(*paid->account) == nullptr) return;
    const auto whole = static_cast<std::int64_t>(paid->amount.magnitude());
    const std::array<std::int64_t, 4> amounts = {whole, whole, 1 + whole / 2, whole + 1};
    const auto tills = random.one_in(2) ? 2u : 1u;
    for (std::uint32_t till = 0; till < tills; ++till) {
        auto other = step;
        other.seed = random.next();
        other.terminal += till;
        other.card += static_cast<std::uint32_t>(till * random.below(2));
        auto intent = make_intent(other);
        intent.account = *paid->account;
        intent.refunds = PaymentName{paid->card_id, paid->sequence};
        intent.amount = Amount::minor_units(amounts[random.below(amounts.size())]);
        intents_.push_back(intent);
        const auto number = intents_.size() - 1;
        ask(number);
        if (intents_[number].state == Intent::State::applied)
            environment_.probes.reach("payment refunded");
    }
}

// The card's request, when a terminal asks it for a transfer in.
std::optional<SecondInstruction> World::ask_for_transfer(SimCard& target, const AccountId& from,
                                                         Amount amount)
{
    if (target.protocol() != TransmissionProtocol::t1) return std::nullopt;
    select(target);
    auto header = wire::command::request;
    header.p1 = static_cast<std::uint8_t>(Kind::transfer_in);
    const RequestData wanted{amount, host_.issuer().currency.unit, from};
    const auto said = target.process(command_of(header, wanted.encode(), true));
    if (said.size() <= 2) return std::nullopt;
    const auto second = SecondInstruction::decode(std::span(said).first(said.size() - 2));
    return second ? std::optional(*second) : std::nullopt;
}

// Somebody shows a genuine consent, one to something else, or none.
std::optional<Signature> World::some_word(const Operation& operation, Random& random)
{
    if (!needs_consent(operation) || random.one_in(4)) return std::nullopt;
    const auto owner = owner_of(*operation.account);
    if (!owner) return std::nullopt;
    auto meant = operation;
    if (random.one_in(4)) meant.nonce = Nonce(operation_id(random.next()).bytes());
    return owner->consent(host_.issuer().card_root, meant).value();
}

// A key that was replaced, by whoever has stolen it; where none was, one is.
std::shared_ptr<AccountSigner> World::stolen_key(Merchant& owner, std::uint64_t seed)
{
    const auto name = associated_account(owner.account());
    if (!account_row(name).key_before) {
        auto order = draft(OrderKind::replace_key, owner.account(), seed);
        order.key = owner.make_key();
        begin_order(order, seed);
    }
    return owner.stolen(account_row(name).key_before);
}

// A signature that could pass for an owner's consent, and is none.
std::optional<Signature> World::false_consent(Misuse how, const Operation& operation,
                                              Merchant& owner, const Step& step)
{
    const auto& root = host_.issuer().card_root;
    SoftwareAccountSigner own(key_seed(98));
    auto another = operation;
    --another.sequence;
    const auto signer = owner_of(owner.account());
    switch (how) {
    case Misuse::nothing: return std::nullopt;
    case Misuse::own_key: return own.consent(root, operation).value();
    case Misuse::another_operation:
        return signer ? std::optional(signer->consent(root, another).value()) : std::nullopt;
    case Misuse::another_issuer:
        return signer ? std::optional(signer->consent(own.public_key(), another).value())
                      : std::nullopt;
    case Misuse::another_owner: {
        const auto other = owner_of(merchant(step.other + 1).account());
        return other ? std::optional(other->consent(root, operation).value()) : std::nullopt;
    }
    case Misuse::replaced_key: {
        const auto old = stolen_key(owner, step.seed + 2);
        return old ? std::optional(old->consent(root, operation).value()) : std::nullopt;
    }
    }
    return std::nullopt;
}

// A transfer in that no owner has consented to, or that none can.
void World::misuse_consent(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    auto& owner = merchant(step.other);
    constexpr std::array<Misuse, 7> ways = {Misuse::nothing,           Misuse::own_key,
                                            Misuse::another_operation, Misuse::another_owner,
                                            Misuse::another_issuer,    Misuse::replaced_key,
                                            Misuse::replaced_key};
    auto how = ways[random.below(ways.size())];
    auto from = owner.account();
    if (random.one_in(4)) {
        const auto& other = card(step.card + 1);
        if (other.id() == target.id()) return;
        from = random.one_in(3) ? unaccounted() : holder_account(other.id());
        how = Misuse::own_key;
    }
    const auto second = ask_for_transfer(target, from, Amount::minor_units(1 + step.amount % 99));
    if (!second) return;
    const auto consent = false_consent(how, second->operation, owner, step);
    if (!consent && how != Misuse::nothing) return;
    const TransferRequest request{.id = operation_id(random.next()),
                                  .second = *second,
                                  .terminal = thief(),
                                  .consent = consent};
    auditor_.asked_for(request);
    const auto reply = host_.call([&](Platform& p) { return p.authorise_transfer(request); });
    check(!reply, "I19", "a transfer in was signed without the word of the account's owner");
    const auto code = reply.error().code;
    if (code == Errc::consent_needed) environment_.probes.reach("consent needed");
    if (code == Errc::not_the_owner) environment_.probes.reach("not the owner");
    if (code == Errc::bad_signature)
        environment_.probes.reach(how == Misuse::replaced_key
                                      ? "consent under a replaced key refused"
                                      : "consent to something else refused");
}

// The signature of some order of the account, or an id that one has used up.
std::optional<SignedOrder> World::executed_order(const AccountId& account) const
{
    for (const auto& known : orders_)
        if (known.order.order.account == account && known.order.owner &&
            known.state == Intent::State::applied)
            return known.order;
    return std::nullopt;
}

// A thief has of an order's owner: nothing, a key of their own, a key that was replaced, the
// signature of another order.
std::optional<Signature> World::false_word(const AccountOrder& order, Merchant& owner,
                                           Random& random)
{
    const auto& root = host_.issuer().card_root;
    switch (random.below(4)) {
    case 0: return std::nullopt;
    case 1: return SoftwareAccountSigner(key_seed(98)).sign(root, order).value();
    case 2: {
        const auto old = owner.stolen(account_row(account_of(order)).key_before);
        return old ? std::optional(old->sign(root, order).value()) : std::nullopt;
    }
    default: {
        const auto other = executed_order(order.account);
        return other ? other->owner : std::nullopt;
    }
    }
}

// The owner's own, and wrong: out of its turn, above what is there, or with an id that was used.
bool World::spoil_order(AccountOrder& order, Random& random)
{
    const auto row = account_row(account_of(order));
    switch (random.below(3)) {
    case 0: order.number += random.one_in(2) ? 1u : ~0u; return order.number > 0;
    case 1:
        order.amount = Amount::minor_units(-std::max<std::int64_t>(0, row.balance) - 1);
        return order.kind != OrderKind::replace_key;
    default: {
        const auto other = executed_order(order.account);
        if (other) order.id = other->order.id;
        return other.has_value();
    }
    }
}

// Orders that are forged or stolen, and genuine ones that are wrong.
void World::forge_order(const Step& step)
{
    Random random(step.seed);
    auto& owner = merchant(step.other);
    constexpr std::array<OrderKind, 4> kinds = {OrderKind::pay_out, OrderKind::move,
                                                OrderKind::replace_key, OrderKind::pay_out};
    auto order = draft(kinds[random.below(kinds.size())], owner.account(), random.next());
    const auto next = order.number;
    if (order.kind == OrderKind::replace_key)
        order.key = SoftwareAccountSigner(key_seed(98)).public_key();
    else
        order.amount = Amount::minor_units(-1);
    if (order.kind == OrderKind::pay_out) order.other = AccountId::parse("thief");
    if (order.kind == OrderKind::move) order.other = merchant(step.other + 1).account();
    SignedOrder forged{order, std::nullopt};
    if (random.one_in(2)) {
        forged.owner = false_word(order, owner, random);
    } else {
        const auto signer = owner_of(owner.account());
        if (!signer || !spoil_order(forged.order, random)) return;
        forged.owner = signer->sign(host_.issuer().card_root, forged.order).value();
    }
    const auto reply = host_.call([&](Platform& p) { return p.execute(forged); });
    check(!reply, "I19", "an order was executed that its owner never gave");
    const auto& error = reply.error();
    if (error.code == Errc::wrong_order_number) {
        environment_.probes.reach("order of a wrong number refused");
        check(error.detail == next, "I21", "another number is the next one");
    }
    if (error.code == Errc::bad_signature) environment_.probes.reach("forged order refused");
    if (error.code == Errc::insufficient_funds) environment_.probes.reach("order without funds");
    if (error.code == Errc::conflict) environment_.probes.reach("order with a used id refused");
}

}  // namespace simulation
