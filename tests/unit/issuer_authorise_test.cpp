// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/terminal.hpp>
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
    issuer->settle(receipt, std::nullopt).value();

    const auto after = issuer->authorise(request).value();
    REQUIRE(after.progress == Progress::settled);
    REQUIRE(after.first == first);
    REQUIRE(after.receipt == receipt);
    REQUIRE(issuer->status(request.id).value().receipt == receipt);
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
        changed.kind = Kind::cash_out;
        changed.amount = Amount::minor_units(-100);
    }
    REQUIRE(refusal(issuer->authorise(changed)) == Errc::conflict);
    const auto second = card.request(Kind::transfer_out, -1, "shop");
    REQUIRE(refusal(issuer->authorise_transfer(request.id, second)) == Errc::conflict);
}

TEST_CASE("an unknown id has no status")
{
    TestIssuer issuer;
    REQUIRE(refusal(issuer->status(issuer.next_id())) == Errc::unknown_operation);
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
    REQUIRE(refusal(issuer.authorise(card, Kind::cash_out, 1)) == Errc::bad_amount);
    REQUIRE(refusal(issuer.authorise(card, Kind::block, 1)) == Errc::bad_amount);
    REQUIRE(refusal(issuer.authorise(card, Kind::set_limits)) == Errc::malformed);
    REQUIRE(refusal(issuer.authorise(card, Kind::block, 0, Limits{})) == Errc::malformed);
    REQUIRE(refusal(issuer.authorise(card, Kind::payment, -1)) == Errc::malformed);
    REQUIRE(refusal(issuer.authorise(card, Kind::transfer_in, 1)) == Errc::malformed);
    REQUIRE(!issuer->standing(card.id()).value().pending);
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
    REQUIRE(issuer->standing(card.id()).value().state == CardState::terminated);
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
    const auto standing = issuer->standing(card.id()).value();
    REQUIRE(standing.pending == first);
    REQUIRE(standing.voiding == voiding);
    REQUIRE(issuer->status(request.id).value().progress == Progress::pending);

    REQUIRE(issuer->settle(card.execute(voiding), std::nullopt).value().settled);

    REQUIRE(issuer->status(request.id).value().progress == Progress::voided);
    REQUIRE(!issuer->standing(card.id()).value().pending);
    REQUIRE(!issuer->standing(card.id()).value().voiding);
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
    REQUIRE(issuer->settle(card.execute(first), std::nullopt).value().settled);
    REQUIRE(issuer->status(request.id).value().progress == Progress::settled);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -100);
}

TEST_CASE("a void of a void is that void, and a denied card gets none")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto denied = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::cancel).value().first;
    REQUIRE(issuer->void_pending(card.id()).value() == first);
    issuer.authorise(denied, Kind::top_up, 1).value();
    issuer->deny(denied.id()).value();
    REQUIRE(issuer->void_pending(denied.id()).error().code == Errc::card_denied);
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
    REQUIRE(issuer->status(request.id).value().progress == Progress::voided);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);
    REQUIRE(first.operation.sequence == 2);
}

TEST_CASE("a transfer is signed after the card's signature verifies, for accounts that exist")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    auto second = card.request(Kind::transfer_out, -300, "savings");
    REQUIRE(refusal(issuer->authorise_transfer(issuer.next_id(), second)) == Errc::unknown_account);
    issuer->open_account(account_id("savings")).value();
    auto forged = second;
    forged.card_signature = other.request(Kind::transfer_out, -300, "savings").card_signature;
    REQUIRE(refusal(issuer->authorise_transfer(issuer.next_id(), forged)) == Errc::bad_signature);

    const auto id = issuer.next_id();
    const auto first = issuer->authorise_transfer(id, second).value().first;
    REQUIRE(first.operation == second.operation);
    REQUIRE(issuer->authorise_transfer(id, second).value().first == first);
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 0);
    issuer->settle(card.execute(first), std::nullopt).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 300);
}

TEST_CASE("a transfer for another sequence or unit is not signed")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer->open_account(account_id("savings")).value();
    auto late = card;
    late.pay(1, "shop");
    REQUIRE(refusal(issuer->authorise_transfer(issuer.next_id(),
                                               late.request(Kind::transfer_out, -1, "savings"))) ==
            Errc::unsettled);
    const auto early = card.request(Kind::transfer_out, -1, "savings");
    issuer.settle(card.pay(1, "shop")).value();
    REQUIRE(refusal(issuer->authorise_transfer(issuer.next_id(), early)) == Errc::wrong_sequence);
    SimulatedCard foreign(card.id(), SoftwareCardRoot(seed(2)).derive(card.id()).value(), Unit{});
    foreign.execute(foreign.make(Kind::cancel, 0));
    foreign.execute(foreign.make(Kind::cancel, 0));
    REQUIRE(refusal(issuer->authorise_transfer(
                issuer.next_id(), foreign.request(Kind::transfer_out, -1, "savings"))) ==
            Errc::wrong_unit);
}

