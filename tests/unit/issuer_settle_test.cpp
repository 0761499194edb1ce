// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "crypto/ed25519.hpp"
#include "protocol/wire.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// What must not change where a result is refused.
struct Snapshot {
    CardStanding standing;
    std::vector<std::int64_t> balances;
    merkle::Head ledger;

    static Snapshot of(TestIssuer& issuer, const SimulatedCard& card)
    {
        Snapshot snapshot{
            issuer->standing(card.id(), std::nullopt).value(), {}, issuer->ledger_head().value()};
        for (const auto& row : issuer->accounts().value()) {
            snapshot.balances.push_back(row.balance);
            snapshot.balances.push_back(row.reserved);
        }
        return snapshot;
    }
};

void require_nothing_but_denied(const Snapshot& before, const Snapshot& after)
{
    REQUIRE(after.standing.denied);
    REQUIRE(after.standing.settled == before.standing.settled);
    REQUIRE(after.standing.balance == before.standing.balance);
    REQUIRE(after.standing.state == before.standing.state);
    REQUIRE(after.standing.pending == before.standing.pending);
    REQUIRE(after.balances == before.balances);
    REQUIRE(after.ledger == before.ledger);
}

// The card's next result, right in everything until `change` is done to it.
template <class Change>
void require_evidence(EvidenceReason reason, Change&& change, bool is_revocable = false)
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto submission = card.pay(100, "shop");
    change(submission, card);
    const auto before = Snapshot::of(issuer, card);

    const auto answer = issuer.settle(submission);

    REQUIRE(!answer);
    REQUIRE(answer.error().code == Errc::evidence);
    require_nothing_but_denied(before, Snapshot::of(issuer, card));
    const auto evidence = issuer->evidence().value();
    REQUIRE(evidence.size() == 1);
    REQUIRE(evidence[0].reason == reason);
    REQUIRE(evidence[0].receipt == submission.receipt);
    REQUIRE(issuer.settle(submission).error().code == Errc::evidence);
    REQUIRE(issuer->evidence().value().size() == 1);
    const auto undenied = issuer->undeny(card.id());
    REQUIRE(undenied.has_value() == is_revocable);
    REQUIRE((is_revocable || undenied.error().code == Errc::evidence));
}

template <class Change>
auto result_with(Change change)
{
    return [change](Submission& submission, const SimulatedCard& card) {
        auto result = submission.receipt.result;
        change(result);
        submission.receipt = card.sign(result);
    };
}

}  // namespace

TEST_CASE("the same result again answers what it answered the first time")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 700).value().first;
    const auto receipt = card.execute(first);
    const auto once = issuer->settle(submission(receipt)).value();
    issuer.run(card, Kind::top_up, 1);
    issuer.reopen();

    const auto again = issuer->settle(submission(receipt)).value();

    REQUIRE(again.settled);
    REQUIRE(again.sequence == once.sequence);
    REQUIRE(again.balance == once.balance);
    REQUIRE(again.ledger_index == once.ledger_index);
    REQUIRE(issuer->ledger_head().value().size == 2);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -701);
}

TEST_CASE("a result of an unknown card is refused")
{
    TestIssuer issuer, other;
    auto card = other.make_card();
    other.make_card();
    auto stranger = other.make_card();
    issuer.make_card();
    REQUIRE(
        issuer->settle(submission(stranger.execute(stranger.make(Kind::cancel, 0)))).error().code ==
        Errc::unknown_card);
}

TEST_CASE("a result without the card's signature is refused and is no evidence")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto submission = card.pay(100, "shop");
    const auto before = Snapshot::of(issuer, card);
    submission.receipt.card_signature = other.sign(submission.receipt.result).card_signature;

    REQUIRE(issuer.settle(submission).error().code == Errc::bad_signature);

    REQUIRE(issuer->evidence().value().empty());
    const auto after = Snapshot::of(issuer, card);
    REQUIRE(!after.standing.denied);
    REQUIRE(after.ledger == before.ledger);
}

