// SPDX-License-Identifier: Apache-2.0
// What is asked for, executed and settled.
#include "hostile_terminal.hpp"

#include <tallycard/verify.hpp>

namespace fuzz {

using namespace tallycard;

namespace {

// True where an operation that came along with a result is the one that it names, of a kind that
// the issuer signs, and signed by it.
bool is_ours(const Receipt& receipt, const ExecutedOperation& executed)
{
    const auto& operation = executed.operation;
    const auto& signature = executed.issuer_signature;
    if (!signature || operation.digest() != receipt.result.operation) return false;
    const auto& issuer = IssuerWorld::settings().issuer;
    const FirstInstruction first{operation, *signature};
    return operation.kind != Kind::payment && operation.card_id == receipt.result.card_id &&
           operation.sequence == receipt.result.sequence &&
           operation.unit == issuer.currency.unit &&
           (verify(first, issuer.operation_keys[0]) || verify(first, issuer.operation_keys[1]));
}

}  // namespace

std::int64_t HostileTerminal::amount()
{
    constexpr std::int64_t telling[] = {0, 1, 20'00, 40'00, 40'01, 480'00, 480'01, INT64_MAX};
    const auto which = input_.byte();
    return which < 64 ? telling[which % std::size(telling)] : which * 100;
}

HostileTerminal::Before HostileTerminal::before(const OperationId& id, const CardId& card_id)
{
    const auto quiet = IssuerWorld::quiet();
    const auto status = world_.platform().status(id, std::nullopt);
    const auto card = world_.platform().card(card_id);
    return {.is_new = !status && status.error().code == Errc::unknown_operation,
            .card = card ? *card : std::nullopt};
}

// A new signature is for the operation that the card would execute next, by what the platform
// knows.
void HostileTerminal::check_signed(const Before& before, const Operation& operation)
{
    if (!before.is_new || !before.card) return;
    const auto& card = *before.card;
    FUZZ_CHECK(operation.card_id == card.card_id && operation.sequence == card.settled + 1);
    FUZZ_CHECK(!card.denied || operation.kind == Kind::terminate);
    FUZZ_CHECK(admits(card.state, operation.kind));
    // Of a card that was given up, too, nothing but its end.
    FUZZ_CHECK(!card.given_up_at || operation.kind == Kind::terminate);
    FUZZ_CHECK(operation.amount.magnitude() <= card.limits.maximum_amount.to_minor_units());
    const auto after = checked_add(card.balance, operation.amount);
    FUZZ_CHECK(after && (!is_credit(operation.kind) || *after <= card.limits.maximum_balance));
}

// A pending debit is shown to the terminal that asked for it alone.
Result<CardStanding> HostileTerminal::see(const CardId& card_id)
{
    const auto quiet = IssuerWorld::quiet();
    auto& platform = world_.platform();
    const auto anybodys = platform.standing(card_id, std::nullopt);
    if (!anybodys) return anybodys;
    FUZZ_CHECK(!anybodys->pending || !is_debit(anybodys->pending->operation.kind));
    if (!anybodys->withheld) return anybodys;
    const auto one = platform.standing(card_id, account_of("T1"));
    const auto other = platform.standing(card_id, account_of("T2"));
    if (is_failing_ && (!one || !other)) return anybodys;
    FUZZ_CHECK(!anybodys->pending && one && other && one->withheld != other->withheld);
    const auto& seen = one->withheld ? other : one;
    FUZZ_CHECK(seen->pending && is_debit(seen->pending->operation.kind));
    FUZZ_CHECK(seen->pending->operation.kind != Kind::cash_out ||
               seen->pending->operation.account == account_of(one->withheld ? "T2" : "T1"));
    return seen;
}

void HostileTerminal::authorise()
{
    constexpr Kind kinds[] = {Kind::top_up,          Kind::cash_out, Kind::set_limits,
                              Kind::block,           Kind::unblock,  Kind::replace_operation_key,
                              Kind::reset_pin_tries, Kind::cancel,   Kind::terminate,
                              Kind::transfer_in,     Kind::open_pin};
    OperationRequest request{.id = id(),
                             .card_id = input_.one_in(16) ? CardId() : card().id(),
                             .kind = kinds[input_.below(std::size(kinds))],
                             .amount = Amount::minor_units(amount()),
                             .parameter = {},
                             .terminal = account_of(terminal())};
    if (is_debit(request.kind) && !input_.one_in(8)) request.amount = -request.amount;
    if (!moves_value(request.kind) && !input_.one_in(8)) request.amount = {};
    const auto& keys = IssuerWorld::settings().issuer.operation_keys;
    if (request.kind == Kind::set_limits)
        request.parameter = input_.one_in(4) ? Limits{} : IssuerWorld::limits();
    if (request.kind == Kind::replace_operation_key)
        request.parameter =
            input_.one_in(4) ? IssuerWorld::settings().issuer.card_root : keys[input_.below(2)];
    const auto known = before(request.id, request.card_id);
    const auto status = world_.platform().authorise(request);
    if (status) {
        const auto& operation = status->first.operation;
        FUZZ_CHECK(operation.kind == request.kind && operation.amount == request.amount);
        FUZZ_CHECK(!moves_value(request.kind) || operation.account == request.terminal);
        FUZZ_CHECK(verify(status->first, keys[0]) || verify(status->first, keys[1]));
        check_signed(known, operation);
    }
    // That the card asks for itself.
    if (needs_request(request.kind))
        FUZZ_CHECK(!status && (is_failing_ || status.error().code == Errc::no_such_request));
    changed(status);
}

// A card does what is pending for it, unless it is one that keeps no order.
void HostileTerminal::execute()
{
    auto& card = this->card();
    const auto standing = see(card.id());
    if (!standing || !standing->pending) return;
    const auto& first =
        standing->voiding && input_.one_in(2) ? standing->voiding : standing->pending;
    if (!checked_add(card.balance(), first->operation.amount)) return;
    if (first->operation.sequence != card.sequence() + 1 && !input_.one_in(8)) return;
    results_.push_back(test::submission(card.execute(*first)));
    if (input_.one_in(4))
        results_.back().executed = ExecutedOperation{first->operation, first->issuer_signature};
}

void HostileTerminal::pay()
{
    auto& card = this->card();
    const auto paid = std::max<std::int64_t>(1, amount());
    if (!checked_add(card.balance(), Amount::minor_units(-paid))) return;
    results_.push_back(card.pay(paid, input_.one_in(4) ? "another" : "shop"));
}

void HostileTerminal::settle()
{
    const auto* known = this->known();
    if (known == nullptr) return;
    auto executed = known->executed;
    const auto how = input_.byte();
    if (how >= 0xF0) executed.reset();
    if (how >= 0xE0 && how < 0xF0) executed = this->known()->executed;
    settle(known->receipt, executed);
}

// True where it is the card's next one, signed with the key that the card has, and the store has
// forgotten it.
bool HostileTerminal::is_forgotten(const Receipt& receipt, const ExecutedOperation& executed)
{
    if (!is_ours(receipt, executed)) return false;
    const auto quiet = IssuerWorld::quiet();
    const auto card = world_.platform().card(receipt.result.card_id);
    const auto pending = world_.platform().pending();
    if (!card || !*card || !pending) return false;
    const FirstInstruction first{executed.operation, *executed.issuer_signature};
    const bool is_known = std::ranges::any_of(
        *pending, [&](const auto& one) { return one.operation == first.operation; });
    return !is_known && receipt.result.sequence == std::uint64_t{(*card)->settled} + 1 &&
           verify(first, (*card)->operation_key);
}

void HostileTerminal::settle(const Receipt& receipt,
                             const std::optional<ExecutedOperation>& executed)
{
    const auto before = look_at(receipt.result.card_id);
    const bool forgotten = executed && is_forgotten(receipt, *executed);
    const auto done = world_.platform().settle(test::submission(receipt, executed));
    if (done) {
        FUZZ_CHECK(!done->restored || (executed && is_ours(receipt, *executed)));
        FUZZ_CHECK(!forgotten || (done->restored && done->settled));
        FUZZ_CHECK(before && verify(receipt, before->public_key));
        FUZZ_CHECK(done->sequence == receipt.result.sequence);
        FUZZ_CHECK(done->balance == receipt.result.balance);
        if (done->settled) {
            const auto entry = world_.platform().entry(done->ledger_index);
            const auto* record = entry && *entry ? (*entry)->record() : nullptr;
            FUZZ_CHECK(is_failing_ ||
                       (record != nullptr && record->receipt.result == receipt.result));
        }
    } else {
        // The card did what it was told, whatever else is wrong with it.
        FUZZ_CHECK(!forgotten || done.error().code != Errc::evidence);
    }
    changed(done);
}

// Nobody's signature: I12.
void HostileTerminal::settle_changed()
{
    const auto* known = this->known();
    if (known == nullptr) return;
    const auto genuine = known->receipt.encode();
    Bytes bytes(genuine.bytes().begin(), genuine.bytes().end());
    edit(bytes, input_);
    const auto receipt = Receipt::decode(bytes);
    if (!receipt || *receipt == known->receipt) return;
    const auto done = world_.platform().settle(test::submission(*receipt, known->executed));
    FUZZ_CHECK(!done && done.error().code != Errc::evidence);
    changed(done);
}

void HostileTerminal::settle_raw()
{
    const auto given = input_.counted();
    const auto receipt = Receipt::decode(given);
    const auto executed = ExecutedOperation::decode(input_.counted());
    if (!receipt) return;
    std::optional<ExecutedOperation> along;
    if (executed) along = *executed;
    settle(*receipt, along);
}

// Of an issuer's kind, and nothing that the store has: the issuer never signed it, or has
// forgotten that it did.
ExecutedOperation HostileTerminal::unheard_of(const test::SimulatedCard& card, bool is_signed)
{
    const bool is_credit = is_signed && input_.one_in(4);
    const auto operation =
        is_credit ? card.make(Kind::top_up, 1, "T1") : card.make(Kind::cash_out, -1, "T1");
    if (!is_signed) return {operation, std::nullopt};
    return IssuerWorld::sign(operation, input_.one_in(4) ? 1 : 0);
}

// What a card signs that does not keep to the rules: I14. It starts from what a good one would
// sign next.
void HostileTerminal::broken_card()
{
    auto& card = this->card();
    auto good = card;
    const auto what = input_.byte();
    const auto standing = see(card.id());
    const bool is_pending = standing && standing->pending && (what & 32) != 0;
    const bool is_signed = (what & 128) != 0;
    ExecutedOperation executed{card.make(Kind::payment, -1, "shop"), std::nullopt};
    if (is_pending)
        executed = {standing->pending->operation, standing->pending->issuer_signature};
    else if ((what & 16) != 0)
        executed = unheard_of(card, is_signed);
    if (!checked_add(card.balance(), executed.operation.amount)) return;
    auto result = good.execute(executed.operation).result;
    if ((what & 1) != 0) result.balance = Balance::minor_units(input_.number(4));
    if ((what & 2) != 0) result.sequence += input_.byte() - 20u;
    if ((what & 4) != 0) result.previous_result = {};
    if ((what & 8) != 0) result.state = CardState::blocked;
    const auto receipt = card.sign(result);
    results_.push_back(test::submission(receipt, executed));
    settle(receipt, executed);
    if (is_signed) card = good;  // goes on, as one does that the issuer has forgotten
    if ((what & 64) != 0) world_.cards.push_back(card);  // a clone of it
}

void HostileTerminal::transfer()
{
    auto& card = this->card();
    constexpr Kind kinds[] = {Kind::transfer_out, Kind::transfer_in, Kind::cash_out};
    const auto kind = kinds[input_.below(std::size(kinds))];
    const auto units = std::max<std::int64_t>(1, amount());
    const auto* const terminal = this->terminal();
    const auto* account = kind == Kind::cash_out ? terminal : "shop";
    if (input_.one_in(4)) account = "nobody";
    auto second = card.request(kind, is_credit(kind) ? units : -units, account);
    const auto how = input_.byte();
    if (how < 0x20) second.operation.sequence += how - 0x10u;
    if (how >= 0x20 && how < 0x40) second.operation.amount = Amount::minor_units(units / 2 + 1);
    if (how == 0x40) second.operation.card_id = {};
    if (how == 0x41) second.operation.kind = Kind::payment;
    if (how == 0x42) second.operation.account = account_of("T1");
    TransferRequest request{.id = id(), .second = second, .terminal = account_of(terminal)};
    if (second.operation.valid()) request.consent = consent_to(second.operation);
    if (input_.one_in(4)) request.refunds = PaymentName{card.id(), 1u + input_.byte() % 4u};
    const auto known = before(request.id, second.operation.card_id);
    const auto status = world_.platform().authorise_transfer(request);
    if (status) {
        const auto& operation = status->first.operation;
        FUZZ_CHECK(operation == second.operation && needs_request(operation.kind));
        FUZZ_CHECK(operation.kind != Kind::cash_out || operation.account == request.terminal);
        FUZZ_CHECK(!known.is_new || verify(second, card.public_key()));
        check_signed(known, operation);
        if (known.is_new) check_consent(request);
    }
    changed(status);
}

// Results, or whatever a busy platform is asked together.
void HostileTerminal::settle_many()
{
    std::vector<Submission> many;
    for (auto left = input_.below(6); left > 0; --left)
        if (const auto* one = known()) many.push_back(*one);
    if (input_.one_in(2)) return ask_together({many.begin(), many.end()});
    const auto done = world_.platform().settle_all(many);
    FUZZ_CHECK(!done || done->size() == many.size());
    changed(done);
}

void HostileTerminal::ask_together(std::vector<Order> orders)
{
    auto& card = this->card();
    orders.emplace_back(OperationRequest{.id = id(),
                                         .card_id = card.id(),
                                         .kind = Kind::top_up,
                                         .amount = Amount::minor_units(1 + input_.byte()),
                                         .parameter = {},
                                         .terminal = account_of("T1")});
    TransferRequest transfer{.id = id(),
                             .second = card.request(Kind::transfer_in, 1 + input_.byte(), "shop"),
                             .terminal = account_of("T1")};
    transfer.consent = consent_to(transfer.second.operation);
    orders.emplace_back(transfer);
    const auto done = world_.platform().do_all(orders);
    FUZZ_CHECK(!done || done->size() == orders.size());
    changed(done);
}

}  // namespace fuzz
