// SPDX-License-Identifier: Apache-2.0
#include "ledger_audit.hpp"

#include <algorithm>

#include "books.hpp"

namespace tallycard {

bool LedgerAudit::is_operation_key(const PublicKey& key) const
{
    return std::ranges::find(issuer_->operation_keys, key) != issuer_->operation_keys.end();
}

Objection LedgerAudit::add_card(std::uint64_t line, const CardId& card_id,
                                const Certificate& certificate, const PublicKey& operation_key)
{
    if (!cards_.empty() && cards_.rbegin()->first >= card_id)
        return "the cards are not in the order of their ids";
    auto& card = cards_.emplace_hint(cards_.end(), card_id, Card{})->second;
    card.operation_key = operation_key;
    checks_->add({.line = line,
                  .card = card_id,
                  .what = LedgerCheck::Key{issuer_->card_root, certificate, &card.public_key}});
    if (!is_operation_key(operation_key)) return "the operation key is not one of the issuer's";
    return nullptr;
}

Objection LedgerAudit::check_result(const Card& card, const Record& record)
{
    const auto& [operation, signature, receipt] = record;
    const auto& result = receipt.result;
    if (result.sequence != std::uint64_t{card.settled} + 1)
        return "the sequence is not the card's next one";
    if (operation.card_id != result.card_id || operation.sequence != result.sequence ||
        operation.digest() != result.operation)
        return "the result is not that of the operation";
    if (result.previous_result != card.last_result)
        return "the result does not continue the card's chain";
    if (checked_add(card.balance, operation.amount) != result.balance)
        return "the balance does not follow";
    if (!admits(card.state, operation.kind) || next(card.state, operation.kind) != result.state)
        return "the state does not follow";
    return nullptr;
}

Objection LedgerAudit::add_record(std::uint64_t line, const Record& record)
{
    const auto& operation = record.operation;
    const auto found = cards_.find(record.receipt.result.card_id);
    if (found == cards_.end()) return "the card is not one of the ledger's";
    auto& card = found->second;
    if (operation.unit != issuer_->currency.unit) return "the unit is not the issuer's";
    if (const auto wrong = check_result(card, record)) return wrong;

    const auto& result = record.receipt.result;
    checks_->add({.line = line,
                  .card = result.card_id,
                  .sequence = result.sequence,
                  .what = LedgerCheck::Signatures{record, card.public_key, card.operation_key}});
    card.settled = result.sequence;
    card.balance = result.balance;
    card.last_result = result.digest();
    card.state = result.state;
    if (operation.kind == Kind::replace_operation_key) {
        card.operation_key = *std::get_if<PublicKey>(&operation.parameter);
        if (!is_operation_key(card.operation_key))
            return "the new operation key is not one of the issuer's";
    }
    return post(operation);
}

// Records are in the order of settlement, in which an honest platform never overdraws an account.
Objection LedgerAudit::post(const Operation& operation)
{
    const auto name = Books::other_side(operation);
    if (!name) return nullptr;
    auto& balance = accounts_[*name];
    balance -= operation.amount.to_minor_units();
    const bool may_owe = name->kind == AccountKind::cash;
    return balance < 0 && !may_owe ? "the account does not hold that much" : nullptr;
}

}  // namespace tallycard
