// SPDX-License-Identifier: Apache-2.0
// What architecture.md says of threads: platforms, the issuer's client and signers are used by
// several at once. Run with the thread sanitizer, too: tests/run.sh --threads.
#include <catch2/catch.hpp>

#include <atomic>
#include <optional>
#include <thread>

#include <tallycard/offline_issuer.hpp>
#include <tallycard/verify.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr std::uint32_t tills = 4, rounds = 12, operations_in_round = 3;

// Each of `count` threads calls `work` with its number; false from any of them fails.
template <class Work>
void in_threads(std::uint32_t count, Work work)
{
    std::atomic<std::uint32_t> succeeded{0};
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            if (work(i)) ++succeeded;
        });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(succeeded == count);
}

OperationRequest top_up(const SimulatedCard& card, std::uint32_t id, std::int64_t cents)
{
    return {.id = id_of<OperationId>(id),
            .card_id = card.id(),
            .kind = Kind::top_up,
            .amount = Amount::minor_units(cents),
            .parameter = {},
            .terminal = account_id("T1")};
}

TransferRequest cash_out(const SimulatedCard& card, std::uint32_t id, std::int64_t cents)
{
    return {.id = id_of<OperationId>(id),
            .second = card.request(Kind::cash_out, -cents, "T1"),
            .terminal = account_id("T1")};
}

bool settled(Platform& platform, SimulatedCard& card, const Result<OperationStatus>& status)
{
    if (!status || status->progress != Progress::pending) return false;
    const auto receipt = card.execute(status->first);
    const auto once = platform.settle(submission(receipt));
    const auto again = platform.settle(submission(receipt));
    return once && once->settled && again && again->ledger_index == once->ledger_index;
}

// A till's day: +5.00, -1.00 to the shop, -2.00, again and again.
bool day(Platform& platform, SimulatedCard& card, std::uint32_t till)
{
    for (std::uint32_t round = 0; round < rounds; ++round) {
        const auto id = till * 1000 + round * 2;
        if (!settled(platform, card, platform.authorise(top_up(card, id, 500)))) return false;
        const auto paid = card.pay(100, "SHOP");
        if (!platform.settle(paid)) return false;
        const auto out = cash_out(card, id + 1, 200);
        if (!settled(platform, card, platform.authorise_transfer(out))) return false;
        const auto standing = platform.standing(card.id(), std::nullopt);
        if (!standing || standing->balance != card.balance()) return false;
    }
    return true;
}

// Looks at all there is until it is told to stop.
bool office(Platform& platform, const CheckpointKey& key, const std::atomic<bool>& open)
{
    do {
        const auto head = platform.ledger_head();
        if (!head) return false;
        const auto rows = platform.entries(0, 1000);
        if (!rows || rows->size() < head->size) return false;
        if (head->size > 0 && !(platform.prove(head->size - 1) && platform.checkpoint(key)))
            return false;
        if (!platform.accounts() || !platform.cards() || !platform.pending()) return false;
    } while (open);
    return true;
}

std::vector<SimulatedCard> cards_of(TestIssuer& issuer)
{
    std::vector<SimulatedCard> cards;
    for (std::uint32_t i = 0; i < tills; ++i) cards.push_back(issuer.make_card());
    return cards;
}

void check_books(TestIssuer& issuer)
{
    constexpr std::int64_t days = tills * rounds;
    REQUIRE(issuer.sum_of_books() == 0);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -300 * days);
    REQUIRE(issuer.balance(AccountKind::associated, "SHOP") == 100 * days);
    REQUIRE(issuer->pending()->empty());
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();
    REQUIRE(!report.fault);
    REQUIRE(report.entries == operations_in_round * days);
}

}  // namespace

TEST_CASE("I3 I11: several threads work with one platform, and it takes one call at a time")
{
    TestIssuer issuer;
    auto cards = cards_of(issuer);
    std::atomic<bool> open{true};
    std::atomic<bool> office_is_right{false};
    std::thread observer([&] { office_is_right = office(*issuer, issuer.checkpoint_key(), open); });
    in_threads(tills, [&](std::uint32_t till) { return day(*issuer, cards[till], till); });
    open = false;
    observer.join();
    REQUIRE(office_is_right);
    check_books(issuer);
}

TEST_CASE("I3 I11: two platforms share one store, each with several threads")
{
    TestIssuer issuer;
    auto cards = cards_of(issuer);
    const auto other = issuer.open_again().value();
    std::atomic<bool> open{true};
    std::atomic<bool> office_is_right{false};
    std::thread observer([&] { office_is_right = office(*other, issuer.checkpoint_key(), open); });
    in_threads(tills, [&](std::uint32_t till) {
        return day(till % 2 == 0 ? *issuer : *other, cards[till], till);
    });
    open = false;
    observer.join();
    REQUIRE(office_is_right);
    check_books(issuer);
}

TEST_CASE("I6 I11: threads that ask for one thing at the same time get one answer")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto other = issuer.open_again().value();
    for (std::uint32_t round = 1; round <= rounds; ++round) {
        std::vector<std::optional<FirstInstruction>> signed_for(tills);
        std::vector<std::optional<Settlement>> settled(tills);
        const auto wanted = top_up(card, round, 500);
        const auto at = [&](std::uint32_t i) -> Platform& { return i % 2 == 0 ? *issuer : *other; };
        in_threads(tills, [&](std::uint32_t i) {
            const auto status = at(i).authorise(wanted);
            if (status) signed_for[i] = status->first;
            return status.has_value();
        });
        const auto receipt = card.execute(*signed_for[0]);
        in_threads(tills, [&](std::uint32_t i) {
            const auto done = at(i).settle(submission(receipt));
            if (done) settled[i] = *done;
            return done.has_value();
        });
        for (std::uint32_t i = 0; i < tills; ++i) {
            REQUIRE(signed_for[i] == signed_for[0]);
            REQUIRE(settled[i]->ledger_index == round - 1);
        }
    }
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -500 * std::int64_t{rounds});
}

TEST_CASE("signers and the offline issuer are used by several threads at once")
{
    SoftwareOperationSigner signer(seed(1));
    SoftwareCardRoot root(seed(2));
    OfflineIssuer nobody;
    in_threads(tills, [&](std::uint32_t i) {
        for (std::uint32_t n = 0; n < rounds; ++n) {
            const auto id = id_of<CardId>(i * 1000 + n);
            auto key = root.derive(id);
            if (!key) return false;
            SimulatedCard card(id, std::move(*key), Unit::from_code(978).value());
            const auto operation = card.make(Kind::top_up, 100, "T1");
            const auto signature = signer.sign(operation);
            if (!signature || !verify(FirstInstruction{operation, *signature}, signer.public_key()))
                return false;
            if (nobody.standing(id, std::nullopt)) return false;
        }
        return true;
    });
}
