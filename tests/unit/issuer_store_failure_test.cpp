// SPDX-License-Identifier: Apache-2.0
// Every call of the store fails once, in every kind of business: it is answered with the store's
// error, nothing has happened, and the same request afterwards does what it would have done.
#include <catch2/catch.hpp>

#include "support/test_issuer.hpp"
#include "support/wrapped_store.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// An issuer, and its platform again over a store whose call number `fail_at` fails.
class FailingIssuer {
public:
    FailingIssuer()
    {
        issuer.open_account(account_id("shop")).value();
        issuer.close();
        auto store = issuer.store().open().value();
        platform_ = issuer
                        .open(std::make_unique<WrappedStore<>>(
                            std::move(store),
                            [this]() -> std::optional<Error> {
                                if (fail_at_ < 0 || calls_++ != fail_at_) return std::nullopt;
                                return Error{.code = Errc::store_failed, .where = "test"};
                            }))
                        .value();
    }
    Platform& operator*() { return *platform_; }
    Platform* operator->() { return platform_.get(); }

    SimulatedCard make_card()
    {
        SoftwareCardRoot root(seed(2));
        const auto id = id_of<CardId>(++cards_);
        SimulatedCard card(id, root.derive(id).value(), issuer.description().currency.unit);
        platform_
            ->register_card({.card_id = id,
                             .certificate = card.certificate(),
                             .public_key = card.public_key(),
                             .transport_key = sha256(id.bytes()),
                             .limits = issuer.limits,
                             .sealed = SealedPersonalisation(id.bytes())})
            .value();
        platform_->confirm_card(id).value();
        return card;
    }

    // `act(platform)` with each of its store's calls failing, and at last with none. Its answer.
    template <class Act>
    auto after_every_failure(Act&& act)
    {
        for (fail_at_ = 0;; ++fail_at_) {
            const auto before = state();
            calls_ = 0;
            auto answer = act(*platform_);
            const bool reached = calls_ > fail_at_;
            if (!reached) {
                fail_at_ = -1;
                ++sweeps;
                return answer;
            }
            CAPTURE(fail_at_);
            ++failures;
            REQUIRE(!answer);
            REQUIRE(answer.error().code == Errc::store_failed);
            REQUIRE(state() == before);
        }
    }

    TestIssuer issuer;
    int failures = 0, sweeps = 0;

private:
    // All that can be asked for, as text.
    std::string state()
    {
        const auto at = std::exchange(fail_at_, -1);
        std::string text;
        for (const auto& row : platform_->accounts().value())
            text += row.name.to_string() + " " + std::to_string(row.balance) + " " +
                    std::to_string(row.reserved) + " " + std::to_string(row.number) + "\n";
        for (const auto& row : platform_->cards().value())
            text += row.card_id.to_string() + " " + std::to_string(row.settled) + " " +
                    std::to_string(row.balance.to_minor_units()) + (row.denied ? " denied" : "") +
                    (row.lost_since ? " lost" : "") + std::to_string(row.recovered) + "\n";
        for (const auto& first : platform_->pending().value())
            text += first.operation.digest().to_string() + "\n";
        text += std::to_string(platform_->evidence().value().size()) + " " +
                platform_->ledger_head().value().root.to_string();
        fail_at_ = at;
        return text;
    }

    int fail_at_ = -1, calls_ = 0;
    std::uint32_t cards_ = 0;
    std::unique_ptr<Platform> platform_;
};

OperationRequest request(const SimulatedCard& card, std::uint32_t id, Kind kind, std::int64_t units,
                         Parameter parameter = {})
{
    return {.id = id_of<OperationId>(id),
            .card_id = card.id(),
            .kind = kind,
            .amount = Amount::minor_units(units),
            .parameter = parameter,
            .terminal = account_id("T1")};
}

}  // namespace

