// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/contract.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/terminal.hpp>

#include "account_orders.hpp"
#include "authorisation.hpp"
#include "books.hpp"
#include "platform_transaction.hpp"
#include "settlement.hpp"

namespace tallycard {
namespace {

Error refusal(Errc code)
{
    return Error{.code = code, .where = "platform"};
}

Result<CardRow> find_card(StoreTransaction& store, const CardId& card_id)
{
    const auto card = store.card(card_id);
    if (!card) return card.error();
    if (!*card) return refusal(Errc::unknown_card);
    return **card;
}

// Of an operation that the issuer's key signs, and that nobody signed as far as the store knows:
// the card's signature does not cover the issuer's, so that this rests on the store's memory.
bool is_revocable(const EvidenceRow& row, Unit unit)
{
    if (row.reason != EvidenceReason::foreign_operation || !row.operation) return false;
    const auto& result = row.receipt.result;
    return row.operation->kind != Kind::payment && row.operation->card_id == result.card_id &&
           row.operation->sequence == result.sequence && row.operation->unit == unit;
}

CardRow new_row(const NewCard& card, const PublicKey& operation_key)
{
    CardRow row;
    row.card_id = card.card_id;
    row.certificate = card.certificate;
    row.public_key = card.public_key;
    row.transport_key = card.transport_key;
    row.first_operation_key = operation_key;
    row.operation_key = operation_key;
    row.limits = card.limits;
    return row;
}

}  // namespace

Result<void> Platform::register_card(const NewCard& card)
{
    TALLYCARD_EXPECTS(card.limits.valid() && card.sealed.size() > 0);
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<void> {
        const auto before = store.card(card.card_id);
        if (!before) return before.error();
        if (*before) {
            const auto sealed = store.personalisation(card.card_id);
            if (!sealed) return sealed.error();
            const auto& row = **before;
            const bool same = row.certificate == card.certificate &&
                              row.public_key == card.public_key &&
                              row.transport_key == card.transport_key && *sealed == card.sealed;
            return same ? Result<void>() : refusal(Errc::conflict);
        }
        const auto row = new_row(card, settings_.issuer.operation_keys.front());
        if (const auto done = store.insert_card(row); !done) return done.error();
        if (const auto done = store.put_personalisation(card.card_id, card.sealed); !done)
            return done.error();
        return Books(store).open(associated_account(holder_account(card.card_id)));
    });
}

Result<void> Platform::confirm_card(const CardId& card_id)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) {
        auto card = find_card(store, card_id);
        if (!card) return Result<void>(card.error());
        card->issued = true;
        const auto done = store.update_card(*card);
        return done ? store.put_personalisation(card_id, {}) : done;
    });
}

Result<std::optional<RegisteredCard>> Platform::card_of_transport_key(const Digest& digest)
{
    using Found = std::optional<RegisteredCard>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Found> {
        const auto row = store.card_of_transport_key(digest);
        if (!row) return row.error();
        if (!*row) return Found();
        const auto sealed = store.personalisation((*row)->card_id);
        if (!sealed) return sealed.error();
        return Found(RegisteredCard{**row, *sealed});
    });
}

Result<AccountStanding> Platform::account_standing(const AccountId& account)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<AccountStanding> {
        const auto row = store.account(associated_account(account));
        if (!row) return row.error();
        if (!*row) return refusal(Errc::unknown_account);
        const auto& found = **row;
        return AccountStanding{account, found.balance, found.reserved, found.number, found.key};
    });
}

Result<void> Platform::deny(const CardId& card_id)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<void> {
        auto card = find_card(store, card_id);
        if (!card) return card.error();
        if (const auto done = set_denied(store, *card, true); !done) return done;
        const auto closed = Settler(store, settings_, now()).close_gaps(*card);
        return closed ? Result<void>() : closed.error();
    });
}

Result<void> Platform::declare_lost(const CardId& card_id)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<void> {
        auto card = find_card(store, card_id);
        if (!card) return card.error();
        const auto time = std::clamp(now(), Time{}, last_time);
        if (!card->lost_since) card->lost_since = time;
        if (const auto done = store.update_card(*card); !done) return done;
        if (const auto done = set_denied(store, *card, true); !done) return done;
        const auto closed = Settler(store, settings_, now()).close_gaps(*card);
        return closed ? Result<void>() : closed.error();
    });
}

Result<Recoverable> Platform::recoverable(const CardId& card_id)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Recoverable> {
        const auto card = find_card(store, card_id);
        if (!card) return card.error();
        return tallycard::recoverable(store, *card, settings_, now());
    });
}

