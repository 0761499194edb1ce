// SPDX-License-Identifier: Apache-2.0
// What is asked for, executed and settled.
#include "hostile_terminal.hpp"

#include <tallycard/verify.hpp>

namespace fuzz {

using namespace tallycard;

std::int64_t HostileTerminal::amount()
{
    constexpr std::int64_t telling[] = {0, 1, 20'00, 40'00, 40'01, 480'00, 480'01, INT64_MAX};
    const auto which = input_.byte();
    return which < 64 ? telling[which % std::size(telling)] : which * 100;
}

void HostileTerminal::authorise()
{
    constexpr Kind kinds[] = {Kind::top_up,          Kind::cash_out, Kind::set_limits,
                              Kind::block,           Kind::unblock,  Kind::replace_operation_key,
                              Kind::reset_pin_tries, Kind::cancel,   Kind::terminate,
                              Kind::transfer_in};
    OperationRequest request{.id = id(),
                             .card_id = input_.one_in(16) ? CardId() : card().id(),
                             .kind = kinds[input_.below(std::size(kinds))],
                             .amount = Amount::minor_units(amount()),
                             .parameter = {},
                             .terminal = account_of(input_.one_in(2) ? "T2" : "T1")};
    if (is_debit(request.kind) && !input_.one_in(8)) request.amount = -request.amount;
    if (!moves_value(request.kind) && !input_.one_in(8)) request.amount = {};
    const auto& keys = IssuerWorld::settings().issuer.operation_keys;
    if (request.kind == Kind::set_limits) request.parameter = Limits{};
    if (request.kind == Kind::replace_operation_key)
        request.parameter =
            input_.one_in(4) ? IssuerWorld::settings().issuer.card_root : keys[input_.below(2)];
    const auto status = world_.platform().authorise(request);
    if (status) {
        FUZZ_CHECK(status->first.operation.kind == request.kind);
        FUZZ_CHECK(verify(status->first, keys[0]) || verify(status->first, keys[1]));
    }
    changed(status);
}

// A card does what is pending for it, unless it is one that keeps no order.
void HostileTerminal::execute()
{
    auto& card = this->card();
    const auto standing = look_at(card.id());
    if (!standing || !standing->pending) return;
    const auto& first =
        standing->voiding && input_.one_in(2) ? standing->voiding : standing->pending;
    if (!checked_add(card.balance(), first->operation.amount)) return;
    if (first->operation.sequence != card.sequence() + 1 && !input_.one_in(8)) return;
    results_.push_back({card.execute(*first), std::nullopt});
    if (input_.one_in(4)) results_.back().operation = first->operation;
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
    auto operation = known->operation;
    const auto how = input_.byte();
    if (how >= 0xF0) operation.reset();
    if (how >= 0xE0 && how < 0xF0) operation = this->known()->operation;
    settle(known->receipt, operation);
}

void HostileTerminal::settle(const Receipt& receipt, const std::optional<Operation>& operation)
{
    const auto before = look_at(receipt.result.card_id);
    const auto done = world_.platform().settle(receipt, operation);
    if (done) {
        FUZZ_CHECK(before && verify(receipt, before->public_key));
        FUZZ_CHECK(done->sequence == receipt.result.sequence);
        FUZZ_CHECK(done->balance == receipt.result.balance);
        if (done->settled) {
            const auto record = world_.platform().record(done->ledger_index);
            FUZZ_CHECK(is_failing_ ||
                       (record && *record && (*record)->receipt.result == receipt.result));
        }
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
    const auto done = world_.platform().settle(*receipt, known->operation);
    FUZZ_CHECK(!done && done.error().code != Errc::evidence);
    changed(done);
}

void HostileTerminal::settle_raw()
{
    const auto given = input_.counted();
    const auto receipt = Receipt::decode(given);
    const auto operation = Operation::decode(input_.counted());
    if (!receipt) return;
    std::optional<Operation> along;
    if (operation) along = *operation;
    settle(*receipt, along);
}

// What a card signs that does not keep to the rules: I14. It starts from what a good one would
// sign next.
void HostileTerminal::broken_card()
{
    auto& card = this->card();
    auto good = card;
    const auto what = input_.byte();
    const auto standing = look_at(card.id());
    const bool is_pending = standing && standing->pending && (what & 32) != 0;
    const auto operation = is_pending         ? standing->pending->operation
                           : (what & 16) != 0 ? card.make(Kind::cash_out, -1)
                                              : card.make(Kind::payment, -1, "shop");
    if (!checked_add(card.balance(), operation.amount)) return;
    auto result = good.execute(operation).result;
    if ((what & 1) != 0) result.balance = Balance::minor_units(input_.number(4));
    if ((what & 2) != 0) result.sequence += input_.byte() - 20u;
    if ((what & 4) != 0) result.previous_result = {};
    if ((what & 8) != 0) result.state = CardState::blocked;
    const auto receipt = card.sign(result);
    results_.push_back({receipt, operation});
    settle(receipt, operation);
    if ((what & 64) != 0) world_.cards.push_back(card);  // a clone of it
}

void HostileTerminal::transfer()
{
    auto& card = this->card();
    const auto kind = input_.one_in(2) ? Kind::transfer_in : Kind::transfer_out;
    const auto units = std::max<std::int64_t>(1, amount());
    auto second = card.request(kind, kind == Kind::transfer_in ? units : -units,
                               input_.one_in(4) ? "nobody" : "shop");
    const auto how = input_.byte();
    if (how < 0x20) second.operation.sequence += how - 0x10u;
    if (how >= 0x20 && how < 0x40) second.operation.amount = Amount::minor_units(units / 2 + 1);
    if (how == 0x40) second.operation.card_id = {};
    if (how == 0x41) second.operation.kind = Kind::payment;
    const auto status = world_.platform().authorise_transfer(id(), second);
    if (status)
        FUZZ_CHECK(is_failing_ || verify(second, card.public_key()) ||
                   status->first.operation == second.operation);
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
    orders.emplace_back(TransferRequest{
        .id = id(), .second = card.request(Kind::transfer_in, 1 + input_.byte(), "shop")});
    const auto done = world_.platform().do_all(orders);
    FUZZ_CHECK(!done || done->size() == orders.size());
    changed(done);
}

}  // namespace fuzz