TEST_CASE("I12: any flipped bit in a third instruction is refused and changes nothing")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 700).value().first;
    const auto receipt = card.execute(first).encode();
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * receipt.size(); ++bit) {
        std::vector<std::uint8_t> bytes(receipt.bytes().begin(), receipt.bytes().end());
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
        const auto flipped = Receipt::decode(bytes);
        if (!flipped || !issuer->settle(submission(*flipped))) ++refused;
    }
    REQUIRE(refused == 8 * receipt.size());
    REQUIRE(issuer->ledger_head().value().size == 0);
    REQUIRE(issuer->evidence().value().empty());
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().denied);
}

TEST_CASE("a result whose operation is neither known nor delivered is no evidence")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto submission = card.pay(100, "shop");
    const auto payment = submission.executed;
    submission.executed.reset();
    REQUIRE(issuer.settle(submission).error().code == Errc::unknown_operation);
    submission.executed = ExecutedOperation{card.make(Kind::payment, -100, "shop"),
                                            std::nullopt};  // not the one of the result
    REQUIRE(issuer.settle(submission).error().code == Errc::unknown_operation);
    REQUIRE(issuer->evidence().value().empty());

    submission.executed = payment;
    REQUIRE(issuer.settle(submission).value().settled);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 100);
}

TEST_CASE("a result that breaks the card's chain is evidence")
{
    require_evidence(EvidenceReason::broken_chain,
                     result_with([](CardResult& result) { result.previous_result = Digest{}; }));
}

TEST_CASE("a balance that does not follow is evidence")
{
    require_evidence(EvidenceReason::wrong_balance, result_with([](CardResult& result) {
                         result.balance = Balance::minor_units(4901);
                     }));
}

TEST_CASE("a state that does not follow is evidence")
{
    require_evidence(EvidenceReason::wrong_state,
                     result_with([](CardResult& result) { result.state = CardState::blocked; }));
}

TEST_CASE("an operation of a kind that only the issuer signs, and did not sign, is evidence")
{
    const auto signature = GENERATE(std::optional<Signature>(), std::optional(Signature()));
    const auto as_transfer = [&](Submission& submission, auto& card) {
        auto operation = submission.executed->operation;
        operation.kind = Kind::transfer_out;
        auto result = submission.receipt.result;
        result.operation = operation.digest();
        submission.receipt = card.sign(result);
        submission.executed = ExecutedOperation{operation, signature};
    };
    // It rests on the store's memory alone, since the card does not sign the issuer's signature.
    require_evidence(EvidenceReason::foreign_operation, as_transfer, true);
}

namespace {

// What a platform signed and answered, and forgot: its store was put back to what it was before.
ExecutedOperation forgotten(TestIssuer& issuer, SimulatedCard& card, Kind kind, std::int64_t amount,
                            Parameter parameter = {})
{
    const auto first = issuer.authorise(card, kind, amount, parameter).value().first;
    issuer.close();
    issuer.store().run("DELETE FROM operations WHERE signed_as = 0 AND sequence = " +
                       std::to_string(first.operation.sequence));
    issuer.store().run("UPDATE accounts SET reserved = 0");
    issuer.store().run("UPDATE issued SET high = 0, low = 0");
    issuer.reopen();
    return {first.operation, first.issuer_signature};
}

}  // namespace

TEST_CASE("an operation with our own signature that the store forgot settles, and accuses nobody")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto executed = forgotten(issuer, card, Kind::top_up, 300);
    const auto receipt = card.execute(executed.operation);
    REQUIRE(issuer->settle(submission(receipt)).error().code == Errc::unknown_operation);
    REQUIRE(issuer->restored().value() == 0);

    const auto settled = issuer->settle(submission(receipt, executed)).value();
    REQUIRE(settled.settled);
    REQUIRE(settled.restored);
    REQUIRE(issuer->evidence().value().empty());
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().denied);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().balance ==
            Balance::minor_units(5300));
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -5300);
    REQUIRE(issuer->restored().value() == 1);
    REQUIRE(issuer->settle(submission(receipt, executed)).value().settled);
    REQUIRE(issuer->restored().value() == 1);
    REQUIRE(issuer.sum_of_books() == 0);
    issuer.run(card, Kind::top_up, 1);
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    REQUIRE(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("a forgotten operation ends another one that was signed in its place")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto executed = forgotten(issuer, card, Kind::top_up, 300);
    const auto request = issuer.request(card, Kind::top_up, 20);
    issuer->authorise(request).value();
    issuer->void_pending(card.id()).value();
    const auto receipt = card.execute(executed.operation);
    REQUIRE(issuer->settle(submission(receipt, executed)).value().restored);
    REQUIRE(issuer->authorise(request).value().progress == Progress::voided);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);
    REQUIRE(issuer->evidence().value().empty());
}

