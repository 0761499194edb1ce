// SPDX-License-Identifier: Apache-2.0
// What a terminal writes into its journal, and how the journal ends what a kill or an outage left.
#include <tallycard/offline_issuer.hpp>

#include <catch2/catch.hpp>

#include "support/journal_world.hpp"
#include "support/stepping.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto one = Amount::minor_units(1'00);
const auto shop = test::account_id("SHOP-1");

struct Killed {};

// A step that ends the program, by count.
Step kill_at(int& left)
{
    return [&left] {
        if (left-- == 0) throw Killed();
    };
}

// A disk that is full: from one line on.
class FullJournal final : public OperationJournal {
public:
    explicit FullJournal(OperationJournal& below, int lines) : below_(below), left_(lines) {}
    Result<void> intend(const JournalIntent& intent,
                        const std::optional<JournalSent>& sent) override
    {
        return fits() ? below_.intend(intent, sent) : full();
    }
    Result<void> sent(const OperationId& id, const JournalSent& what) override
    {
        return fits() ? below_.sent(id, what) : full();
    }
    Result<void> executed(const OperationId& id, const Operation& operation,
                          const Receipt& receipt) override
    {
        return fits() ? below_.executed(id, operation, receipt) : full();
    }
    Result<void> acknowledged(const OperationId& id) override
    {
        return fits() ? below_.acknowledged(id) : full();
    }
    Result<void> not_applied(const OperationId& id) override
    {
        return fits() ? below_.not_applied(id) : full();
    }
    Result<void> compact(std::size_t keep) override { return below_.compact(keep); }
    const std::vector<JournalEntry>& entries() const override { return below_.entries(); }

private:
    bool fits() { return left_-- > 0; }
    static Result<void> full() { return Error{.code = Errc::file_rejected, .where = "journal"}; }
    OperationJournal& below_;
    int left_;
};

}  // namespace

