// SPDX-License-Identifier: Apache-2.0
#include "ledger_audit.hpp"

#include <algorithm>
#include <limits>

namespace tallycard {
namespace {

AccountId losses()
{
    return *AccountId::parse(std::string_view("losses"));
}

AccountName unaccounted_account()
{
    return associated_account(unaccounted());
}

// Whose signature an order needs, where it needs an owner's.
std::optional<PublicKey> owner_key(const AccountOrder& order, const std::optional<OwnerKeys>& keys)
{
    const bool proves_possession =
        order.kind == OrderKind::open || order.kind == OrderKind::reset_key;
    if (proves_possession) return order.key;
    return keys ? std::optional(keys->key) : std::nullopt;
}

void count(LedgerKind& kind, Amount amount)
{
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    ++kind.count;
    if (__builtin_add_overflow(kind.sum, amount.to_minor_units(), &kind.sum))
        kind.sum = amount > Amount{} ? most : -most;
}

}  // namespace

bool LedgerAudit::is_operation_key(const PublicKey& key) const
{
    return std::ranges::find(issuer_->operation_keys, key) != issuer_->operation_keys.end();
}

const CardId* LedgerAudit::holder_of(const AccountId& account) const
{
    const auto card_id = card_of_holder_account(account);
    const auto found = card_id ? cards_.find(*card_id) : cards_.end();
    return found == cards_.end() ? nullptr : &found->first;
}

std::int64_t LedgerAudit::recovered(const CardId& card_id) const
{
    const auto found = lost_.find(card_id);
    return found == lost_.end() ? 0 : found->second.recovered;
}

Objection LedgerAudit::add_card(std::uint64_t line, const CardId& card_id,
                                const Certificate& certificate, const PublicKey& operation_key)
{
    if (!cards_.empty() && cards_.rbegin()->first >= card_id)
        return "the cards are not in the order of their ids";
    auto& card = cards_.emplace_hint(cards_.end(), card_id, Card{})->second;
    card.now.operation_key = operation_key;
    checks_->add({.line = line, .what = LedgerCheck::Key{card_id, certificate, &card.public_key}});
    if (!is_operation_key(operation_key)) return "the operation key is not one of the issuer's";
    return nullptr;
}

Objection LedgerAudit::add_entry(std::uint64_t line, const Entry& entry)
{
    if (to_ && entry.time < *to_) return "the time goes back";
    if (!from_) from_ = entry.time;
    to_ = entry.time;

    if (gap_without_payment_) {
        const auto& card = cards_.at(*gap_without_payment_);
        const auto* record = entry.record();
        const bool is_payment = record != nullptr && record->operation.kind == Kind::payment &&
                                record->receipt.result.card_id == *gap_without_payment_ &&
                                record->receipt.result.sequence > card.now.sequence;
        if (!is_payment) return "the gap is not followed by its payment";
        gap_without_payment_.reset();
    }
    if (const auto* record = entry.record()) return add_record(line, *record);
    if (const auto* order = entry.account_record()) return add_order(line, entry.time, *order);
    return add_gap(line, *entry.gap());
}

Objection LedgerAudit::end_entries() const
{
    return gap_without_payment_ ? "the gap is not followed by its payment" : nullptr;
}

Objection LedgerAudit::add_gap(std::uint64_t line, const Gap& gap)
{
    const auto found = cards_.find(gap.card_id);
    if (found == cards_.end()) return "the card is not one of the ledger's";
    auto& now = found->second.now;
    if (const auto wrong = AuditedGap::check(now, gap)) return wrong;
    checks_->add({.line = line, .what = gap});

    const AuditedGap audited(line, now, gap);
    const auto moved = Amount::minor_units(audited.report().moved);
    gaps_[gap.card_id].push_back(audited);
    count(gap_kind_, -moved);
    now.sequence = gap.last;
    now.balance = gap.balance;
    now.last_result = gap.last_result;
    now.state = CardState::operational;
    gap_without_payment_ = gap.card_id;
    return moved == Amount{} ? nullptr : accounts_.change(unaccounted_account(), moved);
}

Objection LedgerAudit::check_result(const SettledCard& card, const Record& record)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    if (result.previous_result != card.last_result)
        return "the result does not continue the card's chain";
    if (checked_add(card.balance, operation.amount) != result.balance)
        return "the balance does not follow";
    if (!admits(card.state, operation.kind) || next(card.state, operation.kind) != result.state)
        return "the state does not follow";
    return nullptr;
}