TEST_CASE("a forgotten operation that comes ahead of its turn is kept, and settles in it")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto executed = forgotten(issuer, card, Kind::replace_operation_key, 0,
                                    issuer.description().operation_keys[1]);
    auto apart = card;
    const auto missing = apart.execute(executed.operation);
    const auto payment = apart.pay(10, "shop");
    REQUIRE(!issuer.settle(payment).value().settled);
    REQUIRE(issuer->settle(submission(missing, executed)).value().restored);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 3);
    REQUIRE(issuer->card(card.id()).value()->operation_key ==
            issuer.description().operation_keys[1]);
    REQUIRE(issuer->evidence().value().empty());
}

TEST_CASE("a forgotten operation that does not continue the card's chain is no evidence either")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto executed = forgotten(issuer, card, Kind::top_up, 300);
    auto result = card.execute(executed.operation).result;
    result.balance = Balance::minor_units(9999);
    REQUIRE(issuer->settle(submission(card.sign(result), executed)).error().code ==
            Errc::unsettled);
    REQUIRE(issuer->evidence().value().empty());
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().denied);
}

TEST_CASE("a signature under a key that the card does not have is none of ours")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto operation = card.make(Kind::top_up, 300, "T1");
    const auto other = ed25519::sign(seed(4), wire::domain::operation, operation.encode());
    const auto receipt = card.execute(operation);
    REQUIRE(issuer->settle(submission(receipt, ExecutedOperation{operation, other})).error().code ==
            Errc::evidence);
}

TEST_CASE("a payment of another sequence, card or unit is evidence")
{
    const auto with = [](auto change) {
        return [change](Submission& submission, const SimulatedCard& card) {
            change(submission.executed->operation);
            auto result = submission.receipt.result;
            result.operation = submission.executed->operation.digest();
            submission.receipt = card.sign(result);
        };
    };
    SECTION("sequence")
    {
        require_evidence(EvidenceReason::foreign_operation,
                         with([](Operation& operation) { ++operation.sequence; }));
    }
    SECTION("card")
    {
        require_evidence(EvidenceReason::foreign_operation,
                         with([](Operation& operation) { operation.card_id = CardId{}; }));
    }
    SECTION("unit")
    {
        require_evidence(EvidenceReason::foreign_operation,
                         with([](Operation& operation) { operation.unit = Unit{}; }));
    }
}

TEST_CASE("I14: another result for a settled sequence is kept as evidence and denies the card")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto clone = card;
    issuer.settle(card.pay(100, "shop")).value();
    const auto before = Snapshot::of(issuer, card);
    const auto second = clone.pay(200, "shop");

    REQUIRE(issuer.settle(second).error().code == Errc::evidence);

    require_nothing_but_denied(before, Snapshot::of(issuer, card));
    REQUIRE(issuer->evidence().value().at(0).reason == EvidenceReason::second_result);
    REQUIRE(issuer.authorise(card, Kind::top_up, 1).error().code == Errc::card_denied);
    issuer.reopen();
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().denied);
}

TEST_CASE("a denied card's results still settle where they continue its chain")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer->deny(card.id()).value();
    REQUIRE(issuer.settle(card.pay(100, "shop")).value().settled);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 100);
    issuer->undeny(card.id()).value();
    REQUIRE(issuer.authorise(card, Kind::top_up, 1));
}
