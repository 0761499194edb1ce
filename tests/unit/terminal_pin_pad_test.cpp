// SPDX-License-Identifier: Apache-2.0
// Operations whose PIN is typed at the reader.
#include <catch2/catch.hpp>

#include <deque>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

// A reader with a keypad over one without: what is typed is planned. An empty entry is the cancel
// key; none at all, and nobody types.
class PinPadLink final : public CardLink {
public:
    explicit PinPadLink(CardLink& below) : below_(below) {}

    void type(std::initializer_list<std::string> pins) { typed_ = pins; }
    int entries() const { return entries_; }
    // Whether a PIN block came from the caller, that is through this process.
    bool has_seen_a_pin() const { return has_seen_a_pin_; }

    const Atr& atr() const override { return below_.atr(); }
    TransmissionProtocol protocol() const override { return below_.protocol(); }
    Result<void> begin() override { return below_.begin(); }
    Result<void> end() override { return below_.end(); }
    Result<void> reconnect() override { return below_.reconnect(); }
    bool has_pin_pad() override { return true; }

    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        const bool has_data = command.size() > 5;
        if (has_data && (command[1] == 0x20 || command[1] == 0x24)) has_seen_a_pin_ = true;
        return below_.transmit(command, answer);
    }
    Result<std::size_t> transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                          std::span<std::uint8_t> answer) override
    {
        ++entries_;
        std::vector<std::uint8_t> completed(command.begin(), command.end());
        const std::size_t blocks = entry == PinEntry::verify ? 1 : 2;
        for (std::size_t i = 0; i < blocks; ++i) {
            if (typed_.empty()) return reader_says(Errc::timed_out, 0x6400);
            auto digits = typed_.front();
            typed_.pop_front();
            if (digits.empty()) return reader_says(Errc::cancelled, 0x6401);
            const auto block = make_pin_block(digits).value();
            std::ranges::copy(block.reveal(), completed.begin() + std::ptrdiff_t(5 + 8 * i));
        }
        return below_.transmit(completed, answer);
    }

private:
    static Error reader_says(Errc code, std::uint16_t sw)
    {
        return {.code = code, .sw = StatusWord(sw), .where = "PIN entry"};
    }

    CardLink& below_;
    std::deque<std::string> typed_;
    int entries_ = 0;
    bool has_seen_a_pin_ = false;
};

struct Table {
    TerminalWorld world;
    TerminalWorld::Seat seat = world.funded_seat();
    PinPadLink link{*seat};
    Terminal& terminal = world.terminal;
};

constexpr auto at_reader = HolderPin::at_reader;
const auto sixty = Amount::minor_units(60'00);

}  // namespace

TEST_CASE("a PIN typed at the reader is enough, and is not seen by the terminal", "[pin-pad]")
{
    Table table;
    const auto shop = test::account_id("SHOP-1");
    REQUIRE(table.world.issuer.open_account(shop));
    SECTION("for cash-out, twice")
    {
        table.link.type({"4711", "4711"});
        const auto out =
            table.terminal.cash_out(table.link, table.world.next_id(), sixty, at_reader());
        CHECK(std::holds_alternative<Applied>(out));
        CHECK(table.link.entries() == 2);
    }
    SECTION("for a payment, once")
    {
        table.link.type({"4711"});
        const auto out =
            table.terminal.pay(table.link, table.world.next_id(), sixty, shop, at_reader());
        CHECK(std::holds_alternative<Applied>(out));
        CHECK(table.link.entries() == 1);
    }
    SECTION("for a transfer out, twice")
    {
        table.link.type({"4711", "4711"});
        const auto out = table.terminal.transfer_out(table.link, table.world.next_id(), sixty, shop,
                                                     at_reader());
        CHECK(std::holds_alternative<Applied>(out));
        CHECK(table.link.entries() == 2);
    }
    CHECK(!table.link.has_seen_a_pin());
    CHECK(table.world.on_card(table.seat) == 40'00);
}

TEST_CASE("what goes wrong at the keypad leaves the operation to be asked for again", "[pin-pad]")
{
    Table table;
    const auto id = table.world.next_id();
    const auto ask = [&] { return table.terminal.cash_out(table.link, id, sixty, at_reader()); };
    const auto reason = [](const Outcome& outcome) {
        const auto* doubt = std::get_if<InDoubt>(&outcome);
        REQUIRE(doubt != nullptr);
        return doubt->reason.code;
    };
    table.link.type({""});  // for the request: nothing was asked for
    CHECK(std::get<NotApplied>(ask()).reason.code == Errc::cancelled);
    table.link.type({"4711", ""});
    CHECK(reason(ask()) == Errc::cancelled);
    CHECK(reason(ask()) == Errc::timed_out);
    table.link.type({"4712"});
    CHECK(reason(ask()) == Errc::wrong_pin);
    CHECK(table.world.on_card(table.seat) == 100'00);
    table.link.type({"4711"});
    CHECK(std::holds_alternative<Applied>(ask()));
    CHECK(table.world.on_card(table.seat) == 40'00);
}

TEST_CASE("a PIN is changed at the reader", "[pin-pad]")
{
    Table table;
    table.link.type({"4711", "080815"});
    CHECK(table.terminal.change_pin_at_reader(table.link));
    CHECK(!table.link.has_seen_a_pin());
    const auto pin = TerminalWorld::pin("080815");
    CHECK(table.terminal.state(*table.seat, &pin));
    table.link.type({""});
    const auto cancelled = table.terminal.change_pin_at_reader(table.link);
    CHECK(cancelled.error().code == Errc::cancelled);
    CHECK(cancelled.error().effect == Effect::none);
}
