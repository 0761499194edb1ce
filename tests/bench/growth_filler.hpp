// SPDX-License-Identifier: Apache-2.0
// An issuer's store that grows: a card for every so many records, which was topped up once and then
// paid. The cards' rows are put into the store in large transactions; all operations go
// through the platform, `at_once` in a transaction, every one with its signatures.
#pragma once

#include <chrono>
#include <cstdio>
#include <future>
#include <random>
#include <stdexcept>

#include <tallycard/terminal.hpp>

#include "growth_cards.hpp"

namespace tallycard::bench {

inline void require(bool done, const char* what)
{
    if (!done) throw std::runtime_error(what);
}

class Filler {
public:
    Filler(test::TestIssuer& issuer, std::uint64_t records_of_card)
        : issuer_(&issuer), records_of_card_(records_of_card)
    {
    }

    const std::vector<GrowthCard>& cards() const { return cards_; }
    std::uint64_t operations() const { return operations_; }  // that the issuer signed

    void grow_to(std::uint64_t records)
    {
        const auto before = cards_.size();
        const auto start = std::chrono::steady_clock::now();
        const auto tell = [&](const char* what) {
            const auto now = std::chrono::steady_clock::now();
            std::fprintf(stderr, "%9zu cards: %s after %.0f s\n", cards_.size(), what,
                         std::chrono::duration<double>(now - start).count());
        };
        add_cards(records / records_of_card_ - before);
        tell("made");
        const auto fresh = std::span(cards_).subspan(before);
        for (std::size_t at = 0; at < fresh.size(); at += at_once)
            top_up(fresh.subspan(at, std::min(at_once, fresh.size() - at)));
        tell("topped up");
        for (std::uint64_t round = 1; round < records_of_card_; ++round) {
            pay(fresh);
            tell("paid");
        }
    }

    // A card anywhere among all, and no other one for as many calls as there are.
    GrowthCard& next()
    {
        next_ = (next_ + 7'368'787) % cards_.size();  // a prime
        return cards_[next_];
    }
    Submission payment() { return payment(next()); }
    OperationRequest request(const GrowthCard& card)
    {
        ++operations_;
        return {.id = test::id_of<OperationId>(operations_ | 1U << 31),
                .card_id = card.id(),
                .kind = Kind::top_up,
                .amount = Amount::minor_units(10'000),
                .parameter = {},
                .terminal = account("till-", operations_ / 1'000)};
    }

private:
    static constexpr std::size_t at_once = 1'000;
    static constexpr std::size_t cards_at_once = 20'000;

    static AccountId account(const char* what, std::uint64_t number)
    {
        return test::account_id(what + std::to_string(number));
    }
    Submission payment(GrowthCard& card)
    {
        return card.pay(1, account("shop-", ++payments_ % 1'000),
                        issuer_->description().currency.unit);
    }

    void add_cards(std::uint64_t count)
    {
        const auto before = cards_.size();
        const auto ids =
            growth_ids(static_cast<std::uint32_t>(before), static_cast<std::uint32_t>(count));
        std::ranges::move(make_cards(ids), std::back_inserter(cards_));
        const auto store = issuer_->store().open(StoreCheck::quick).value();
        for (auto at = before; at < cards_.size();) {
            const auto transaction = store->write().value();
            for (const auto end = std::min(at + cards_at_once, cards_.size()); at < end; ++at)
                insert(*transaction, cards_[at]);
            transaction->commit().value();
        }
    }
    void insert(StoreTransaction& store, const GrowthCard& card) const
    {
        CardRow row;
        row.card_id = card.id();
        row.certificate = card.certificate();
        row.public_key = card.public_key();
        row.transport_key = sha256(card.id().bytes());
        row.first_operation_key = row.operation_key = issuer_->description().operation_keys.front();
        row.issued = true;
        store.insert_card(row).value();
        const AccountName holder{AccountKind::associated, holder_account(row.card_id)};
        store.put_account({.name = holder}).value();
    }

    void top_up(std::span<GrowthCard> cards)
    {
        std::vector<Order> wanted;
        for (const auto& card : cards) wanted.emplace_back(request(card));
        const auto answers = (*issuer_)->do_all(wanted).value();
        std::vector<Submission> done;
        for (std::size_t i = 0; i < cards.size(); ++i) {
            const auto& status = std::get<Result<OperationStatus>>(answers[i]);
            require(status.has_value(), "a top-up was not signed");
            done.push_back(test::submission(cards[i].execute(status->first.operation)));
        }
        settle(done);
    }

    // The next payments are signed while those before them settle.
    void pay(std::span<GrowthCard> cards)
    {
        const auto sign = [this](std::span<GrowthCard> part) {
            std::vector<Submission> payments;
            payments.reserve(part.size());
            for (auto& card : part) payments.push_back(payment(card));
            return payments;
        };
        auto signing = std::async(std::launch::deferred, sign, cards.first(0));
        for (std::size_t at = 0; at < cards.size(); at += at_once) {
            const auto part = cards.subspan(at, std::min(at_once, cards.size() - at));
            const auto before = signing.get();
            signing = std::async(std::launch::async, sign, part);
            settle(before);
        }
        settle(signing.get());
    }
    void settle(const std::vector<Submission>& submissions)
    {
        const auto answers = (*issuer_)->settle_all(submissions).value();
        for (const auto& answer : answers)
            require(answer && answer->settled, "an operation did not settle");
    }

    test::TestIssuer* issuer_;
    std::uint64_t records_of_card_;
    std::vector<GrowthCard> cards_;
    std::size_t next_ = 0;
    std::uint32_t operations_ = 0;
    std::uint64_t payments_ = 0;
};

}  // namespace tallycard::bench
