// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/verify.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

Errc refusal(const Result<OperationStatus>& answer)
{
    REQUIRE(!answer);
    return answer.error().code;
}

}  // namespace

TEST_CASE("the first instruction is signed with the operation key for the card's next sequence")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto status = issuer.authorise(card, Kind::top_up, 100).value();
    REQUIRE(verify(status.first, issuer.description().operation_keys[0]));
    REQUIRE(status.first.operation.sequence == 1);
    REQUIRE(status.first.operation.card_id == card.id());
    REQUIRE(status.first.operation.unit == issuer.description().currency.unit);
    REQUIRE(status.first.operation.nonce != Nonce{});
}

TEST_CASE("I6: asking twice with one id is asking once, before and after it has ended")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 100);
    const auto first = issuer->authorise(request).value().first;
    REQUIRE(issuer->authorise(request).value().first == first);
    issuer.reopen();
    REQUIRE(issuer->authorise(request).value().first == first);
    const auto receipt = card.execute(first);
    issuer->settle(submission(receipt)).value();

    const auto after = issuer->authorise(request).value();
    REQUIRE(after.progress == Progress::settled);
    REQUIRE(after.first == first);
    REQUIRE(after.receipt == receipt);
    REQUIRE(issuer->status(request.id, std::nullopt).value().receipt == receipt);
}

TEST_CASE("an id that was used for something else is a conflict")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 100);
    issuer->authorise(request).value();
    auto changed = request;
    SECTION("amount")
    {
        changed.amount = Amount::minor_units(101);
    }
    SECTION("card")
    {
        changed.card_id = other.id();
    }
    SECTION("terminal")
    {
        changed.terminal = account_id("T2");
    }
    SECTION("kind")
    {
        changed.kind = Kind::block;
        changed.amount = {};
    }
    REQUIRE(refusal(issuer->authorise(changed)) == Errc::conflict);
    const auto second = card.request(Kind::transfer_out, -1, "shop");
    REQUIRE(refusal(issuer->authorise_transfer(
                {.id = request.id, .second = second, .terminal = account_id("T1")})) ==
            Errc::conflict);
}

TEST_CASE("an unknown id has no status")
{
    TestIssuer issuer;
    REQUIRE(refusal(issuer->status(issuer.next_id(), std::nullopt)) == Errc::unknown_operation);
}

TEST_CASE("nothing is signed for a card that is not known, or denied")
{
    TestIssuer issuer, other;
    auto card = issuer.make_card();
    other.make_card();
    REQUIRE(refusal(issuer.authorise(other.make_card(), Kind::top_up, 1)) == Errc::unknown_card);
    issuer->deny(card.id()).value();
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 1)) == Errc::card_denied);
    REQUIRE(issuer->deny(id_of<CardId>(77)).error().code == Errc::unknown_card);
}

TEST_CASE("an amount has the sign of its kind, and an administrative kind its parameter")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 0)) == Errc::bad_amount);
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, -1)) == Errc::bad_amount);
    REQUIRE(refusal(issuer.authorise(card, Kind::block, 1)) == Errc::bad_amount);
    REQUIRE(refusal(issuer.authorise(card, Kind::set_limits)) == Errc::malformed);
    REQUIRE(refusal(issuer.authorise(card, Kind::block, 0, Limits{})) == Errc::malformed);
    REQUIRE(refusal(issuer.authorise(card, Kind::payment, -1)) == Errc::malformed);
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().pending);
}

TEST_CASE("no debit and no transfer is signed on a terminal's word alone: the card asks for it")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    for (const auto kind : {Kind::cash_out, Kind::transfer_in, Kind::transfer_out}) {
        const auto amount = is_credit(kind) ? 1 : -1;
        REQUIRE(refusal(issuer->authorise(issuer.request(card, kind, amount))) ==
                Errc::no_such_request);
    }
    const auto mine = card.request(Kind::cash_out, -100, "T1");
    REQUIRE(refusal(issuer->authorise_transfer(issuer.transfer_request(mine, "T2"))) ==
            Errc::not_permitted);
    auto forged = mine;
    forged.operation.account = account_id("T2");
    REQUIRE(refusal(issuer->authorise_transfer(issuer.transfer_request(forged, "T2"))) ==
            Errc::bad_signature);
    const auto first = issuer->authorise_transfer(issuer.transfer_request(mine)).value().first;
    issuer->settle(submission(card.execute(first))).value();
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -400);
    REQUIRE(issuer.balance(AccountKind::cash, "T2") == 0);
}

TEST_CASE("a pending debit is shown to the terminal that asked for it alone")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    issuer.open_account(account_id("shop")).value();
    const auto account = GENERATE("T1", "shop");
    const auto kind = std::string_view(account) == "T1" ? Kind::cash_out : Kind::transfer_out;
    const auto asked = issuer.transfer_request(card.request(kind, -100, account));
    const auto first = issuer->authorise_transfer(asked).value().first;

    const auto own = issuer->standing(card.id(), account_id("T1")).value();
    REQUIRE(own.pending == first);
    REQUIRE(!own.withheld);
    REQUIRE(issuer->status(asked.id, account_id("T1")).value().first == first);
    for (const auto& other : {std::optional(account_id("T2")), std::optional<AccountId>()}) {
        const auto seen = issuer->standing(card.id(), other).value();
        REQUIRE(!seen.pending);
        REQUIRE(seen.withheld);
        REQUIRE(seen.is_pending());
        REQUIRE(refusal(issuer->status(asked.id, other)) == Errc::not_permitted);
    }
    auto taken = asked;
    taken.terminal = account_id("T2");
    const auto refused = refusal(issuer->authorise_transfer(taken));
    REQUIRE(refused == (kind == Kind::cash_out ? Errc::not_permitted : Errc::conflict));

    issuer->settle(submission(card.execute(first))).value();
    REQUIRE(issuer->status(asked.id, account_id("T2")).value().progress == Progress::settled);
}

