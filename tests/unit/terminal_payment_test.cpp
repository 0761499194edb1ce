// SPDX-License-Identifier: Apache-2.0
// Payments that are asked for again: what the journal knows of them, and what is believed of a card
// on whose way SELECT is changed.
#include <functional>

#include <tallycard/card_info.hpp>

#include <catch2/catch.hpp>

#include "support/forwarding_link.hpp"
#include "support/journal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = test::account_id("SHOP-1");
const auto one = Amount::minor_units(1'00);
constexpr std::uint8_t select_ins = 0xA4, pay_ins = 0x34;

// What the card says of itself in SELECT is changed on its way, from the answer number `from` on.
class LyingLink final : public ForwardingLink {
public:
    using Lie = std::function<void(CardInfo&)>;
    LyingLink(CardLink& below, Lie lie, int from = 0)
        : ForwardingLink(below), lie_(std::move(lie)), left_(from)
    {
    }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        const auto size = ForwardingLink::transmit(command, answer);
        if (!size || command[1] != select_ins || *size <= 2 || left_-- > 0) return size;
        auto info = CardInfo::decode(answer.first(*size - 2)).value();
        lie_(info);
        const auto encoded = info.encode();
        const std::span<const std::uint8_t> bytes = encoded;
        REQUIRE(bytes.size() == *size - 2);
        std::ranges::copy(bytes, answer.begin());
        return size;
    }

private:
    Lie lie_;
    int left_;
};

void one_less(CardInfo& info)
{
    --info.sequence;
}
void another_unit(CardInfo& info)
{
    const auto code = static_cast<std::uint16_t>(info.currency.unit.code() + 1);
    info.currency.unit = Unit::from_code(code).value();
}

}  // namespace

TEST_CASE("a shortened log does not make a payment happen twice", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    REQUIRE(std::holds_alternative<Applied>(world.terminal.pay(*seat, id, one, shop)));
    const auto paid = world.on_card(seat);
    for (const auto& lie : {one_less, another_unit}) {
        LyingLink link(*seat, lie);
        const auto again = world.terminal.pay(link, id, one, shop, nullptr, Asked::again);
        CHECK(std::get<InDoubt>(again).reason.code == Errc::bad_signature);
        const auto other =
            world.terminal.pay(link, world.next_id(), one, shop, nullptr, Asked::again);
        CHECK(std::get<InDoubt>(other).reason.code == Errc::bad_signature);
        CHECK(world.on_card(seat) == paid);
    }
}

TEST_CASE("a payment whose answer is lost is not taken to have failed by a changed SELECT",
          "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    (*seat).restart({Fault::lose_answer(0).of(pay_ins)});
    LyingLink link(*seat, one_less, 1);
    const auto id = world.next_id();
    const auto outcome = world.terminal.pay(link, id, one, shop);
    REQUIRE(std::holds_alternative<InDoubt>(outcome));
    CHECK(world.on_card(seat) == TerminalWorld::start - 1'00);
    CHECK(std::holds_alternative<Applied>(
        world.terminal.pay(*seat, id, one, shop, nullptr, Asked::again)));
    CHECK(world.on_card(seat) == TerminalWorld::start - 1'00);
}

TEST_CASE("a card whose balance is private says where it stands to its holder", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat(TransmissionProtocol::t1, true);
    const auto pin = TerminalWorld::pin();
    const auto first = world.next_id(), second = world.next_id(), third = world.next_id();
    const auto pay = [&](CardLink& link, const OperationId& id, const PinBlock* with) {
        return world.terminal.pay(link, id, one, shop, with, Asked::again);
    };
    CHECK(std::holds_alternative<Applied>(pay(*seat, first, nullptr)));
    CHECK(std::holds_alternative<Applied>(pay(*seat, first, nullptr)));
    CHECK(std::holds_alternative<Applied>(pay(*seat, second, &pin)));
    CHECK(std::holds_alternative<Applied>(pay(*seat, second, &pin)));
    LyingLink link(*seat, one_less);
    CHECK(std::get<InDoubt>(pay(link, third, &pin)).reason.code == Errc::bad_signature);
    CHECK(std::holds_alternative<Applied>(pay(*seat, third, &pin)));
}

TEST_CASE("an id of the journal stands for one payment, of one card", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat(), other = world.funded_seat();
    auto terminal = world.at(*world.issuer);
    const auto id = world.next_id();
    (*seat).restart({Fault::remove_before(0).of(pay_ins)});
    REQUIRE(std::holds_alternative<InDoubt>(terminal.pay(*seat, id, one, shop)));
    (*seat).insert();
    (*seat).restart();
    const auto conflict = [](const Outcome& outcome) {
        return std::get<NotApplied>(outcome).reason.code == Errc::conflict;
    };
    CHECK(conflict(terminal.pay(*seat, id, Amount::minor_units(2'00), shop)));
    CHECK(conflict(terminal.pay(*other, id, one, shop)));
    CHECK(world.on_card(other) == TerminalWorld::start);
    CHECK(world.stage(id) == JournalStage::sent);
    LyingLink link(*other, one_less);
    CHECK(std::holds_alternative<InDoubt>(terminal.pay(link, id, one, shop)));
    // By another program, after which the card's log still says that the payment did not happen.
    REQUIRE(std::holds_alternative<Applied>(world.terminal.top_up(*seat, world.next_id(), one)));
    CHECK(std::holds_alternative<Applied>(terminal.pay(*seat, id, one, shop)));
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a payment that was refused, or never sent, can be asked for again", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    auto terminal = world.at(*world.issuer);
    const auto refused = world.next_id(), unsent = world.next_id();
    const auto much = Amount::minor_units(60'00);
    REQUIRE(std::holds_alternative<NotApplied>(terminal.pay(*seat, refused, much, shop)));
    REQUIRE(world.stage(refused) == JournalStage::not_applied);
    const auto pin = TerminalWorld::pin();
    CHECK(std::holds_alternative<Applied>(terminal.pay(*seat, refused, much, shop, &pin)));
    world.journal
        ->intend({.id = unsent,
                  .card_id = seat.card_id,
                  .kind = Kind::payment,
                  .amount = -one,
                  .account = shop})
        .value();
    CHECK(std::holds_alternative<Applied>(terminal.pay(*seat, unsent, one, shop)));
    CHECK(world.on_card(seat) == TerminalWorld::start - 61'00);
}

TEST_CASE("a journal's payment is looked for until the card can be read", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    auto terminal = world.at(*world.issuer);
    const auto id = world.next_id();
    (*seat).restart({Fault::remove_after(0).of(pay_ins)});
    REQUIRE(std::holds_alternative<InDoubt>(terminal.pay(*seat, id, one, shop)));
    (*seat).insert();
    int unread = 0;
    for (std::size_t at = 0; world.stage(id) == JournalStage::sent; ++at) {
        REQUIRE(at < 10);
        (*seat).restart({Fault::lose_answer(at).of(select_ins)});
        const auto drained = terminal.drain(*seat);
        unread += drained && world.stage(id) == JournalStage::sent;
    }
    CHECK(unread > 0);
    CHECK(world.account(shop) == 1'00);
}