// A denied card gets no new operation but these; what was pending may still come.
Objection LedgerAudit::check_lost(const Record& record) const
{
    const auto found = lost_.find(record.operation.card_id);
    if (found == lost_.end()) return nullptr;
    const auto kind = record.operation.kind;
    const bool was_pending = record.operation.sequence <= std::uint64_t{found->second.settled} + 1;
    const bool may_follow =
        kind == Kind::payment || kind == Kind::cancel || kind == Kind::terminate || was_pending;
    return may_follow ? nullptr : "a lost card gets no such operation";
}

AuditedGap* LedgerAudit::gap_of(const Card& card, const Record& record)
{
    const auto& result = record.receipt.result;
    if (result.sequence > card.now.sequence) return nullptr;
    const auto found = gaps_.find(result.card_id);
    if (found == gaps_.end()) return nullptr;
    for (auto& gap : found->second)
        if (gap.contains(result.sequence)) return &gap;
    return nullptr;
}

Objection LedgerAudit::add_record(std::uint64_t line, const Record& record)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    const auto found = cards_.find(result.card_id);
    if (found == cards_.end()) return "the card is not one of the ledger's";
    auto& card = found->second;
    if (operation.unit != issuer_->currency.unit) return "the unit is not the issuer's";
    auto* gap = gap_of(card, record);
    if (gap == nullptr && result.sequence != std::uint64_t{card.now.sequence} + 1)
        return "the sequence is not the card's next one";
    if (operation.card_id != result.card_id || operation.sequence != result.sequence ||
        operation.digest() != result.operation)
        return "the result is not that of the operation";
    if (const auto wrong = gap != nullptr ? gap->add(record) : check_result(card.now, record))
        return wrong;
    if (const auto wrong = check_lost(record)) return wrong;

    std::optional<OwnerKeys> owner;
    if (const auto wrong = find_owner(operation, owner)) return wrong;
    const auto& operation_key =
        gap != nullptr ? gap->before().operation_key : card.now.operation_key;
    checks_->add({.line = line,
                  .what = LedgerCheck::Signatures{record, card.public_key, operation_key, owner}});
    return settle(line, card, record, gap != nullptr);
}

LedgerAudit::LostCard::WriteOff* LedgerAudit::write_off_of(const Operation& operation)
{
    if (operation.kind != Kind::transfer_in) return nullptr;
    const auto found = lost_.find(operation.card_id);
    if (found == lost_.end() || !found->second.write_off) return nullptr;
    auto& write_off = *found->second.write_off;
    return write_off.used || write_off.account != *operation.account ? nullptr : &write_off;
}

// Whose consent a transfer in needs: no account is debited without its owner's word.
Objection LedgerAudit::find_owner(const Operation& operation, std::optional<OwnerKeys>& owner)
{
    if (!needs_consent(operation)) return nullptr;
    if (const auto* write_off = write_off_of(operation)) {
        owner = write_off->owner;
        return nullptr;
    }
    if (is_reserved(*operation.account)) return "the account is not the card's to draw on";
    const auto* account = accounts_.find(associated_account(*operation.account));
    if (account == nullptr || !account->keys) return "the account is not open";
    owner = account->keys;
    return nullptr;
}

