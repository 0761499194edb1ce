// SPDX-License-Identifier: Apache-2.0
// Terminals, issuers and cards that have the right keys and use them wrongly: the other side has to
// hold its own rules, whoever signed.
#include <algorithm>

#include "../../src/crypto/card_signer.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "world.hpp"

namespace simulation {
namespace {

// An operation that the card must refuse, although the issuer signed it.
Operation forbidden(const CardMemory& memory, Random& random)
{
    const auto balance = static_cast<std::int64_t>(memory.balance.to_minor_units());
    const auto room =
        static_cast<std::int64_t>(memory.limits.maximum_balance.to_minor_units()) - balance;
    const auto most = static_cast<std::int64_t>(memory.limits.maximum_amount.to_minor_units());
    Operation operation{.kind = Kind::top_up,
                        .card_id = memory.card_id,
                        .sequence = memory.sequence + 1,
                        .amount = Amount::minor_units(1),
                        .unit = memory.currency.unit,
                        .nonce = Nonce(operation_id(random.next()).bytes()),
                        .account = thief(),
                        .parameter = {}};
    switch (random.below(5)) {
    case 0: operation.sequence += 1 + static_cast<std::uint32_t>(random.below(3)); break;
    case 1: operation.amount = Amount::minor_units(std::max<std::int64_t>(1, room + 1)); break;
    case 2: operation.amount = Amount::minor_units(most + 1); break;
    case 3:  // which the card never asked for, be its balance enough or not
        operation.kind = Kind::cash_out;
        operation.amount = Amount::minor_units(random.one_in(2) ? -1 : -balance - 1);
        break;
    default:
        operation.amount = {};
        operation.account = {};
        operation.kind =
            memory.state == CardState::operational ? Kind::unblock : Kind::reset_pin_tries;
    }
    return operation;
}

// A top-up in the place of a payment, which no issuer signed.
ExecutedOperation unauthorised(Operation operation, Random& random)
{
    operation.kind = Kind::top_up;
    operation.amount = -operation.amount;
    if (random.one_in(2)) return {operation, std::nullopt};
    SoftwareOperationSigner signer(key_seed(99));
    return {operation, signer.sign(operation).value()};
}

}  // namespace

// I8: state, sequence and limits are the card's own, also against its issuer.
void World::overreach(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    select(target);
    for (std::uint8_t key : {std::uint8_t{1}, std::uint8_t{4}}) {
        SoftwareOperationSigner signer(key_seed(key));
        if (signer.public_key() != target.memory().operation_key) continue;
        const auto operation = forbidden(target.memory(), random);
        const FirstInstruction first{operation, signer.sign(operation).value()};
        const auto before = target.executed().size();
        const bool le = target.protocol() == TransmissionProtocol::t1;
        static_cast<void>(target.process(command_of(wire::command::execute, first.encode(), le)));
        environment_.exchanges.pop_back();  // for later it would be a good one
        check(target.executed().size() == before, "I8", "executed what its own rules forbid");
        environment_.probes.reach("issuer overreached");
    }
}

// I14: a card that has its key and no rules any more says where it stands, and contradicts itself.
void World::broken_card(const Step& step)
{
    Random random(step.seed);
    const auto& broken = card(step.card);
    std::optional<CardRow> row;
    {
        const Injector::Pause pause(environment_.injector);
        const auto cards = host_.platform().cards();
        if (!cards) return;
        for (const auto& found : *cards)
            if (found.card_id == broken.id()) row = found;
        const auto standing = host_.platform().standing(broken.id(), std::nullopt);
        if (!row || !standing || standing->is_pending()) return;
    }
    if (row->state != CardState::operational || row->balance < Balance::minor_units(2)) return;
    const auto how = random.below(4);
    ExecutedOperation executed{{.kind = Kind::payment,
                                .card_id = row->card_id,
                                .sequence = row->settled + 1,
                                .amount = Amount::minor_units(-1),
                                .unit = host_.issuer().currency.unit,
                                .nonce = Nonce(operation_id(random.next()).bytes()),
                                .account = shop(),
                                .parameter = {}},
                               std::nullopt};
    if (how == 3) executed = unauthorised(executed.operation, random);
    const auto& operation = executed.operation;
    CardResult result{.card_id = row->card_id,
                      .sequence = operation.sequence,
                      .operation = operation.digest(),
                      .balance = *checked_add(row->balance, operation.amount),
                      .previous_result = row->last_result,
                      .state = row->state};
    if (how == 0) result.previous_result = operation.digest();
    if (how == 1) result.balance = row->balance;
    if (how == 2) result.state = CardState::blocked;
    std::array<std::uint8_t, NonceSecret::size> nonce{};
    random.fill(nonce);
    const CardSigner signer(chip::clone(broken.memory().secrets.scalar), NonceSecret(nonce));
    const auto reply = submit({result, signer.sign_result(result).value()}, executed);
    check(!reply || !reply->settled, "I14", "a result that contradicts the card was settled");
    environment_.probes.reach("broken card judged");
}

// I8: nobody gets signed, and so reserved, what the card would refuse; and no terminal takes from a
// card by itself.
void World::ask_too_much(const Step& step)
{
    Random random(step.seed);
    const auto target = card(step.card).id();
    std::optional<CardRow> row;
    {
        const Injector::Pause pause(environment_.injector);
        const auto found = host_.platform().card(target);
        if (!found || !*found) return;
        row = **found;
    }
    const auto most = static_cast<std::int64_t>(row->limits.maximum_amount.to_minor_units());
    const auto room = static_cast<std::int64_t>(row->limits.maximum_balance.to_minor_units()) -
                      static_cast<std::int64_t>(row->balance.to_minor_units());
    OperationRequest request{.id = operation_id(random.next()),
                             .card_id = target,
                             .kind = Kind::top_up,
                             .amount = Amount::minor_units(most + 1),
                             .parameter = {},
                             .terminal = thief()};
    if (random.one_in(2)) request.amount = Amount::minor_units(std::max<std::int64_t>(1, room + 1));
    if (random.one_in(3)) {
        request.kind = Kind::cash_out;
        request.amount = Amount::minor_units(-1);
    }
    auditor_.asked_for(request.id, request.terminal);
    const auto reply = host_.call([&](Platform& p) { return p.authorise(request); });
    check(!reply, "I8", "signed what the card would refuse, or never asked for");
    environment_.probes.reach("asked for more than the card takes");
}

// A debit that needs the PIN, twice with the PIN given once.
void World::overdraw_pin(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    const bool le = target.protocol() == TransmissionProtocol::t1;
    select(target);
    const auto pin = pin_of("4711");
    static_cast<void>(target.process(command_of(wire::command::verify, pin.reveal(), false)));
    for (int times = 0; times < 2; ++times) {
        const auto units = 5'001 + static_cast<std::int64_t>(random.below(200));
        const PayData order{Amount::minor_units(-units), host_.issuer().currency.unit,
                            Nonce(operation_id(random.next()).bytes()), shop()};
        static_cast<void>(target.process(command_of(wire::command::pay, order.encode(), le)));
    }
}

// What the card asked for and then asked for no longer, signed meanwhile (9408).
void World::swap_requests(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    if (target.protocol() != TransmissionProtocol::t1) return;
    select(target);
    const auto& till = program(step.terminal).name;
    const bool cash = random.one_in(2);
    auto header = wire::command::request;
    header.p1 = static_cast<std::uint8_t>(cash ? Kind::cash_out : Kind::transfer_out);
    std::optional<SecondInstruction> second;
    for (std::int64_t units = 10; units < 12; ++units) {
        const RequestData wanted{Amount::minor_units(-units), host_.issuer().currency.unit,
                                 cash ? till : shop()};
        const auto said = target.process(command_of(header, wanted.encode(), true));
        if (said.size() <= 2) return;
        if (second) break;
        const auto decoded = SecondInstruction::decode(std::span(said).first(said.size() - 2));
        if (decoded) second = *decoded;
    }
    if (!second) return;
    const auto first =
        ask_as_thief({.id = operation_id(random.next()), .second = *second, .terminal = till});
    if (!first) return;
    environment_.probes.reach("instruction for a request that was replaced");
    static_cast<void>(target.process(command_of(wire::command::execute, first->encode(), true)));
}

}  // namespace simulation