TEST_CASE("I3 I15: whichever call of the store fails, nothing has happened and all goes on",
          "[issuer][I3][I15]")
{
    FailingIssuer issuer;
    auto card = issuer.make_card();
    const auto authorise = [&](const OperationRequest& wanted) {
        return issuer.after_every_failure([&](Platform& p) { return p.authorise(wanted); }).value();
    };
    const auto settle = [&](const Receipt& receipt,
                            std::optional<ExecutedOperation> executed = {}) {
        return issuer.after_every_failure(
            [&](Platform& p) { return p.settle(submission(receipt, executed)); });
    };

    const auto top_up = request(card, 1, Kind::top_up, 5000);
    const auto first = authorise(top_up);
    REQUIRE(authorise(top_up).progress == Progress::pending);
    REQUIRE(
        issuer.after_every_failure([&](Platform& p) { return p.standing(card.id(), std::nullopt); })
            .value()
            .pending);
    const auto funded = card.execute(first.first);
    REQUIRE(settle(funded).value().settled);
    REQUIRE(settle(funded).value().ledger_index == 1);
    REQUIRE(authorise(top_up).progress == Progress::settled);

    struct Transfer {
        Kind kind;
        std::int64_t amount;
        const char* account;
    };
    std::uint32_t id = 2;
    for (const auto& [kind, amount, account] :
         {Transfer{Kind::cash_out, -100, "T1"}, Transfer{Kind::transfer_out, -300, "shop"},
          Transfer{Kind::transfer_in, 200, "shop"}}) {
        auto wanted = issuer.issuer.transfer_request(card.request(kind, amount, account));
        wanted.id = id_of<OperationId>(id++);
        const auto signed_one =
            issuer.after_every_failure([&](Platform& p) { return p.authorise_transfer(wanted); });
        REQUIRE(settle(card.execute(signed_one->first)).value().settled);
    }

    authorise(request(card, 5, Kind::top_up, 50));
    const auto cancel =
        issuer.after_every_failure([&](Platform& p) { return p.void_pending(card.id()); });
    REQUIRE(issuer.after_every_failure([&](Platform& p) { return p.void_pending(card.id()); })
                .value() == *cancel);
    REQUIRE(settle(card.execute(*cancel)).value().settled);
    REQUIRE(authorise(request(card, 5, Kind::top_up, 50)).progress == Progress::voided);
    const auto blocked = authorise(request(card, 6, Kind::block, 0));
    REQUIRE(settle(card.execute(blocked.first)).value().settled);
    const auto unblocked = authorise(request(card, 7, Kind::unblock, 0));
    REQUIRE(settle(card.execute(unblocked.first)).value().settled);

    auto clone = card;
    const auto missing = card.pay(10, "shop");
    const auto ahead = card.pay(20, "shop");
    clone.pay(1, "thief");
    const auto forged = clone.pay(2, "thief");
    REQUIRE(!settle(ahead.receipt, ahead.executed).value().settled);
    REQUIRE(settle(forged.receipt, forged.executed).error().code == Errc::evidence);
    REQUIRE(settle(missing.receipt, missing.executed).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 9);

    REQUIRE(issuer.failures > 150);
    REQUIRE(issuer.sweeps > 20);
}

TEST_CASE("I15 I21: whichever call of the store fails, no order has been executed and no gap made",
          "[issuer][I15][I21]")
{
    FailingIssuer issuer;
    auto card = issuer.make_card();
    const auto execute = [&](OrderKind kind, std::int64_t amount, const char* other) {
        const auto order = account_order(*issuer, issuer.issuer.description(), kind,
                                         account_id("shop"), amount, other);
        return issuer.after_every_failure([&](Platform& p) { return p.execute(order); });
    };
    const auto settle = [&](const Submission& submitted) {
        return issuer.after_every_failure([&](Platform& p) { return p.settle(submitted); });
    };
    const auto first = issuer->authorise(request(card, 1, Kind::top_up, 5000)).value().first;
    REQUIRE(settle(submission(card.execute(first))));
    REQUIRE(execute(OrderKind::pay_in, 900, "bank"));
    REQUIRE(execute(OrderKind::pay_out, -100, "bank"));
    REQUIRE(execute(OrderKind::replace_key, 0, nullptr));

    const auto missing = card.pay(10, "shop");
    REQUIRE(!settle(card.pay(20, "shop")).value().settled);
    issuer.issuer.clock += std::chrono::days(30);
    REQUIRE(issuer.after_every_failure([&](Platform& p) { return p.close_gaps(); }).value() == 1);
    REQUIRE(settle(missing).value().settled);
    REQUIRE(issuer.after_every_failure([&](Platform& p) { return p.declare_lost(card.id()); }));
    issuer.issuer.clock += std::chrono::days(30);
    REQUIRE(execute(OrderKind::recover, 4970, card.id().to_string().c_str()));
    REQUIRE(issuer->account_standing(account_id("shop"))->balance == 5800);
    REQUIRE(issuer.failures > 80);
    REQUIRE(issuer.sweeps == 9);
}

TEST_CASE("a proof whose store fails is no proof", "[issuer][ledger]")
{
    FailingIssuer issuer;
    auto card = issuer.make_card();
    for (std::uint32_t id = 1; id <= 7; ++id) {
        const auto first = issuer->authorise(request(card, id, Kind::top_up, id)).value().first;
        issuer->settle(submission(card.execute(first))).value();
        for (std::uint64_t index = 0; index < id; ++index) {
            const auto proof =
                issuer.after_every_failure([&](Platform& p) { return p.prove(index); });
            REQUIRE(proof);
        }
        for (std::uint64_t earlier = 1; earlier <= id; ++earlier)
            REQUIRE(issuer.after_every_failure(
                [&](Platform& p) { return p.prove_consistency(earlier); }));
    }
    REQUIRE(issuer.failures > 100);
}