TEST_CASE("what is pending and no debit is shown to every terminal")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 500).value().first;
    REQUIRE(issuer->standing(card.id(), account_id("T2")).value().pending == first);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().pending == first);
}

TEST_CASE("what the card would refuse by its limits and its balance is not signed")
{
    TestIssuer issuer;
    issuer.limits.maximum_balance = Balance::minor_units(1000);
    issuer.limits.maximum_amount = Balance::minor_units(700);
    auto card = issuer.make_card();
    issuer.open_account(account_id("T1")).value();
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 701)) == Errc::amount_limit);
    issuer.run(card, Kind::top_up, 700);
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 301)) == Errc::balance_limit);
    REQUIRE(refusal(issuer.authorise(card, Kind::cash_out, -701)) == Errc::amount_limit);
    issuer.run(card, Kind::cash_out, -100);
    REQUIRE(refusal(issuer.authorise(card, Kind::cash_out, -601)) == Errc::balance_too_low);
    REQUIRE(refusal(issuer.authorise(card, Kind::transfer_out, -601)) == Errc::balance_too_low);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);

    auto wider = issuer.limits;
    wider.maximum_balance = Balance::minor_units(2000);
    issuer.run(card, Kind::set_limits, 0, wider);
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 701)) == Errc::amount_limit);
    issuer.run(card, Kind::top_up, 700);
    REQUIRE(issuer->card(card.id()).value()->limits == wider);
}

TEST_CASE("only what the card's state admits is signed")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    REQUIRE(refusal(issuer.authorise(card, Kind::unblock)) == Errc::card_state);
    issuer.run(card, Kind::block);
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 1)) == Errc::card_state);
    issuer.run(card, Kind::unblock);
    issuer.run(card, Kind::terminate);
    REQUIRE(refusal(issuer.authorise(card, Kind::cancel)) == Errc::card_state);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().state == CardState::terminated);
}

TEST_CASE("at most one operation is pending for a card")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.authorise(card, Kind::top_up, 100).value();
    REQUIRE(refusal(issuer.authorise(card, Kind::top_up, 100)) == Errc::operation_pending);
    REQUIRE(refusal(issuer.authorise(card, Kind::cancel)) == Errc::operation_pending);
    REQUIRE(issuer.authorise(other, Kind::top_up, 100));
    REQUIRE(issuer->pending().value().size() == 2);
}

TEST_CASE("a void is signed beside what is pending, and ends it when its result settles")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 100);
    const auto first = issuer->authorise(request).value().first;
    const auto voiding = issuer->void_pending(card.id()).value();
    REQUIRE(voiding.operation.kind == Kind::cancel);
    REQUIRE(voiding.operation.sequence == first.operation.sequence);
    REQUIRE(issuer->void_pending(card.id()).value() == voiding);
    const auto standing = issuer->standing(card.id(), std::nullopt).value();
    REQUIRE(standing.pending == first);
    REQUIRE(standing.voiding == voiding);
    REQUIRE(issuer->status(request.id, std::nullopt).value().progress == Progress::pending);

    REQUIRE(issuer->settle(submission(card.execute(voiding))).value().settled);

    REQUIRE(issuer->status(request.id, std::nullopt).value().progress == Progress::voided);
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().pending);
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().voiding);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == 0);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);
    REQUIRE(issuer->void_pending(card.id()).error().code == Errc::unknown_operation);
    REQUIRE(issuer.authorise(card, Kind::top_up, 1));
}

TEST_CASE("a pending operation that has been voided may still be the one that executes")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 100);
    const auto first = issuer->authorise(request).value().first;
    issuer->void_pending(card.id()).value();
    REQUIRE(issuer->settle(submission(card.execute(first))).value().settled);
    REQUIRE(issuer->status(request.id, std::nullopt).value().progress == Progress::settled);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -100);
}

TEST_CASE("a void of a void is that void, and a denied card gets one for what is pending")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto denied = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::cancel).value().first;
    REQUIRE(issuer->void_pending(card.id()).value() == first);
    const auto top_up = issuer.request(denied, Kind::top_up, 1);
    REQUIRE(issuer->authorise(top_up));
    issuer->deny(denied.id()).value();
    const auto cancel = issuer->void_pending(denied.id()).value();
    REQUIRE(issuer->settle(submission(denied.execute(cancel))).value().settled);
    REQUIRE(issuer->status(top_up.id, std::nullopt).value().progress == Progress::voided);
    REQUIRE(issuer->void_pending(denied.id()).error().code == Errc::unknown_operation);
}

TEST_CASE("an offline payment that takes the sequence ends what was pending")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto request = issuer.request(card, Kind::top_up, 100);
    const auto first = issuer->authorise(request).value().first;
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 100);
    REQUIRE(issuer.settle(card.pay(10, "shop")).value().settled);
    REQUIRE(issuer->status(request.id, std::nullopt).value().progress == Progress::voided);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);
    REQUIRE(first.operation.sequence == 2);
}