Result<std::size_t> Platform::close_gaps()
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<std::size_t> {
        Settler settler(store, settings_, now());
        std::size_t made = 0;
        const auto done = for_each_row<CardId>(
            [&](const auto& after, std::size_t limit) {
                return store.cards_with_kept(after, limit);
            },
            [](const CardId& card_id) { return card_id; },
            [&](const CardId& card_id) -> Result<void> {
                auto card = find_card(store, card_id);
                if (!card) return card.error();
                const auto closed = settler.close_gaps(*card);
                if (!closed) return closed.error();
                made += *closed;
                return {};
            });
        if (!done) return done.error();
        return made;
    });
}

Result<std::vector<KeptRow>> Platform::kept(const CardId& card_id)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.kept(card_id); });
}

Result<std::size_t> Platform::kept_count()
{
    return reading(mutex_, *store_, [](StoreTransaction& store) { return store.kept_count(); });
}

Result<std::vector<CardId>> Platform::cards_with_kept(const std::optional<CardId>& after,
                                                      std::size_t limit)
{
    return reading(mutex_, *store_,
                   [&](StoreTransaction& store) { return store.cards_with_kept(after, limit); });
}

Result<std::vector<GapRow>> Platform::gaps(const CardId& card_id)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.gaps(card_id); });
}

Result<void> Platform::undeny(const CardId& card_id)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<void> {
        const auto proofs = store.evidence(card_id);
        if (!proofs) return proofs.error();
        const auto unit = settings_.issuer.currency.unit;
        if (!std::ranges::all_of(*proofs,
                                 [&](const EvidenceRow& row) { return is_revocable(row, unit); }))
            return refusal(Errc::evidence);
        auto card = find_card(store, card_id);
        if (!card) return card.error();
        if (card->given_up_at) return refusal(Errc::card_state);
        card->lost_since = std::nullopt;
        if (const auto done = store.update_card(*card); !done) return done;
        return set_denied(store, *card, false);
    });
}

Result<std::uint64_t> Platform::restored()
{
    return reading(mutex_, *store_, [](StoreTransaction& store) { return store.restored_count(); });
}

Result<std::optional<AccountRow>> Platform::account(const AccountName& name)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.account(name); });
}

Result<std::vector<AccountRow>> Platform::accounts()
{
    using Rows = std::vector<AccountRow>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Rows> {
        Rows rows;
        const auto done = for_each_account(store, [&](const AccountRow& row) -> Result<void> {
            rows.push_back(row);
            return {};
        });
        if (!done) return done.error();
        return rows;
    });
}

Result<std::vector<CardRow>> Platform::cards()
{
    using Rows = std::vector<CardRow>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Rows> {
        Rows rows;
        const auto done = for_each_card(store, [&](const CardRow& row) -> Result<void> {
            rows.push_back(row);
            return {};
        });
        if (!done) return done.error();
        return rows;
    });
}

Result<std::vector<AccountRow>> Platform::accounts(const std::optional<AccountName>& after,
                                                   std::size_t limit)
{
    return reading(mutex_, *store_,
                   [&](StoreTransaction& store) { return store.accounts(after, limit); });
}

Result<std::vector<CardRow>> Platform::cards(const std::optional<CardId>& after, std::size_t limit)
{
    return reading(mutex_, *store_,
                   [&](StoreTransaction& store) { return store.cards(after, limit); });
}

Result<std::optional<CardRow>> Platform::card(const CardId& card_id)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.card(card_id); });
}

Result<std::vector<FirstInstruction>> Platform::pending()
{
    using Instructions = std::vector<FirstInstruction>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Instructions> {
        Instructions found;
        const auto done = for_each_card(store, [&](const CardRow& row) -> Result<void> {
            const auto busy = pending_operations(store, row);
            if (!busy) return busy.error();
            if (busy->pending) found.push_back(busy->pending->first);
            if (busy->voiding) found.push_back(busy->voiding->first);
            return {};
        });
        if (!done) return done.error();
        return found;
    });
}

Result<std::vector<EvidenceRow>> Platform::evidence()
{
    using Rows = std::vector<EvidenceRow>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Rows> {
        constexpr std::size_t at_once = 256;
        Rows rows;
        for (;;) {
            const auto more = store.evidence(rows.size(), at_once);
            if (!more) return more.error();
            rows.insert(rows.end(), more->begin(), more->end());
            if (more->size() < at_once) return rows;
        }
    });
}

}  // namespace tallycard