TEST_CASE("a transfer in reserves the account's funds until the operation ends")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer->open_account(account_id("savings")).value();
    issuer.transfer(card, Kind::transfer_out, -300, "savings");
    const auto ask = [&](SimulatedCard& who, std::int64_t amount) {
        return issuer->authorise_transfer(issuer.next_id(),
                                          who.request(Kind::transfer_in, amount, "savings"));
    };
    REQUIRE(refusal(ask(card, 301)) == Errc::insufficient_funds);
    const auto first = ask(card, 200).value().first;
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 200);
    REQUIRE(refusal(ask(other, 101)) == Errc::insufficient_funds);
    const auto rest = ask(other, 100).value().first;

    issuer->settle(card.execute(first), std::nullopt).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 100);
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 100);
    issuer->settle(other.execute(issuer->void_pending(other.id()).value()), std::nullopt).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 100);
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 0);
    REQUIRE(rest.operation.sequence == 1);
}

TEST_CASE("I10: a credit implies a stored, verified third signature")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto second = card.request(Kind::transfer_out, -300,
                                     std::string(holder_account(card.id()).text()).c_str());
    const auto first = issuer->authorise_transfer(issuer.next_id(), second).value().first;
    const auto holder = std::string(holder_account(card.id()).text());
    REQUIRE(issuer.balance(AccountKind::associated, holder.c_str()) == 0);
    const auto index = issuer->settle(card.execute(first), std::nullopt).value().ledger_index;
    REQUIRE(issuer.balance(AccountKind::associated, holder.c_str()) == 300);
    REQUIRE(verify(issuer->record(index).value()->receipt, card.public_key()));
}

TEST_CASE("cash never overflows: what could is not signed")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    issuer.run(card, Kind::top_up, most - 5);
    REQUIRE(refusal(issuer.authorise(other, Kind::top_up, 6)) == Errc::bad_amount);
    const auto first = issuer.authorise(other, Kind::top_up, 5).value().first;
    auto third = issuer.make_card();
    REQUIRE(refusal(issuer.authorise(third, Kind::top_up, 1)) == Errc::bad_amount);
    issuer->settle(other.execute(first), std::nullopt).value();
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -most);
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("a card's operation key is replaced, and signs from then on")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto& keys = issuer.description().operation_keys;
    REQUIRE(refusal(issuer.authorise(card, Kind::replace_operation_key, 0, card.public_key())) ==
            Errc::file_missing);
    const auto first =
        issuer.authorise(card, Kind::replace_operation_key, 0, keys[1]).value().first;
    REQUIRE(verify(first, keys[0]));
    issuer->settle(card.execute(first), std::nullopt).value();
    const auto next = issuer.authorise(card, Kind::top_up, 10).value().first;
    REQUIRE(verify(next, keys[1]));
    issuer->settle(card.execute(next), std::nullopt).value();

    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    REQUIRE(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("I2: what the books and the cards differ by is the pending operations")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto first = issuer.authorise(card, Kind::top_up, 70).value().first;
    card.execute(first);  // the third instruction is lost
    const auto settled = issuer->standing(card.id()).value().balance;
    const auto pending = issuer->pending().value();
    REQUIRE(pending.size() == 1);
    REQUIRE(checked_add(settled, pending[0].operation.amount) == card.balance());
}

TEST_CASE("a card registered again as it was is the same card, until it is confirmed")
{
    TestIssuer issuer;
    const auto key = SoftwareCardRoot(seed(2)).derive(id_of<CardId>(9)).value();
    NewCard card{.card_id = id_of<CardId>(9),
                 .certificate = key.certificate,
                 .public_key = key.public_key,
                 .transport_key = Digest{}};
    REQUIRE(issuer->register_card(card));
    REQUIRE(issuer->register_card(card));
    auto other = card;
    other.transport_key = ed25519::sha256({});
    REQUIRE(issuer->register_card(other).error().code == Errc::conflict);
    other = card;
    other.card_id = id_of<CardId>(10);
    REQUIRE(issuer->register_card(other).error().code == Errc::conflict);
    issuer->confirm_card(card.card_id).value();
    REQUIRE(issuer->register_card(card).error().code == Errc::conflict);
    const auto holder = std::string(holder_account(card.card_id).text());
    REQUIRE(issuer->account({AccountKind::associated, account_id(holder)}).value().has_value());
}