Objection LedgerAudit::settle(std::uint64_t line, Card& card, const Record& record, bool late)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    count(kinds_[static_cast<std::uint8_t>(operation.kind)], operation.amount);
    if (!late) {
        card.now.sequence = result.sequence;
        card.now.balance = result.balance;
        card.now.last_result = result.digest();
        card.now.state = result.state;
    }
    if (operation.kind == Kind::replace_operation_key) {
        card.now.operation_key = *std::get_if<PublicKey>(&operation.parameter);
        if (!is_operation_key(card.now.operation_key))
            return "the new operation key is not one of the issuer's";
    }
    return post(line, operation, late);
}

Objection LedgerAudit::post(std::uint64_t line, const Operation& operation, bool late)
{
    auto name = other_side(operation);
    if (!name) return nullptr;
    if (auto* write_off = write_off_of(operation)) {
        write_off->used = true;
        written_off_.push_back({.line = line,
                                .card = operation.card_id,
                                .account = *operation.account,
                                .amount = operation.amount.to_minor_units()});
        name = outside_account(losses());
    }
    if (const auto wrong = accounts_.change(*name, -operation.amount)) return wrong;
    return late ? accounts_.change(unaccounted_account(), operation.amount) : nullptr;
}

Objection LedgerAudit::add_order(std::uint64_t line, Time time, const AccountRecord& record)
{
    const auto& order = record.order;
    if (order.unit != issuer_->currency.unit) return "the unit is not the issuer's";
    if (const auto wrong = accounts_.number(order)) return wrong;
    if (const auto wrong = check_account(order)) return wrong;
    if (const auto wrong = check_other(order)) return wrong;
    const auto& keys = accounts_.at(account_of(order)).keys;
    checks_->add({.line = line, .what = LedgerCheck::Order{record, owner_key(order, keys)}});
    count(kinds_[static_cast<std::uint8_t>(order.kind)], order.amount);
    if (needs_reference(order.kind)) {
        issuer_acts_.push_back({.line = line,
                                .time = time,
                                .kind = order.kind,
                                .account = order.account,
                                .amount = order.amount.to_minor_units(),
                                .other = order.other,
                                .reference = *order.reference});
    }
    return execute(line, time, order);
}

// Which orders an account takes in its state.
Objection LedgerAudit::check_account(const AccountOrder& order) const
{
    if (order.kind == OrderKind::hand_in) return nullptr;
    const bool is_open = accounts_.is_open(associated_account(order.account));
    if (order.kind == OrderKind::open) {
        if (is_reserved(order.account)) return "an account of this name cannot be opened";
        return is_open ? "the account is open already" : nullptr;
    }
    if (const auto* holder = holder_of(order.account)) return check_holder(order, *holder);
    return is_open ? nullptr : "the account is not open";
}

Objection LedgerAudit::check_holder(const AccountOrder& order, const CardId& holder) const
{
    const bool is_taken = order.kind == OrderKind::pay_in || order.kind == OrderKind::adjust ||
                          order.kind == OrderKind::recover ||
                          order.kind == OrderKind::recover_holder ||
                          (order.kind == OrderKind::write_off && order.card() == holder);
    if (!is_taken) return "a holder account takes no such order";
    if (order.kind == OrderKind::adjust && order.amount < Amount{} && lost_.contains(holder))
        return "the holder account of a lost card is drawn on by kind 2A alone";
    return nullptr;
}

Objection LedgerAudit::check_other(const AccountOrder& order) const
{
    if (names_card(order.kind) && !cards_.contains(order.card()))
        return "the card is not one of the ledger's";
    if (order.kind == OrderKind::move && holder_of(*order.other) == nullptr &&
        !accounts_.is_open(associated_account(*order.other)))
        return "the other account is not open";
    return nullptr;
}

