// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "contact.hpp"

namespace tallycard {
namespace {

using contact::Contact;

constexpr std::uint32_t log_size = 16;

Operation operation_of(const PaymentOrder& order, const CardId& card_id, std::uint32_t sequence)
{
    return {.kind = Kind::payment,
            .card_id = card_id,
            .sequence = sequence,
            .amount = order.amount,
            .unit = order.unit,
            .nonce = order.nonce,
            .account = order.payee,
            .parameter = {}};
}

// The payment with this nonce among what the card executed after `known`; empty when there is
// none. Errc::conflict when the nonce paid something else.
Result<std::optional<Applied>> find(CardSession& session, const PaymentOrder& order,
                                    std::uint32_t known)
{
    const auto newest = session.info().sequence;
    const auto oldest = std::max(known, newest > log_size ? newest - log_size : 0);
    for (auto sequence = newest; sequence > oldest; --sequence) {
        const auto operation = session.operation(sequence);
        if (!operation) return operation.error();
        if (operation->kind != Kind::payment || operation->nonce != order.nonce) continue;
        if (*operation != operation_of(order, operation->card_id, sequence))
            return Error{.code = Errc::conflict, .where = "payment"};
        const auto receipt = session.result(sequence);
        if (!receipt) return receipt.error();
        return std::optional(Applied{*operation, *receipt, std::nullopt});
    }
    return std::optional<Applied>();
}

// Another issuer's card has a key that nobody derives from our root: what it signed before does not
// verify. A card that signed nothing yet holds nothing.
Result<void> check_genuine(CardSession& session)
{
    if (session.info().sequence == 0) return {};
    const auto receipt = session.result(session.info().sequence);
    if (receipt) return {};
    if (receipt.error().code == Errc::bad_signature)
        return Error{.code = Errc::foreign_card, .where = "payment"};
    return receipt.error();
}

// PAY broke off: the card's log tells, from `before` on.
Outcome recover(const Contact& contact, const PaymentOrder& order, const CardInfo& before,
                Error reason)
{
    const InDoubt in_doubt{std::nullopt, reason};
    auto session = contact::begin(contact);
    if (!session || session->info().card_id != before.card_id) return in_doubt;
    const auto found = find(*session, order, before.sequence);
    if (!found) return in_doubt;
    if (*found) return **found;
    reason.effect = Effect::none;
    return NotApplied{reason};
}

// Before PAY was sent: nothing happened, unless it happened when the program asked before.
Outcome stopped(Asked asked, const Error& error)
{
    if (asked == Asked::again) return InDoubt{std::nullopt, error};
    return NotApplied{error};
}

}  // namespace

Outcome Terminal::pay(CardLink& card, const OperationId& id, Amount amount, const AccountId& payee,
                      const HolderPin& pin, Asked asked)
{
    if (amount <= Amount{}) return NotApplied{{.code = Errc::bad_amount, .where = "payment"}};
    const Contact contact{*issuer_, settings_, card, pin};
    auto session = contact::begin(contact);
    if (!session) return stopped(asked, session.error());
    const auto before = session->info();
    const PaymentOrder order{-amount, before.currency.unit, Nonce(id.bytes()), payee};

    if (asked == Asked::again) {
        const auto found = find(*session, order, 0);
        if (!found && found.error().code == Errc::conflict) return NotApplied{found.error()};
        if (!found) return stopped(asked, found.error());
        if (*found) return **found;
    }
    if (auto genuine = check_genuine(*session); !genuine) return stopped(asked, genuine.error());
    if (auto verified = contact::give_pin(*session, pin); !verified)
        return NotApplied{verified.error()};
    const auto receipt = session->pay(order);
    if (receipt) {
        const auto operation = operation_of(order, before.card_id, receipt->result.sequence);
        return Applied{operation, *receipt, std::nullopt};
    }
    if (receipt.error().effect == Effect::none) return NotApplied{receipt.error()};
    (void)session->end();
    return recover(contact, order, before, receipt.error());
}

}  // namespace tallycard
