// SPDX-License-Identifier: Apache-2.0
// The value's part of the applet: EXECUTE, REQUEST and PAY, checked in the order of
// docs/protocol.md, section 6.
#include <tallycard/instructions.hpp>
#include <tallycard/pin.hpp>

#include <sodium/randombytes.h>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "applet.hpp"

namespace tallycard::chip {
namespace {

constexpr std::uint32_t last_sequence = 0xFFFFFFFF;

void set_parameter(CardMemory& memory, const Operation& operation)
{
    if (const auto* limits = std::get_if<Limits>(&operation.parameter)) memory.limits = *limits;
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) memory.operation_key = *key;
    const bool opens_pin = operation.kind == Kind::open_pin;
    if (opens_pin || operation.kind == Kind::reset_pin_tries) memory.pin_tries = pin_tries;
    if (opens_pin) {
        memory.has_pin = false;
        memory.awaits_pin = true;
        memory.secrets.pin = CardSecrets().pin;
    }
}

void count_offline(CardMemory& memory, const Operation& operation)
{
    if (operation.kind != Kind::payment) {
        memory.offline_payments = 0;
        memory.offline_total = {};
        return;
    }
    ++memory.offline_payments;
    const auto total = checked_add(memory.offline_total, -operation.amount);
    TALLYCARD_EXPECTS(total.has_value());  // check_offline() saw to it
    memory.offline_total = *total;
}

bool is_same_payment(const LogEntry* last, const PayData& order)
{
    if (last == nullptr) return false;
    const auto operation = Operation::decode(last->operation);
    return operation && operation->kind == Kind::payment && operation->amount == order.amount &&
           operation->nonce == order.nonce && operation->account == order.payee;
}

}  // namespace

StatusWord Applet::execute(const Command& command, Answer& answer)
{
    const auto first = FirstInstruction::decode(command.data);
    if (!first || first->operation.kind == Kind::payment) return sw::malformed_data;
    const auto& operation = first->operation;
    const auto& now = nvm_.current();
    if (operation.card_id != now.card_id) return sw::wrong_card;
    if (operation.unit != now.currency.unit) return sw::wrong_unit;

    const OperationBytes bytes = operation.encode();
    if (operation.sequence <= now.sequence) {
        const auto* const entry = now.find(operation.sequence);
        if (entry == nullptr || entry->operation != bytes) return sw::wrong_sequence;
        return answer_receipt(*entry, operation.sequence, answer);
    }
    if (!ed25519::verify(first->issuer_signature, wire::domain::operation, bytes,
                         now.operation_key))
        return sw::bad_signature;
    if (!admits(now.state, operation.kind)) return sw::not_in_this_state;
    if (operation.sequence != now.sequence + 1) return sw::wrong_sequence;
    if (needs_request(operation.kind) && now.request != bytes) return sw::no_such_request;
    if (const auto status = check_value(operation.kind, operation.amount); !status.ok())
        return status;
    return apply(operation, first->issuer_signature, answer);
}

StatusWord Applet::request(const Command& command, Answer& answer)
{
    const auto kind = *kind_from_byte(command.header.p1);  // p1_p2_fit() saw to it
    const auto wanted = RequestData::decode(command.data, kind);
    if (!wanted) return sw::malformed_data;
    const auto& now = nvm_.current();
    if (wanted->unit != now.currency.unit) return sw::wrong_unit;
    if (now.sequence == last_sequence) return sw::not_in_this_state;
    if (const auto status = check_value(kind, wanted->amount); !status.ok()) return status;

    const auto kept = Operation::decode(now.request);
    const bool is_kept = kept && kept->kind == kind && kept->amount == wanted->amount &&
                         kept->account == wanted->account;
    if (is_kept) return keep_request(*kept, answer);

    std::array<std::uint8_t, Nonce::size> nonce;
    randombytes_buf(nonce.data(), nonce.size());
    return keep_request({.kind = kind,
                         .card_id = now.card_id,
                         .sequence = now.sequence + 1,
                         .amount = wanted->amount,
                         .unit = wanted->unit,
                         .nonce = Nonce(nonce),
                         .account = wanted->account,
                         .parameter = {}},
                        answer);
}