Objection LedgerAudit::execute(std::uint64_t line, Time time, const AccountOrder& order)
{
    const auto name = account_of(order);
    auto& account = accounts_.at(name);
    const auto move_from = [&](const AccountName& other) {
        const auto wrong = accounts_.change(name, order.amount);
        return wrong != nullptr ? wrong : accounts_.change(other, -order.amount);
    };
    switch (order.kind) {
    case OrderKind::open:
        account.keys = OwnerKeys{.key = *order.key};
        if (account.balance > 0) claims_.push_back({line, time, order.account, account.balance});
        return nullptr;
    case OrderKind::pay_in:
    case OrderKind::pay_out:
    case OrderKind::adjust:
    case OrderKind::hand_in: return move_from(outside_account(*order.other));
    case OrderKind::move: return move_from(associated_account(*order.other));
    case OrderKind::replace_key:
    case OrderKind::reset_key:
        account.keys = OwnerKeys{.key = *order.key, .replaced = account.keys->key};
        return nullptr;
    case OrderKind::close:
        account.keys.reset();
        return account.balance == 0 ? nullptr : "the account is not empty";
    case OrderKind::recover: return recover(order);
    case OrderKind::recover_holder:
        lost(order.card());
        return move_from(associated_account(holder_account(order.card())));
    case OrderKind::write_off: return write_off(order);
    }
    return "malformed order";
}

LedgerAudit::LostCard& LedgerAudit::lost(const CardId& card_id)
{
    const auto settled = cards_.at(card_id).now.sequence;
    return lost_.try_emplace(card_id, LostCard{.settled = settled, .write_off = {}}).first->second;
}

Objection LedgerAudit::recover(const AccountOrder& order)
{
    const auto balance = cards_.at(order.card()).now.balance.to_minor_units();
    auto& recovered = lost(order.card()).recovered;
    const auto book = static_cast<std::int64_t>(balance) - recovered;
    if (order.amount.to_minor_units() > book) return "the card's book does not hold that much";
    recovered += order.amount.to_minor_units();
    return accounts_.change(account_of(order), order.amount);
}

// Of what is reserved, which no entry says, an auditor knows this much.
Objection LedgerAudit::write_off(const AccountOrder& order)
{
    auto& card = lost(order.card());
    const auto& account = accounts_.at(account_of(order));
    if (card.write_off) return "a transfer to the card has been written off already";
    if (!may_pend(order.card(), card.settled)) return "no transfer to the card can be pending";
    if (account.balance == 0) return "the account is empty: it reserves nothing";
    card.write_off = LostCard::WriteOff{.account = order.account, .owner = account.keys};
    return nullptr;
}

// True where a transfer in that was signed up to that sequence may be pending: the next one, or the
// first one of a gap.
bool LedgerAudit::may_pend(const CardId& card_id, std::uint32_t settled) const
{
    const auto& now = cards_.at(card_id).now;
    if (now.sequence == settled && now.state == CardState::operational) return true;
    const auto found = gaps_.find(card_id);
    return found != gaps_.end() && std::ranges::any_of(found->second, [&](const AuditedGap& gap) {
               return gap.may_pend() && gap.first() <= std::uint64_t{settled} + 1 &&
                      gap.before().state == CardState::operational;
           });
}

void LedgerAudit::list(LedgerReport& report) const
{
    report.from = from_;
    report.to = to_;
    report.claims = claims_;
    report.without_the_owner = issuer_acts_;
    report.written_off = written_off_;
    for (const auto& [card_id, gaps] : gaps_)
        for (const auto& gap : gaps) report.gaps.push_back(gap.report());
    std::ranges::sort(report.gaps, {}, &LedgerGap::line);
    for (std::size_t byte = 0; byte < kinds_.size(); ++byte) {
        if (kinds_[byte].count == 0) continue;
        const auto kind = kind_from_byte(static_cast<std::uint8_t>(byte));
        const auto order = order_kind_from_byte(static_cast<std::uint8_t>(byte));
        report.kinds.emplace(kind ? name(*kind) : name(*order), kinds_[byte]);
    }
    if (gap_kind_.count > 0) report.kinds.emplace("gap", gap_kind_);
}

}  // namespace tallycard
