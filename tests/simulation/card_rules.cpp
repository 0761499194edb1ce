// SPDX-License-Identifier: Apache-2.0
#include "card_rules.hpp"

#include <tallycard/instructions.hpp>
#include <tallycard/verify.hpp>

#include "../../src/protocol/command_data.hpp"
#include "probes.hpp"
#include "torn_storage.hpp"

namespace simulation {
namespace {

using namespace tallycard;
using chip::CardMemory;

constexpr std::uint8_t verify_ins = 0x20, change_ins = 0x24, request_ins = 0x30, execute_ins = 0x32,
                       pay_ins = 0x34, get_ins = 0x36, personalise_ins = 0xE2;

Bytes encoded(const CardMemory& memory)
{
    Bytes bytes(CardMemory::encoded_size);
    memory.encode(std::span<std::uint8_t, CardMemory::encoded_size>(bytes));
    return bytes;
}

std::span<const std::uint8_t> data_of(std::span<const std::uint8_t> command)
{
    if (command.size() < 6) return {};
    return command.subspan(5, std::min<std::size_t>(command[4], command.size() - 5));
}

CardState state_after(CardState state, Kind kind)
{
    if (kind == Kind::block) return CardState::blocked;
    if (kind == Kind::unblock) return CardState::operational;
    if (kind == Kind::terminate) return CardState::terminated;
    return state;
}

bool state_admits(CardState state, Kind kind)
{
    if (state == CardState::operational) return kind != Kind::unblock;
    if (state == CardState::blocked)
        return kind == Kind::unblock || kind == Kind::cancel || kind == Kind::terminate;
    return false;
}

// The memory after an operation, field by field as docs/protocol.md, section 6, has it.
CardMemory executed(const CardMemory& before, const Operation& operation,
                    const Signature& issuer_signature, const Signature& signature)
{
    auto after = before;
    const auto amount = operation.amount.to_minor_units();
    const auto balance = static_cast<std::int64_t>(before.balance.to_minor_units()) + amount;
    check(balance >= 0, "I8", "a balance below zero on a card");
    after.balance = Balance::minor_units(static_cast<std::uint64_t>(balance));
    after.state = state_after(before.state, operation.kind);
    after.sequence = operation.sequence;
    after.request = {};
    after.log[operation.sequence % CardMemory::log_entries] = {
        .operation = operation.encode(),
        .issuer_signature = issuer_signature,
        .balance = after.balance,
        .previous_result = before.last_result,
        .state = after.state,
        .signature = signature};
    const CardResult result{.card_id = before.card_id,
                            .sequence = operation.sequence,
                            .operation = operation.digest(),
                            .balance = after.balance,
                            .previous_result = before.last_result,
                            .state = after.state};
    after.last_result = result.digest();
    const bool offline = operation.kind == Kind::payment;
    after.offline_payments = static_cast<std::uint16_t>(offline ? before.offline_payments + 1 : 0);
    after.offline_total = Balance::minor_units(
        offline ? before.offline_total.to_minor_units() + operation.amount.magnitude() : 0);
    const bool opens_pin = operation.kind == Kind::open_pin;
    if (opens_pin || operation.kind == Kind::reset_pin_tries) after.pin_tries = 3;
    if (opens_pin) {
        after.has_pin = false;
        after.awaits_pin = true;
        std::array<std::uint8_t, PinBlock::size> none{};
        after.secrets.pin = PinBlock(none);
    }
    if (const auto* limits = std::get_if<Limits>(&operation.parameter)) after.limits = *limits;
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) after.operation_key = *key;
    return after;
}

void check_limits(const CardMemory& before, const CardMemory& after, const Operation& operation,
                  bool pin_stood)
{
    const auto size = operation.amount.magnitude();
    if (size == 0) return;
    check(size <= before.limits.maximum_amount.to_minor_units(), "I8", "above the amount limit");
    if (operation.amount > Amount{}) {
        check(after.balance <= before.limits.maximum_balance, "I8", "above the maximum balance");
        return;
    }
    check(pin_stood || size <= before.limits.pin_above.to_minor_units(), "PIN",
          "a debit that needs the PIN without it");
    if (operation.kind != Kind::payment) return;
    check(after.offline_payments <= before.limits.offline_payments &&
              after.offline_total <= before.limits.offline_total,
          "I8", "above the limits of offline payments");
}

void check_executed(const CardMemory& before, const CardMemory& after, const Heard& heard,
                    const std::set<Digest>& signed_operations)
{
    check(after.sequence == before.sequence + 1, "I5", "a sequence that did not rise by one");
    const auto* entry = after.find(after.sequence);
    check(entry != nullptr, "I5", "executed, and no result in the log");
    const auto operation = Operation::decode(entry->operation);
    check(operation.has_value(), "I5", "an operation in the log that does not decode");
    const auto ins = heard.command[1];
    const bool payment = operation->kind == Kind::payment;
    check(ins == (payment ? pay_ins : execute_ins), "I12", "executed by another command");
    check(payment || signed_operations.contains(operation->digest()), "I1",
          "the card executed what the issuer never signed");
    check(operation->card_id == before.card_id && operation->sequence == after.sequence &&
              operation->unit == before.currency.unit,
          "I5", "another card's operation, or another unit's");
    check(state_admits(before.state, operation->kind), "I8", "executed in a state without it");
    if (needs_request(operation->kind))
        check(before.request == entry->operation, "I10",
              "the card executed what it never asked for");
    const auto first = FirstInstruction::decode(data_of(heard.command));
    check(payment || (first && first->operation == *operation), "I12",
          "executed another operation");
    const auto issuer_signature = payment ? Signature() : first->issuer_signature;
    check(
        encoded(executed(before, *operation, issuer_signature, entry->signature)) == encoded(after),
        "I7", "the change is not the operation's, whole");
    check_limits(before, after, *operation, heard.pin_stood);
    const Receipt receipt = after.receipt(*entry, after.sequence);
    const bool answered = heard.sw == 0 || heard.sw == 0x9000 || heard.sw >> 8 == 0x61;
    check(answered, "I7", "refused, and executed all the same");
    check(receipt.result.valid(), "I5", "a result that is not valid");
}

// What a card keeps as its request is what it was asked for, and would be its next operation.
void check_request(const CardMemory& before, const CardMemory& after, const Heard& heard)
{
    const auto kept = Operation::decode(after.request);
    check(kept && needs_request(kept->kind) &&
              static_cast<std::uint8_t>(kept->kind) == heard.command[2],
          "I10", "a card keeps a request of another kind");
    check(kept->card_id == before.card_id && kept->sequence == before.sequence + 1, "I10",
          "a card asks for another card's operation, or not for its next one");
    check(before.state == CardState::operational, "I8", "a request in a state without it");
}

// 00 24 01 01, of a card that waits for a PIN after kind 16, and of no other.
CardMemory with_new_pin(const CardMemory& before, std::span<const std::uint8_t> block)
{
    check(before.awaits_pin && block.size() == PinBlock::size, "PIN",
          "a PIN was set, and the card waited for none");
    std::array<std::uint8_t, PinBlock::size> pin{};
    std::ranges::copy(block, pin.begin());
    auto after = before;
    after.has_pin = true;
    after.awaits_pin = false;
    after.pin_tries = 3;
    after.secrets.pin = PinBlock(pin);
    return after;
}

// Where nothing was executed: what the command may change beside.
void check_beside(const CardMemory& before, const CardMemory& after, const Heard& heard)
{
    const auto ins = heard.command[1];
    if (ins == change_ins && heard.command[2] == 1) {
        check(encoded(with_new_pin(before, data_of(heard.command))) == encoded(after), "PIN",
              "setting a PIN changed what is not its own");
        return;
    }
    auto allowed = before;
    if (ins == request_ins) {
        check_request(before, after, heard);
        allowed.request = after.request;
    }
    if (ins == verify_ins || ins == change_ins) {
        check(after.pin_tries <= 3, "PIN", "more than three tries");
        allowed.pin_tries = after.pin_tries;
    }
    if (ins == change_ins) allowed.secrets.pin = chip::clone(after.secrets.pin);
    check(encoded(allowed) == encoded(after), "I12", "a command changed what is not its own");
}

// I6, for an EXECUTE that executed nothing now: it was answered exactly where it did before.
void check_answered_again(const CardMemory& before, const Heard& heard)
{
    const auto first = FirstInstruction::decode(data_of(heard.command));
    const auto* entry = first ? before.find(first->operation.sequence) : nullptr;
    const bool executed_before = entry != nullptr && first->operation.card_id == before.card_id &&
                                 entry->operation == first->operation.encode();
    const bool answered = heard.sw == 0x9000 || heard.sw >> 8 == 0x61;
    const bool refused = heard.sw >> 8 == 0x94 || heard.sw == 0x6988 || heard.sw == 0x6A80;
    check(!answered || executed_before, "I6", "EXECUTE was answered, and executed nothing");
    check(!executed_before || !refused, "I6", "what was executed is not answered again");
}

// GET OPERATION gives what EXECUTE brought, 9D with it; of a payment there is none.
void check_logged(const CardMemory& before, const Heard& heard)
{
    const auto data = data_of(heard.command);
    if (heard.sw != 0x9000 || heard.answer.size() <= 2 || data.size() != 4) return;
    std::uint32_t sequence = 0;
    for (const auto byte : data) sequence = sequence << 8 | byte;
    const auto* entry = before.find(sequence);
    check(entry != nullptr, "I5", "an operation that is not in the log was answered");
    const auto operation = Operation::decode(entry->operation);
    Bytes expected(entry->operation.bytes().begin(), entry->operation.bytes().end());
    if (operation->kind != Kind::payment) {
        expected.push_back(0x9D);
        expected.push_back(Signature::size);
        const auto signature = entry->issuer_signature.bytes();
        expected.insert(expected.end(), signature.begin(), signature.end());
    }
    check(std::ranges::equal(heard.answer.first(heard.answer.size() - 2), expected), "I5",
          "GET OPERATION gave something else than was executed");
}

}  // namespace

void check_change(const CardMemory& before, const CardMemory& after, const Heard& heard,
                  const std::set<Digest>& signed_operations)
{
    if (before.state == CardState::blank) {
        check(after.state == CardState::blank || heard.command[1] == personalise_ins, "I12",
              "a blank card changed");
        return;
    }
    if (after.sequence != before.sequence) {
        check_executed(before, after, heard, signed_operations);
        return;
    }
    if (heard.changed) check_beside(before, after, heard);
    if (heard.command[1] == execute_ins) check_answered_again(before, heard);
    if (heard.command[1] == get_ins && heard.command[2] == 1) check_logged(before, heard);
}

}  // namespace simulation