StatusWord Applet::keep_request(const Operation& operation, Answer& answer)
{
    const OperationBytes bytes = operation.encode();
    if (const auto status = answer.room_for(bytes.size() + 2 + Signature::size); !status.ok())
        return status;
    const auto signature = signer().sign_request(operation);
    if (!signature) return sw::memory_failure;
    if (nvm_.current().request != bytes) {
        nvm_.draft().request = bytes;
        if (!nvm_.commit()) return sw::memory_failure;
    }
    answer.put(SecondInstruction{operation, *signature}.encode());
    return sw::ok;
}

StatusWord Applet::pay(const Command& command, Answer& answer)
{
    const auto order = PayData::decode(command.data);
    if (!order) return sw::malformed_data;
    const auto& now = nvm_.current();
    if (order->unit != now.currency.unit) return sw::wrong_unit;
    const auto* const last = now.find(now.sequence);
    if (is_same_payment(last, *order)) return answer_receipt(*last, now.sequence, answer);
    if (now.sequence == last_sequence) return sw::not_in_this_state;
    if (const auto status = check_value(Kind::payment, order->amount); !status.ok()) return status;
    if (const auto status = check_offline(order->amount); !status.ok()) return status;
    return apply({.kind = Kind::payment,
                  .card_id = now.card_id,
                  .sequence = now.sequence + 1,
                  .amount = order->amount,
                  .unit = order->unit,
                  .nonce = order->nonce,
                  .account = order->payee,
                  .parameter = {}},
                 {}, answer);
}

// Checks 6 and 7 of EXECUTE.
StatusWord Applet::check_value(Kind kind, Amount amount) const
{
    const auto& now = nvm_.current();
    const auto size = amount.magnitude();
    if (is_debit(kind) && size > now.limits.pin_above.to_minor_units() && !pin_verified_)
        return sw::pin_needed;
    if (size > now.limits.maximum_amount.to_minor_units()) return sw::amount_limit;
    const auto after = checked_add(now.balance, amount);
    if (is_debit(kind) && !after) return sw::balance_too_low;
    if (is_credit(kind) && (!after || *after > now.limits.maximum_balance))
        return sw::balance_limit;
    return sw::ok;
}

StatusWord Applet::check_offline(Amount amount) const
{
    const auto& now = nvm_.current();
    const auto total = checked_add(now.offline_total, -amount);
    if (now.offline_payments >= now.limits.offline_payments || !total ||
        *total > now.limits.offline_total)
        return sw::offline_limit;
    return sw::ok;
}

// The one atomic change. Requires that every check has passed. The result is signed before the
// change is made, so that an executed operation always has its result in the log.
StatusWord Applet::apply(const Operation& operation, const Signature& issuer_signature,
                         Answer& answer)
{
    const auto& now = nvm_.current();
    const LogEntry unsigned_entry{.operation = operation.encode(),
                                  .issuer_signature = issuer_signature,
                                  .balance = *checked_add(now.balance, operation.amount),
                                  .previous_result = now.last_result,
                                  .state = next(now.state, operation.kind),
                                  .signature = {}};
    auto receipt = now.receipt(unsigned_entry, operation.sequence);
    const auto encoded_size = receipt.encode().size();
    if (const auto status = answer.room_for(encoded_size); !status.ok()) return status;
    const auto signature = signer().sign_result(receipt.result);
    if (!signature) return sw::memory_failure;
    receipt.card_signature = *signature;

    auto& next = nvm_.draft();
    auto& entry = next.slot(operation.sequence);
    entry = unsigned_entry;
    entry.signature = *signature;
    next.balance = entry.balance;
    next.sequence = operation.sequence;
    next.state = entry.state;
    next.last_result = receipt.result.digest();
    next.request = {};
    count_offline(next, operation);
    set_parameter(next, operation);
    if (!nvm_.commit()) return sw::memory_failure;
    if (is_debit(operation.kind) || operation.kind == Kind::open_pin) pin_verified_ = false;
    answer.put(receipt.encode());
    return sw::ok;
}

}  // namespace tallycard::chip
