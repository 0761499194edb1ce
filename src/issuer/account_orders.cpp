// SPDX-License-Identifier: Apache-2.0
#include "account_orders.hpp"

#include <algorithm>
#include <limits>

#include <tallycard/verify.hpp>

#include "ledger_writer.hpp"

namespace tallycard {
namespace {

Error refusal(Errc code)
{
    return Error{.code = code, .where = "account order"};
}

bool proves_possession(OrderKind kind)
{
    return kind == OrderKind::open || kind == OrderKind::reset_key;
}

// Of orders that a holder account takes as well as an open one.
bool suits_holders(OrderKind kind)
{
    return kind == OrderKind::pay_in || kind == OrderKind::adjust || kind == OrderKind::recover ||
           kind == OrderKind::recover_holder || kind == OrderKind::write_off;
}

std::int64_t minor_units(Balance balance)
{
    return static_cast<std::int64_t>(balance.to_minor_units());
}

}  // namespace

Result<Recoverable> recoverable(StoreTransaction& store, const CardRow& card,
                                const PlatformSettings& settings, Time now)
{
    Recoverable found;
    found.book = std::max<std::int64_t>(minor_units(card.balance) - card.recovered, 0);
    const auto kept = store.kept(card.card_id);
    if (!kept) return kept.error();
    auto rest = found.book;
    std::uint64_t counted = card.settled;  // each sequence once: two results of it are evidence
    for (const auto& row : *kept) {
        const auto& operation = row.executed.operation;
        if (operation.kind != Kind::payment || operation.sequence <= counted) continue;
        counted = operation.sequence;
        const auto spent = std::min(rest, -operation.amount.to_minor_units());
        found.kept += spent;
        rest -= spent;
    }
    const bool spends = card.state == CardState::operational;
    if (spends && (!card.lost_since || now < *card.lost_since + settings.quarantine)) {
        const auto most = card.limits.offline_total.to_minor_units();
        const auto spent = card.offline_spent.to_minor_units();
        const auto may_spend = static_cast<std::int64_t>(most > spent ? most - spent : 0);
        found.held_back = std::min(rest, may_spend);
        found.held_until = card.lost_since.value_or(now) + settings.quarantine;
    }
    found.free = rest - found.held_back;
    return found;
}

Result<ExecutedOrder> AccountOrders::execute(const SignedOrder& signed_order)
{
    const auto& [order, owner] = signed_order;
    if (!order.valid()) return refusal(Errc::malformed);
    if (order.unit != settings_->issuer.currency.unit) return refusal(Errc::wrong_unit);
    if (owner && !needs_owner(order.kind)) return refusal(Errc::malformed);
    const auto before = known(order);
    if (!before) return before.error();
    if (*before) return **before;

    const auto row = books_.find_or_new(account_of(order));
    if (!row) return row.error();
    if (const auto may = check_state(*row, order); !may) return may.error();
    if (order.number != std::uint64_t{row->number} + 1) {
        auto error = refusal(Errc::wrong_order_number);
        error.detail = row->number + 1;
        return error;
    }
    if (const auto word = check_owner(*row, signed_order); !word) return word.error();
    if (const auto may = check_other_side(order); !may) return may.error();
    if (const auto may = check_funds(order); !may) return may.error();
    if (settings_->signers.empty())
        return Error{.code = Errc::file_missing, .where = "operation key"};
    const auto signature = settings_->signers.front()->sign(order, owner);
    if (!signature) return signature.error();

    auto posting = posting_of(order);
    if (posting) {
        const auto posted = books_.post(*posting);
        if (!posted) return posted.error();
        posting = *posted;
    }
    if (const auto done = change_account(order); !done) return done.error();
    const auto book = change_card(order);
    if (!book) return book.error();
    if (posting) set_card_after(*posting, *book);
    const AccountRecord record{order, owner, *signature};
    const auto written =
        LedgerWriter(*store_, now_, settings_->longest_silence).append(record, posting);
    if (!written) return written.error();
    return ExecutedOrder{record, written->time, written->index};
}

Result<std::optional<ExecutedOrder>> AccountOrders::known(const AccountOrder& order)
{
    const auto index = store_->order_index(account_of(order), order.id);
    if (!index) return index.error();
    if (!*index) return std::optional<ExecutedOrder>();
    const auto entry = store_->entry(**index);
    if (!entry) return entry.error();
    const auto* record = *entry ? (*entry)->account_record() : nullptr;
    if (record == nullptr) return Error{.code = Errc::file_damaged, .where = "ledger"};
    // Who asks again may know of other orders by now: the number is the first one's.
    auto asked = order;
    asked.number = record->order.number;
    if (record->order != asked) return refusal(Errc::conflict);
    return std::optional(ExecutedOrder{*record, (*entry)->time, **index});
}

Result<void> AccountOrders::check_state(const AccountRow& row, const AccountOrder& order)
{
    if (order.kind == OrderKind::hand_in) return {};
    if (order.kind == OrderKind::open) {
        if (row.key || is_reserved(order.account)) return refusal(Errc::account_state);
        return {};
    }
    if (row.key) return {};
    const auto holder = card_of_holder_account(order.account);
    if (!holder || !suits_holders(order.kind)) {
        const auto there = store_->account(row.name);
        if (!there) return there.error();
        return refusal(*there ? Errc::account_state : Errc::unknown_account);
    }
    return check_holder(*holder, order);
}

// A denied card's holder account is drawn on by kind 2A alone.
Result<void> AccountOrders::check_holder(const CardId& holder, const AccountOrder& order)
{
    const auto card = store_->card(holder);
    if (!card) return card.error();
    if (!*card) return refusal(Errc::account_state);
    const bool draws = order.kind == OrderKind::adjust && order.amount < Amount{};
    const bool of_another = order.kind == OrderKind::write_off && order.card() != holder;
    if (((*card)->denied && draws) || of_another) return refusal(Errc::account_state);
    return {};
}

Result<void> AccountOrders::check_owner(const AccountRow& row,
                                        const SignedOrder& signed_order) const
{
    const auto& [order, owner] = signed_order;
    if (!needs_owner(order.kind)) return {};
    if (!owner) return refusal(Errc::consent_needed);
    const auto& key = proves_possession(order.kind) ? *order.key : *row.key;
    return verify_owner(order, *owner, settings_->issuer.card_root, key);
}

Result<void> AccountOrders::check_other_side(const AccountOrder& order)
{
    const auto row = books_.find_or_new(account_of(order));
    if (!row) return row.error();
    switch (order.kind) {
    case OrderKind::close:
        return row->balance == 0 && row->reserved == 0 ? Result<void>()
                                                       : refusal(Errc::account_state);
    case OrderKind::replace_key:
    case OrderKind::reset_key: return check_keys(*row);
    case OrderKind::move: {
        const auto other = store_->account(associated_account(*order.other));
        if (!other) return other.error();
        if (!*other) return refusal(Errc::unknown_account);
        if ((*other)->key) return {};
        const auto holder = card_of_holder_account(*order.other);
        const auto card = holder ? store_->card(*holder) : Result(std::optional<CardRow>());
        if (!card) return card.error();
        return *card ? Result<void>() : refusal(Errc::account_state);
    }
    default: return names_card(order.kind) ? check_card(order) : Result<void>();
    }
}

// In the ledger a consent counts under the key in force or the one before it: a key is not replaced
// twice while a transfer waits that the first of the three has consented to.
Result<void> AccountOrders::check_keys(const AccountRow& row)
{
    if (!row.key_before) return {};
    const auto waiting = store_->consented(row.name.id);
    if (!waiting) return waiting.error();
    for (const auto& one : *waiting) {
        const auto& operation = one.first.operation;
        const auto card = store_->card(operation.card_id);
        if (!card) return card.error();
        if (*card && (*card)->written_off == operation.sequence) continue;
        if (!verify_consent(operation, *one.consent, settings_->issuer.card_root, *row.key))
            return refusal(Errc::operation_pending);
    }
    return {};
}

Result<CardRow> AccountOrders::denied_card(const AccountOrder& order)
{
    const auto card = store_->card(order.card());
    if (!card) return card.error();
    if (!*card) return refusal(Errc::unknown_card);
    if (!(*card)->denied)
        return Error{.code = Errc::card_state, .where = "a card that is not denied"};
    return **card;
}

Result<void> AccountOrders::check_card(const AccountOrder& order)
{
    const auto card = denied_card(order);
    if (!card) return card.error();
    if (order.kind == OrderKind::recover) {
        const auto found = recoverable(*store_, *card, *settings_, now_);
        if (!found) return found.error();
        return order.amount.to_minor_units() <= found->free ? Result<void>()
                                                            : refusal(Errc::insufficient_funds);
    }
    if (order.kind != OrderKind::write_off) return {};
    const auto pending = pending_transfer(*card, order);
    return pending ? Result<void>() : pending.error();
}

// The transfer in from the order's account that waits for the card.
Result<OperationRow> AccountOrders::pending_transfer(const CardRow& card, const AccountOrder& order)
{
    if (card.written_off) return refusal(Errc::card_state);
    auto sequences = std::vector<std::uint32_t>();
    if (card.settled != 0xFFFFFFFF) sequences.push_back(card.settled + 1);
    const auto gaps = store_->gaps(card.card_id);
    if (!gaps) return gaps.error();
    for (const auto& gap : *gaps) sequences.push_back(gap.first);
    for (const auto sequence : sequences) {
        const auto ended = store_->record_index(card.card_id, sequence);
        if (!ended) return ended.error();
        if (*ended) continue;
        const auto rows = store_->operations(card.card_id, sequence);
        if (!rows) return rows.error();
        for (const auto& row : *rows) {
            if (row.first.operation.kind == Kind::transfer_in &&
                row.first.operation.account == order.account)
                return row;
        }
    }
    return refusal(Errc::unknown_operation);
}

Result<void> AccountOrders::check_funds(const AccountOrder& order)
{
    const auto posting = posting_of(order);
    if (!posting) return {};
    if (const auto there = books_.check(*posting); !there) return there;
    return books_.check_issued(*posting);
}

Result<void> AccountOrders::change_account(const AccountOrder& order)
{
    auto row = books_.find_or_new(account_of(order));
    if (!row) return row.error();
    row->number = order.number;
    if (order.kind == OrderKind::open) {
        row->key = order.key;
        row->key_before = std::nullopt;
    } else if (sets_key(order.kind)) {
        row->key_before = row->key;
        row->key = order.key;
    } else if (order.kind == OrderKind::close) {
        row->key = row->key_before = std::nullopt;
    }
    return store_->put_account(*row);
}

// The card's book afterwards.
Result<std::int64_t> AccountOrders::change_card(const AccountOrder& order)
{
    if (!names_card(order.kind)) return 0;
    auto card = denied_card(order);
    if (!card) return card.error();
    if (order.kind == OrderKind::write_off) {
        const auto pending = pending_transfer(*card, order);
        if (!pending) return pending.error();
        const auto released = books_.release(pending->first.operation);
        if (!released) return released.error();
        card->written_off = pending->first.operation.sequence;
    }
    if (order.kind == OrderKind::recover) card->recovered += order.amount.to_minor_units();
    if (!card->given_up_at) card->given_up_at = card->settled;
    if (const auto done = store_->update_card(*card); !done) return done.error();
    return minor_units(card->balance) - card->recovered;
}

}  // namespace tallycard
