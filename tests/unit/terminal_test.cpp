// SPDX-License-Identifier: Apache-2.0
// Whole operations when nothing breaks: what they do, and that asking twice is asking once.
#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));

Amount cents(std::int64_t n)
{
    return Amount::minor_units(n);
}

const Applied& applied(const Outcome& outcome)
{
    if (const auto* refused = std::get_if<NotApplied>(&outcome)) FAIL(refused->reason.message());
    if (const auto* doubt = std::get_if<InDoubt>(&outcome)) FAIL(doubt->reason.message());
    return *std::get_if<Applied>(&outcome);
}

Errc refusal(const Outcome& outcome)
{
    REQUIRE(std::holds_alternative<NotApplied>(outcome));
    CHECK(std::get_if<NotApplied>(&outcome)->reason.effect == Effect::none);
    return std::get_if<NotApplied>(&outcome)->reason.code;
}

}  // namespace

TEST_CASE("every operation moves what it says, under T=1 and T=0", "[terminal]")
{
    for (const auto protocol : {TransmissionProtocol::t1, TransmissionProtocol::t0}) {
        TerminalWorld world;
        auto seat = world.funded_seat(protocol);
        auto& terminal = world.terminal;
        REQUIRE(world.issuer.open_account(shop));
        const auto pin = TerminalWorld::pin();

        applied(terminal.cash_out(*seat, world.next_id(), cents(60'00), &pin));
        CHECK(world.balance(seat) == 40'00);
        applied(terminal.transfer_out(*seat, world.next_id(), cents(5'00), shop));
        CHECK(world.account(shop) == 5'00);
        auto owner = test::account_owner();
        applied(terminal.transfer_in(*seat, world.next_id(), cents(2'00), shop, &owner));
        CHECK(world.account(shop) == 3'00);
        const auto paid = applied(terminal.pay(*seat, world.next_id(), cents(1'00), shop));
        CHECK_FALSE(paid.settlement);
        CHECK(world.balance(seat) == 37'00);
        REQUIRE(terminal.settle(paid.operation, paid.receipt));
        CHECK(world.balance(seat) == 36'00);
        CHECK(world.account(shop) == 4'00);
        CHECK(world.on_card(seat) == 36'00);
        CHECK(terminal.history(*seat).value().size() == 5);
        CHECK(world.sum_of_books() == 0);
    }
}

TEST_CASE("asking twice with one id is asking once", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    REQUIRE(world.issuer.open_account(shop));
    const auto id = world.next_id();
    const auto first = applied(world.terminal.top_up(*seat, id, cents(7'00)));
    const auto again = applied(world.terminal.top_up(*seat, id, cents(7'00)));
    CHECK(again.receipt == first.receipt);
    CHECK(world.on_card(seat) == TerminalWorld::start + 7'00);

    const auto out = world.next_id();
    applied(world.terminal.transfer_out(*seat, out, cents(3'00), shop));
    applied(world.terminal.transfer_out(*seat, out, cents(3'00), shop));
    CHECK(world.account(shop) == 3'00);

    const auto payment = world.next_id();
    applied(world.terminal.pay(*seat, payment, cents(1'00), shop));
    applied(world.terminal.top_up(*seat, world.next_id(), cents(1'00)));
    applied(world.terminal.pay(*seat, payment, cents(1'00), shop, nullptr, Asked::again));
    CHECK(world.on_card(seat) == TerminalWorld::start + 4'00);
}

TEST_CASE("an id names one operation only", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    applied(world.terminal.top_up(*seat, id, cents(7'00)));
    CHECK(refusal(world.terminal.top_up(*seat, id, cents(8'00))) == Errc::conflict);
    CHECK(refusal(world.terminal.cash_out(*seat, id, cents(7'00))) == Errc::conflict);
    applied(world.terminal.pay(*seat, world.next_id(), cents(1'00), shop));
    const auto paid = world.next_id();
    applied(world.terminal.pay(*seat, paid, cents(1'00), shop));
    CHECK(refusal(world.terminal.pay(*seat, paid, cents(2'00), shop, nullptr, Asked::again)) ==
          Errc::conflict);
}

TEST_CASE("what the card would refuse is refused before anything is signed", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    auto& terminal = world.terminal;
    const auto wrong_pin = TerminalWorld::pin("4712");
    const auto pin = TerminalWorld::pin();
    CHECK(refusal(terminal.top_up(*seat, world.next_id(), cents(0))) == Errc::bad_amount);
    CHECK(refusal(terminal.top_up(*seat, world.next_id(), cents(-1))) == Errc::bad_amount);
    CHECK(refusal(terminal.pay(*seat, world.next_id(), cents(0), shop)) == Errc::bad_amount);
    CHECK(refusal(terminal.top_up(*seat, world.next_id(), cents(200'01))) == Errc::amount_limit);
    CHECK(refusal(terminal.cash_out(*seat, world.next_id(), cents(60'00))) == Errc::pin_needed);
    CHECK(refusal(terminal.cash_out(*seat, world.next_id(), cents(60'00), &wrong_pin)) ==
          Errc::wrong_pin);
    CHECK(refusal(terminal.cash_out(*seat, world.next_id(), cents(100'01), &pin)) ==
          Errc::balance_too_low);
    CHECK(refusal(terminal.transfer_out(*seat, world.next_id(), cents(1'00),
                                        test::account_id("nobody"))) == Errc::unknown_account);
    REQUIRE(world.issuer.open_account(shop));
    auto owner = test::account_owner();
    CHECK(refusal(terminal.transfer_in(*seat, world.next_id(), cents(1'00), shop, &owner)) ==
          Errc::insufficient_funds);
    CHECK_FALSE(world.issuer->standing(seat.card_id, std::nullopt).value().pending);
    CHECK((*seat).exchanges_of(0x32) == 0);  // no EXECUTE, so no void either
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("I19: a card gets nothing out of a shop's account without the shop's word",
          "[terminal][I19]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    REQUIRE(world.issuer.open_account(shop));
    applied(world.terminal.transfer_out(*seat, world.next_id(), cents(30'00), shop));
    const auto take = [&](AccountSigner* owner) {
        return world.terminal.transfer_in(*seat, world.next_id(), cents(30'00), shop, owner);
    };
    SoftwareAccountSigner thief(test::seed(66));
    CHECK(refusal(take(nullptr)) == Errc::consent_needed);
    CHECK(refusal(take(&thief)) == Errc::bad_signature);
    CHECK_FALSE(world.issuer->standing(seat.card_id, std::nullopt).value().pending);
    CHECK(world.account(shop) == 30'00);
    auto owner = test::account_owner();
    applied(take(&owner));
    CHECK(world.account(shop) == 0);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a shop gives a payment back, to that card or to another, and no more than it was",
          "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat(), other = world.funded_seat();
    auto& terminal = world.terminal;
    REQUIRE(world.issuer.open_account(shop));
    const auto paid = applied(terminal.pay(*seat, world.next_id(), cents(12'00), shop));
    const PaymentName payment{seat.card_id, paid.operation.sequence};
    auto owner = test::account_owner();
    const auto give_back = [&](TerminalWorld::Seat& to, const OperationId& id,
                               std::int64_t amount) {
        return terminal.refund(*to, id, cents(amount), shop, owner, payment);
    };
    // Of what is not settled yet nobody knows what it was.
    CHECK(refusal(give_back(other, world.next_id(), 12'00)) == Errc::unknown_operation);
    REQUIRE(terminal.settle(paid.operation, paid.receipt));
    CHECK(refusal(give_back(seat, world.next_id(), 12'01)) == Errc::refund_limit);
    const auto id = world.next_id();
    applied(give_back(seat, id, 5'00));
    applied(give_back(seat, id, 5'00));  // asked for again, done once
    applied(give_back(other, world.next_id(), 7'00));
    CHECK(refusal(give_back(other, world.next_id(), 1)) == Errc::refund_limit);
    CHECK(world.account(shop) == 0);
    CHECK(world.on_card(seat) == TerminalWorld::start - 7'00);
    CHECK(world.on_card(other) == TerminalWorld::start + 7'00);
    CHECK(world.sum_of_books() == 0);
}

TEST_CASE("a mistyped PIN costs one try and leaves what is pending as it is", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    const auto pin = TerminalWorld::pin();
    const auto wrong_pin = TerminalWorld::pin("4712");
    (*seat).restart({Fault::remove_before(0).of(0x32)});
    CHECK(std::holds_alternative<InDoubt>(world.terminal.cash_out(*seat, id, cents(60'00), &pin)));
    (*seat).restart();
    (*seat).insert();

    const auto mistyped = world.terminal.cash_out(*seat, id, cents(60'00), &wrong_pin);
    REQUIRE(std::holds_alternative<InDoubt>(mistyped));
    CHECK(std::get<InDoubt>(mistyped).reason.code == Errc::wrong_pin);
    CHECK((*seat).exchanges_of(0x20) == 1);
    CHECK(world.issuer->status(id, test::account_id("till-1")).value().progress ==
          Progress::pending);
    applied(world.terminal.cash_out(*seat, id, cents(60'00), &pin));
    CHECK(world.on_card(seat) == 40'00);
}

TEST_CASE("a debit that another terminal asked for is voided, never delivered", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    REQUIRE(world.issuer.open_account(test::account_id("SHOP-1")));
    Terminal other(world.access.client(), {.card_root = world.root.public_key(),
                                           .name = test::account_id("till-2"),
                                           .observer = nullptr});
    const auto id = world.next_id();
    const auto ask = [&](Terminal& terminal) {
        return terminal.transfer_out(*seat, id, cents(3'00), test::account_id("SHOP-1"));
    };
    (*seat).restart({Fault::remove_before(0).of(0x32)});
    CHECK(std::holds_alternative<InDoubt>(ask(world.terminal)));
    (*seat).restart();
    (*seat).insert();
    SECTION("by resolve")
    {
        const auto resolved = other.resolve(*seat).value();
        CHECK(resolved.voided == 1);
        CHECK(resolved.of_another_terminal);
    }
    SECTION("by an operation of its own")
    {
        applied(other.top_up(*seat, world.next_id(), cents(1'00)));
        applied(other.cash_out(*seat, world.next_id(), cents(1'00)));
    }
    CHECK(refusal(ask(world.terminal)) == Errc::operation_ended);
    CHECK(world.account(test::account_id("SHOP-1")) == 0);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a terminal delivers its own debit at the next contact", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    (*seat).restart({Fault::remove_before(0).of(0x32)});
    CHECK(std::holds_alternative<InDoubt>(world.terminal.cash_out(*seat, id, cents(3'00))));
    (*seat).restart();
    (*seat).insert();
    const auto resolved = world.terminal.resolve(*seat).value();
    CHECK(resolved.delivered == 1);
    CHECK(!resolved.of_another_terminal);
    applied(world.terminal.cash_out(*seat, id, cents(3'00)));
    CHECK(world.on_card(seat) == TerminalWorld::start - 3'00);
}

TEST_CASE("a debit that the terminal's journal does not have is voided", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    test::TemporaryFolder folder;
    const auto journal = OperationJournal::open(folder.file("journal")).value();
    (*seat).restart({Fault::remove_before(0).of(0x32)});
    const auto id = world.next_id();
    CHECK(std::holds_alternative<InDoubt>(world.terminal.cash_out(*seat, id, cents(3'00))));
    (*seat).restart();
    (*seat).insert();
    Terminal forgetful(world.access.client(), {.card_root = world.root.public_key(),
                                               .name = test::account_id("till-1"),
                                               .observer = nullptr,
                                               .journal = journal.get()});
    CHECK(forgetful.resolve(*seat).value().voided == 1);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a forgotten PIN is opened by the issuer, and set by its holder", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto old_pin = TerminalWorld::pin(), new_pin = TerminalWorld::pin("080815");
    CHECK(world.terminal.set_pin(*seat, new_pin).error().code == Errc::not_in_this_state);
    applied(world.terminal.administer(*seat, world.next_id(), Kind::open_pin));
    CHECK(world.terminal.change_pin(*seat, old_pin, new_pin).error().code == Errc::no_pin);
    REQUIRE(world.terminal.set_pin(*seat, new_pin));
    CHECK(world.terminal.state(*seat, &new_pin));
    applied(world.terminal.cash_out(*seat, world.next_id(), cents(60'00), &new_pin));
}

TEST_CASE("from card to card the receiver proves itself before anything moves", "[terminal]")
{
    TerminalWorld world;
    auto from = world.funded_seat();
    auto to = world.funded_seat(TransmissionProtocol::t1, true);
    const auto pin = TerminalWorld::pin();
    const auto id = world.next_id();
    const auto move = [&](const HolderPin& receiver_pin, const std::optional<CardId>& receiver) {
        return world.terminal.card_to_card(*from, *to, id, cents(5'00), {}, receiver_pin, receiver);
    };
    CHECK(refusal(move({}, {}).out) == Errc::pin_needed);  // its balance is private
    CHECK(refusal(move(&pin, from.card_id).out) == Errc::wrong_card);
    (*to).restart({Fault::only_status(0, 0x6985).of(0x88)});  // it cannot prove itself
    CHECK(refusal(move(&pin, {}).out) == Errc::not_in_this_state);
    CHECK(world.on_card(from) == TerminalWorld::start);
    (*to).restart();
    const auto both = move(&pin, to.card_id);
    applied(both.out);
    applied(*both.in);
    CHECK(world.on_card(from) == TerminalWorld::start - 5'00);
}

TEST_CASE("what is pending for a denied card is voided, not delivered", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    REQUIRE(world.issuer->authorise({.id = id,
                                     .card_id = seat.card_id,
                                     .kind = Kind::top_up,
                                     .amount = cents(3'00),
                                     .parameter = {},
                                     .terminal = test::account_id("till-1")}));
    REQUIRE(world.issuer->deny(seat.card_id));
    CHECK(world.terminal.resolve(*seat).value().voided == 1);
    CHECK(refusal(world.terminal.top_up(*seat, id, cents(3'00))) == Errc::operation_ended);
    CHECK(refusal(world.terminal.top_up(*seat, world.next_id(), cents(1))) == Errc::card_denied);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("another issuer's card is refused before value moves", "[terminal]")
{
    TerminalWorld ours, theirs;
    auto seat = theirs.funded_seat();
    const auto other_root = SoftwareCardRoot(test::seed(77)).public_key();
    Terminal terminal(
        ours.access.client(),
        {.card_root = other_root, .name = test::account_id("till-1"), .observer = nullptr});
    CHECK(refusal(terminal.pay(*seat, ours.next_id(), cents(1'00), shop)) == Errc::foreign_card);
    CHECK(refusal(terminal.top_up(*seat, ours.next_id(), cents(1'00))) == Errc::unknown_card);
    CHECK(theirs.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a blocked card moves nothing until it is unblocked", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    auto& terminal = world.terminal;
    applied(terminal.administer(*seat, world.next_id(), Kind::block));
    CHECK(refusal(terminal.top_up(*seat, world.next_id(), cents(1'00))) == Errc::card_state);
    CHECK(refusal(terminal.pay(*seat, world.next_id(), cents(1'00), shop)) ==
          Errc::not_in_this_state);
    applied(terminal.administer(*seat, world.next_id(), Kind::unblock));
    applied(terminal.pay(*seat, world.next_id(), cents(1'00), shop));
    const Limits none{};
    applied(terminal.administer(*seat, world.next_id(), Kind::set_limits, none));
    CHECK(refusal(terminal.top_up(*seat, world.next_id(), cents(1))) == Errc::amount_limit);
    applied(terminal.administer(*seat, world.next_id(), Kind::terminate));
    CHECK(refusal(terminal.administer(*seat, world.next_id(), Kind::unblock)) == Errc::card_state);
}

TEST_CASE("card to card passes through the holder's account and continues where it broke",
          "[terminal]")
{
    TerminalWorld world;
    auto from = world.funded_seat();
    auto to = world.funded_seat();
    const auto id = world.next_id();
    (*to).restart({Fault::remove_before(0).of(0x30)});  // the second card leaves at its REQUEST

    auto both = world.terminal.card_to_card(*from, *to, id, cents(5'00));
    applied(both.out);
    REQUIRE(both.in);
    CHECK_FALSE(std::holds_alternative<Applied>(*both.in));
    CHECK(world.account(holder_account(to.card_id)) == 5'00);
    both = world.terminal.card_to_card(*from, *to, id, cents(5'00));  // it is still away
    applied(both.out);
    REQUIRE(both.in);
    CHECK(std::holds_alternative<InDoubt>(*both.in));

    (*to).insert();
    both = world.terminal.card_to_card(*from, *to, id, cents(5'00));
    applied(both.out);
    applied(*both.in);
    CHECK(world.on_card(from) == TerminalWorld::start - 5'00);
    CHECK(world.on_card(to) == TerminalWorld::start + 5'00);
    CHECK(world.account(holder_account(to.card_id)) == 0);
}

TEST_CASE("I9: what is pending ends at the next contact: delivered, or voided", "[terminal][I9]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto sign = [&](std::int64_t units) {
        const auto id = world.next_id();
        REQUIRE(world.issuer->authorise({.id = id,
                                         .card_id = seat.card_id,
                                         .kind = Kind::top_up,
                                         .amount = cents(units),
                                         .parameter = {},
                                         .terminal = test::account_id("till-1")}));
        return id;
    };
    const auto delivered = sign(3'00);
    auto resolved = world.terminal.resolve(*seat).value();
    CHECK(resolved.delivered == 1);
    CHECK(world.issuer->status(delivered, std::nullopt).value().progress == Progress::settled);

    const auto pin = TerminalWorld::pin();
    const auto too_much = world.next_id();
    (*seat).restart({Fault::remove_before(0).of(0x32)});
    CHECK(std::holds_alternative<InDoubt>(
        world.terminal.cash_out(*seat, too_much, cents(90'00), &pin)));
    (*seat).restart();
    (*seat).insert();  // it needs the PIN, which is given for no operation that is not shown
    resolved = world.terminal.resolve(*seat).value();
    CHECK(resolved.voided == 1);
    CHECK(world.issuer->status(too_much, std::nullopt).value().progress == Progress::voided);

    const auto unwanted = sign(3'00);
    resolved = world.terminal.void_pending(*seat).value();
    CHECK(resolved.voided == 1);
    CHECK(world.issuer->status(unwanted, std::nullopt).value().progress == Progress::voided);
    CHECK(refusal(world.terminal.top_up(*seat, unwanted, cents(3'00))) == Errc::operation_ended);
    CHECK(world.on_card(seat) == TerminalWorld::start + 3'00);
}

TEST_CASE("I4: a card's sequence is the platform's, or ahead of it by its unsettled results",
          "[terminal][I4]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    std::vector<Applied> paid;
    for (int i = 0; i < 5; ++i)
        paid.push_back(applied(world.terminal.pay(*seat, world.next_id(), cents(1), shop)));
    const auto ahead = [&] {
        return world.terminal.identify(*seat).value().sequence -
               world.issuer->standing(seat.card_id, std::nullopt).value().settled;
    };
    REQUIRE(ahead() == 5);
    for (const std::size_t next : {4u, 1u, 3u}) {  // kept until those before have come
        REQUIRE_FALSE(world.terminal.settle(paid[next].operation, paid[next].receipt)->settled);
        CHECK(ahead() == 5);
    }
    REQUIRE(world.terminal.settle(paid[0].operation, paid[0].receipt));
    CHECK(ahead() == 3);
    REQUIRE(world.terminal.settle(paid[2].operation, paid[2].receipt));
    CHECK(ahead() == 0);
    applied(world.terminal.top_up(*seat, world.next_id(), cents(1)));
    CHECK(ahead() == 0);
}

TEST_CASE("another issuer's card is a foreign card to whoever asks it what it holds", "[terminal]")
{
    TerminalWorld world;
    Terminal stranger(world.access.client(),
                      {.card_root = SoftwareCardRoot(test::seed(9)).public_key(),
                       .name = test::account_id("till-9"),
                       .observer = nullptr});
    const auto pin = TerminalWorld::pin();
    for (const bool private_balance : {false, true}) {
        auto seat = world.funded_seat(TransmissionProtocol::t1, private_balance);
        CHECK(stranger.history(*seat).error().code == Errc::foreign_card);
        CHECK(stranger.state(*seat, &pin).error().code == Errc::foreign_card);
        CHECK(world.terminal.history(*seat).value().size() == 1);
        CHECK(world.terminal.state(*seat, &pin));
    }
}
