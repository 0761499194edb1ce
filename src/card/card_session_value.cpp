// SPDX-License-Identifier: Apache-2.0
// The commands of a CardSession that concern value: asking, executing, paying, and the log.
#include <array>

#include <tallycard/card_session.hpp>
#include <tallycard/contract.hpp>
#include <tallycard/verify.hpp>

#include "../protocol/command_data.hpp"
#include "../protocol/wire.hpp"
#include "exchange.hpp"

namespace tallycard {

namespace rule = detail::rule;
using apdu::Command;

namespace {

Error doubted(Error error, const detail::CommandRule& rule)
{
    error.effect = rule.if_in_doubt;
    error.where = rule.name;
    return error;
}

Error not_the_cards(const detail::CommandRule& rule)
{
    return {.code = Errc::bad_signature, .effect = rule.if_in_doubt, .where = rule.name};
}

std::array<std::uint8_t, 4> big_endian(std::uint32_t number)
{
    return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
            static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

// Whether this receipt is for the payment that was ordered: the operation has no other free field
// than the sequence, which the card chose.
bool is_receipt_of(const PaymentOrder& order, const CardResult& result)
{
    const Operation payment{.kind = Kind::payment,
                            .card_id = result.card_id,
                            .sequence = result.sequence,
                            .amount = order.amount,
                            .unit = order.unit,
                            .nonce = order.nonce,
                            .account = order.payee,
                            .parameter = {}};
    return payment.valid() && result.operation == payment.digest();
}

}  // namespace

// A receipt of this card, verified.
Result<Receipt> CardSession::receipt(const Command& command, const detail::CommandRule& rule)
{
    const auto response = exchange(command, rule);
    if (!response) return response.error();
    const auto receipt = Receipt::decode(response->data);
    if (!receipt) return doubted(receipt.error(), rule);
    if (const auto genuine = verify(*receipt, public_key_); !genuine)
        return doubted(genuine.error(), rule);
    if (receipt->result.card_id != info_.card_id) return not_the_cards(rule);
    return receipt;
}

Result<SecondInstruction> CardSession::request(Kind kind, Amount amount, Unit unit,
                                               const AccountId& account)
{
    TALLYCARD_EXPECTS(needs_request(kind));
    if (const auto ready = not_blank(rule::request); !ready) return ready.error();
    if (!sign_fits(kind, amount))
        return Error{.code = Errc::bad_amount, .where = rule::request.name};
    auto header = wire::command::request;
    header.p1 = static_cast<std::uint8_t>(kind);
    const RequestData data{.amount = amount, .unit = unit, .account = account};
    const auto response =
        exchange(Command(header, data.encode(), Command::any_length), rule::request);
    if (!response) return response.error();
    const auto second = SecondInstruction::decode(response->data);
    if (!second) return doubted(second.error(), rule::request);
    if (const auto genuine = verify(*second, public_key_); !genuine)
        return doubted(genuine.error(), rule::request);
    const auto& operation = second->operation;
    const bool as_asked = operation.kind == kind && operation.card_id == info_.card_id &&
                          operation.amount == amount && operation.unit == unit &&
                          operation.account == account;
    if (!as_asked) return not_the_cards(rule::request);
    return second;
}

Result<Receipt> CardSession::execute(const FirstInstruction& first)
{
    if (const auto ready = not_blank(rule::execute); !ready) return ready.error();
    const Command command(wire::command::execute, first.encode(), Command::any_length);
    auto answer = receipt(command, rule::execute);
    if (!answer) return answer;
    const auto& result = answer->result;
    const bool of_this =
        result.sequence == first.operation.sequence && result.operation == first.operation.digest();
    if (!of_this) return not_the_cards(rule::execute);
    return answer;
}

Result<Receipt> CardSession::pay(const PaymentOrder& order)
{
    if (const auto ready = not_blank(rule::pay); !ready) return ready.error();
    if (!sign_fits(Kind::payment, order.amount))
        return Error{.code = Errc::bad_amount, .where = rule::pay.name};
    const PayData data{
        .amount = order.amount, .unit = order.unit, .nonce = order.nonce, .payee = order.payee};
    auto answer =
        receipt(Command(wire::command::pay, data.encode(), Command::any_length), rule::pay);
    if (!answer) return answer;
    if (!is_receipt_of(order, answer->result)) return not_the_cards(rule::pay);
    return answer;
}

Result<Receipt> CardSession::result(std::uint32_t sequence)
{
    if (const auto ready = not_blank(rule::get_result); !ready) return ready.error();
    const auto number = big_endian(sequence);
    const Command command(wire::command::get_result, number, Command::any_length);
    auto answer = receipt(command, rule::get_result);
    if (!answer) return answer;
    if (answer->result.sequence != sequence) return not_the_cards(rule::get_result);
    return answer;
}

Result<ExecutedOperation> CardSession::operation(std::uint32_t sequence)
{
    if (const auto ready = not_blank(rule::get_operation); !ready) return ready.error();
    const auto number = big_endian(sequence);
    const auto response = exchange(
        Command(wire::command::get_operation, number, Command::any_length), rule::get_operation);
    if (!response) return response.error();
    const auto executed = ExecutedOperation::decode(response->data);
    if (!executed) return doubted(executed.error(), rule::get_operation);
    const auto& operation = executed->operation;
    // No card knows an owner's consent.
    if (operation.sequence != sequence || operation.card_id != info_.card_id || executed->consent)
        return not_the_cards(rule::get_operation);
    return executed;
}

}  // namespace tallycard
