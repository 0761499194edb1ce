// SPDX-License-Identifier: Apache-2.0
// What the platform was asked before, asked again.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// Everything that the platform holds, as text.
std::string content_of(TestIssuer& issuer)
{
    const auto head = issuer->ledger_head().value();
    std::string text = std::to_string(head.size) + head.root.to_string();
    for (const auto& row : issuer->accounts().value())
        text += row.name.to_string() + ' ' + std::to_string(row.balance) + ' ' +
                std::to_string(row.reserved) + '\n';
    for (const auto& row : issuer->cards().value())
        text += std::to_string(row.settled) + ' ' + row.last_result.to_string() +
                std::to_string(row.balance.to_minor_units()) + (row.denied ? "denied" : "") + '\n';
    for (const auto& first : issuer->pending().value()) text += to_hex(first.encode()) + '\n';
    return text + std::to_string(issuer->evidence().value().size());
}

// A card's life, and each call that was made to the platform for it.
struct Trace {
    TestIssuer issuer;
    SimulatedCard card = issuer.make_card();
    std::vector<std::function<bool()>> calls;  // whether it was answered

    template <class Call>
    auto record(Call call)
    {
        calls.emplace_back([call] { return call().has_value(); });
        return call().value();
    }

    void ask(Kind kind, std::int64_t amount = 0)
    {
        if (needs_request(kind)) return transfer(kind, amount, "T1");
        const auto request = issuer.request(card, kind, amount);
        const auto first = record([=, this] { return issuer->authorise(request); }).first;
        settle(submission(card.execute(first)));
    }
    void transfer(Kind kind, std::int64_t amount, const char* account = "savings")
    {
        const auto request = issuer.transfer_request(card.request(kind, amount, account));
        const auto first = record([=, this] { return issuer->authorise_transfer(request); }).first;
        settle(submission(card.execute(first)));
    }
    void settle(const Submission& submitted)
    {
        record([=, this] { return issuer.settle(submitted); });
    }
};

}  // namespace

TEST_CASE("I13: replaying what the platform was asked, in any order, changes nothing")
{
    Trace trace;
    trace.issuer.open_account(account_id("savings")).value();
    for (int round = 0; round < 2; ++round) {
        trace.ask(Kind::top_up, 1000);
        trace.settle(trace.card.pay(40, "shop"));
        trace.transfer(Kind::transfer_out, -300);
        trace.transfer(Kind::transfer_in, 100);
        trace.ask(Kind::block);
        trace.ask(Kind::unblock);
        trace.ask(Kind::cash_out, -50);
    }
    trace.issuer.authorise(trace.card, Kind::top_up, 5).value();  // and one that is pending
    const auto before = content_of(trace.issuer);
    std::mt19937 random(13);
    int answered = 0;
    for (int round = 0; round < 5; ++round) {
        std::shuffle(trace.calls.begin(), trace.calls.end(), random);
        for (const auto& call : trace.calls) answered += call() ? 1 : 0;
        REQUIRE(content_of(trace.issuer) == before);
        trace.issuer.reopen();
    }
    REQUIRE(answered == 5 * 26);
}

TEST_CASE("I5: the ledger has each card's sequences without a gap, each of them once")
{
    TestIssuer issuer;
    std::vector<SimulatedCard> cards = {issuer.make_card(), issuer.make_card()};
    for (auto& card : cards) issuer.run(card, Kind::top_up, 1000);
    std::vector<Submission> payments;
    for (int i = 0; i < 12; ++i) payments.push_back(cards[i % 3 == 0 ? 0 : 1].pay(1, "shop"));
    std::mt19937 random(5);
    std::shuffle(payments.begin(), payments.end(), random);
    for (const auto& payment : payments) REQUIRE(issuer.settle(payment));
    for (const auto& payment : payments) REQUIRE(issuer.settle(payment));

    std::map<CardId, std::uint32_t> last;
    const auto entries = issuer->entries(0, 100).value();
    for (const auto& entry : entries) {
        const auto& result = entry.record()->receipt.result;
        REQUIRE(result.sequence == ++last[result.card_id]);
    }
    REQUIRE(entries.size() == 2 + 12);
    REQUIRE(last.at(cards[0].id()) == 5);
    REQUIRE(last.at(cards[1].id()) == 9);
}