TEST_CASE("an operation is in the journal from its intent to its end", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    auto terminal = world.at(*world.issuer);
    const auto top_up = world.next_id(), payment = world.next_id(), refused = world.next_id();
    REQUIRE(std::holds_alternative<Applied>(terminal.top_up(*seat, top_up, one)));
    CHECK(world.stage(top_up) == JournalStage::acknowledged);
    CHECK(world.journal->find(top_up)->sent->first);
    REQUIRE(std::holds_alternative<Applied>(terminal.pay(*seat, payment, one, shop)));
    CHECK(world.stage(payment) == JournalStage::executed);
    const auto much = Amount::minor_units(190'00);
    REQUIRE(std::holds_alternative<NotApplied>(terminal.transfer_in(*seat, refused, much, shop)));
    CHECK(world.stage(refused) == JournalStage::not_applied);

    OfflineIssuer nobody;
    auto outage = world.at(nobody).drain();
    REQUIRE(outage.size() == 1);
    CHECK(outage[0].reason->code == Errc::issuer_unreachable);
    const auto drained = terminal.drain();
    REQUIRE(drained.size() == 1);
    CHECK(drained[0].settlement->settled);
    CHECK(world.stage(payment) == JournalStage::acknowledged);
    CHECK(terminal.drain().empty());
    const auto again = terminal.pay(*seat, payment, one, shop);
    CHECK(std::get<Applied>(again).receipt == *world.journal->find(payment)->receipt);
    CHECK(world.account(shop) == 1'00);
}

TEST_CASE("a transfer from card to card that is killed at any step is ended by the journal",
          "[terminal]")
{
    JournalWorld world;
    auto from = world.funded_seat(), to = world.funded_seat();
    std::int64_t given = 0;
    bool killed = true;
    for (int step = 0; killed; ++step) {
        CAPTURE(step);
        const auto id = world.next_id();
        int left = step;
        SteppingLink from_link(*from, kill_at(left)), to_link(*to, kill_at(left));
        SteppingClient client(*world.issuer, kill_at(left));
        try {
            (void)world.at(client).card_to_card(from_link, to_link, id, one);
            killed = false;
        } catch (const Killed&) {
        }
        world.restart();
        auto next = world.at(*world.issuer);
        const bool receiver_first = step % 2 == 0;
        if (receiver_first) REQUIRE(next.drain(*to));
        REQUIRE(next.drain(*from));
        REQUIRE(next.drain(*to));
        CHECK_FALSE(world.has_open());
        const auto ids = card_to_card_ids(id);
        const auto* in = world.journal->find(ids.in);
        const bool happened = in != nullptr && in->stage == JournalStage::acknowledged;
        CHECK((happened || !killed || step < 40));
        given += happened ? 1'00 : 0;
        CHECK(world.on_card(from) == TerminalWorld::start - given);
        CHECK(world.on_card(to) == TerminalWorld::start + given);
        CHECK(world.account(holder_account(to.card_id)) == 0);
        CHECK(world.sum_of_books() == 0);
    }
    CHECK(given > 5'00);
}

TEST_CASE("the second half of a transfer is asked for until its value has arrived", "[terminal]")
{
    JournalWorld world;
    auto from = world.funded_seat(), to = world.funded_seat();
    auto terminal = world.at(*world.issuer);
    const auto id = world.next_id();
    (*to).restart({Fault::remove_before(0).of(0x30)});  // REQUEST
    const auto both = terminal.card_to_card(*from, *to, id, one);
    REQUIRE(std::holds_alternative<Applied>(both.out));
    CHECK_FALSE(std::holds_alternative<Applied>(*both.in));
    REQUIRE(terminal.drain(*from));
    CHECK(world.account(holder_account(to.card_id)) == 1'00);
    (*to).insert();
    (*to).restart();
    REQUIRE(terminal.give_up(*to));
    CHECK(world.stage(card_to_card_ids(id).in) == JournalStage::intended);
    REQUIRE(terminal.drain(*to));
    CHECK(world.stage(card_to_card_ids(id).in) == JournalStage::acknowledged);
    CHECK(world.on_card(to) == TerminalWorld::start + 1'00);
    CHECK(world.account(holder_account(to.card_id)) == 0);
}

TEST_CASE("what the platform signed is executed without it, and settled when it is back",
          "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    (*seat).restart({Fault::remove_before(0).of(0x32)});  // EXECUTE
    REQUIRE(std::holds_alternative<InDoubt>(world.at(*world.issuer).top_up(*seat, id, one)));
    CHECK(world.stage(id) == JournalStage::sent);
    (*seat).insert();
    (*seat).restart();
    world.restart();

    OfflineIssuer nobody;
    const auto drained = world.at(nobody).drain(*seat);
    REQUIRE(drained);
    CHECK(world.stage(id) == JournalStage::executed);
    CHECK(drained->front().reason->code == Errc::issuer_unreachable);
    CHECK(world.on_card(seat) == TerminalWorld::start + 1'00);
    CHECK(world.at(*world.issuer).drain().front().settlement->settled);
    CHECK(world.balance(seat) == TerminalWorld::start + 1'00);
    CHECK_FALSE(world.has_open());
}

TEST_CASE("a payment that left the card's log stays in doubt", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    (*seat).restart({Fault::remove_after(0).of(0x34)});  // PAY
    auto terminal = world.at(*world.issuer);
    REQUIRE(std::holds_alternative<InDoubt>(terminal.pay(*seat, id, one, shop)));
    (*seat).insert();
    (*seat).restart();
    for (int i = 0; i < 16; ++i)
        REQUIRE(std::holds_alternative<Applied>(terminal.top_up(*seat, world.next_id(), one)));
    const auto drained = terminal.drain(*seat);
    REQUIRE(drained);
    CHECK(drained->front().reason->code == Errc::not_in_log);
    CHECK(world.stage(id) == JournalStage::sent);
    const auto again = terminal.pay(*seat, id, one, shop, {}, Asked::again);
    CHECK(std::get<InDoubt>(again).reason.code == Errc::not_in_log);
    CHECK(world.account(shop) == 1'00);  // by the next online operation after it
}

TEST_CASE("what is given up is voided where it was signed, and never happens", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    for (int step = 0; step < 40; ++step) {
        CAPTURE(step);
        const auto id = world.next_id();
        int left = step;
        SteppingLink link(*seat, kill_at(left));
        SteppingClient client(*world.issuer, kill_at(left));
        const auto before = world.on_card(seat);
        try {
            (void)world.at(client).top_up(link, id, one);
        } catch (const Killed&) {
        }
        world.restart();
        REQUIRE(world.at(*world.issuer).give_up(*seat));
        CHECK_FALSE(world.has_open());
        const auto* entry = world.journal->find(id);
        const bool happened = entry != nullptr && entry->stage == JournalStage::acknowledged;
        CHECK(world.on_card(seat) == before + (happened ? 1'00 : 0));
        CHECK(world.issuer->pending().value().empty());
    }
}

TEST_CASE("what cannot be written down is not begun, and a receipt is not lost", "[terminal]")
{
    JournalWorld world;
    auto seat = world.funded_seat();
    for (int lines = 0; lines < 6; ++lines) {
        CAPTURE(lines);
        FullJournal full(*world.journal, lines);
        Terminal terminal(*world.issuer, {.card_root = world.root.public_key(),
                                          .name = test::account_id("till-1"),
                                          .observer = nullptr,
                                          .journal = &full});
        const auto before = world.on_card(seat);
        const auto topped = terminal.top_up(*seat, world.next_id(), one);
        CHECK(std::holds_alternative<NotApplied>(topped) == (lines == 0));
        CHECK(std::holds_alternative<InDoubt>(topped) == (lines == 1));
        const bool done = lines >= 2;
        CHECK(world.on_card(seat) == before + (done ? 1'00 : 0));
        REQUIRE(world.at(*world.issuer).drain(*seat));
        CHECK_FALSE(world.has_open());
    }
    FullJournal one_line(*world.journal, 1);
    Terminal terminal(*world.issuer, {.card_root = world.root.public_key(),
                                      .name = test::account_id("till-1"),
                                      .observer = nullptr,
                                      .journal = &one_line});
    const auto paid = terminal.pay(*seat, world.next_id(), one, shop);
    CHECK(std::get<Applied>(paid).not_kept->code == Errc::file_rejected);
    FullJournal none(*world.journal, 0);
    Terminal refusing(*world.issuer, {.card_root = world.root.public_key(),
                                      .name = test::account_id("till-1"),
                                      .observer = nullptr,
                                      .journal = &none});
    const auto before = world.on_card(seat);
    CHECK(std::holds_alternative<NotApplied>(refusing.pay(*seat, world.next_id(), one, shop)));
    CHECK(world.on_card(seat) == before);
}
