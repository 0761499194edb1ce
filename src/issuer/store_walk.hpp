// SPDX-License-Identifier: Apache-2.0
// Every row of a store, in an order that does not depend on the store.
#pragma once

#include <algorithm>

#include <tallycard/store.hpp>

#include "platform_transaction.hpp"

namespace tallycard {

// What is done with each row: a class with these members, each of which returns a Result<void>.
//
//     issuer(text) card(row) personalisation(card_id, sealed) account(row)
//     entry(index, entry, posting) reference(index, reference) operation(row) kept(row) gap(row)
//     denial(row) evidence(row) checkpoint(note) chain(row) outbox(name, row)
template <class Visitor>
class StoreWalk {
public:
    StoreWalk(StoreTransaction& store, Visitor& visitor) : store_(&store), visitor_(&visitor) {}

    Result<void> run()
    {
        const auto issuer = store_->issuer();
        if (!issuer) return issuer.error();
        if (*issuer)
            if (const auto done = visitor_->issuer(**issuer); !done) return done;
        const auto card = [&](const CardRow& row) { return visitor_->card(row); };
        const auto account = [&](const AccountRow& row) { return visitor_->account(row); };
        const auto rest = [&](const CardRow& row) { return of_card(row); };
        if (auto done = for_each_card(*store_, card); !done) return done;
        if (auto done = for_each_account(*store_, account); !done) return done;
        if (auto done = entries(); !done) return done;
        if (auto done = for_each_card(*store_, rest); !done) return done;
        const auto denial = [&](const DenyListLine& line) { return visitor_->denial(line); };
        if (auto done = for_each_denial(*store_, denial); !done) return done;
        if (auto done = evidence(); !done) return done;
        const auto note = store_->checkpoint();
        if (!note) return note.error();
        if (*note)
            if (const auto done = visitor_->checkpoint(**note); !done) return done;
        return chains();
    }

private:
    Result<void> entries()
    {
        const auto count = store_->entry_count();
        if (!count) return count.error();
        for (std::uint64_t index = 0; index < *count; ++index) {
            const auto entry = store_->entry(index);
            if (!entry) return entry.error();
            if (!*entry) return Error{.code = Errc::file_damaged, .where = "ledger"};
            const auto posting = store_->posting(index);
            if (!posting) return posting.error();
            if (auto done = visitor_->entry(index, **entry, *posting); !done) return done;
            const auto reference = store_->reference(index);
            if (!reference) return reference.error();
            if (!*reference) continue;
            if (auto done = visitor_->reference(index, **reference); !done) return done;
        }
        return {};
    }

    // Operations are signed for the sequence after the last that has settled, at most.
    Result<void> of_card(const CardRow& card)
    {
        const auto sealed = store_->personalisation(card.card_id);
        if (!sealed) return sealed.error();
        if (*sealed)
            if (auto done = visitor_->personalisation(card.card_id, **sealed); !done) return done;
        const auto next = std::uint64_t{card.settled} + 1;
        for (std::uint64_t sequence = 1; sequence <= in_range(next); ++sequence) {
            const auto rows =
                store_->operations(card.card_id, static_cast<std::uint32_t>(sequence));
            if (!rows) return rows.error();
            for (const auto& row : *rows)
                if (auto done = visitor_->operation(row); !done) return done;
        }
        const auto kept = store_->kept(card.card_id);
        if (!kept) return kept.error();
        for (const auto& row : *kept)
            if (auto done = visitor_->kept(row); !done) return done;
        const auto gaps = store_->gaps(card.card_id);
        if (!gaps) return gaps.error();
        for (const auto& row : *gaps)
            if (auto done = visitor_->gap(row); !done) return done;
        return {};
    }

    Result<void> evidence()
    {
        constexpr std::size_t at_once = 256;
        for (std::size_t seen = 0;;) {
            const auto rows = store_->evidence(seen, at_once);
            if (!rows) return rows.error();
            for (const auto& row : *rows)
                if (auto done = visitor_->evidence(row); !done) return done;
            if (rows->size() < at_once) return {};
            seen += rows->size();
        }
    }

    Result<void> chains()
    {
        const auto chains = store_->chains();
        if (!chains) return chains.error();
        for (const auto& chain : *chains) {
            if (auto done = visitor_->chain(chain); !done) return done;
            const auto rows = store_->outbox(chain.name);
            if (!rows) return rows.error();
            for (const auto& row : *rows)
                if (auto done = visitor_->outbox(chain.name, row); !done) return done;
        }
        return {};
    }

    static std::uint64_t in_range(std::uint64_t sequence)
    {
        return std::min<std::uint64_t>(sequence, 0xFFFFFFFF);
    }

    StoreTransaction* store_;
    Visitor* visitor_;
};

}  // namespace tallycard
