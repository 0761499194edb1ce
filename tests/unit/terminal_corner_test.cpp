// SPDX-License-Identifier: Apache-2.0
// What seldom happens to a terminal: another card in the reader, another terminal that is faster, a
// platform whose books are old.
#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"
#include "support/wrapped_client.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));
const auto one = Amount::minor_units(1'00);

// A reader in which the card is changed before the transaction number `change_at`, where the end of
// the transaction number `fail_end` fails, or where one EXECUTE is refused.
class ChangingLink final : public CardLink {
public:
    ChangingLink(CardLink& first, CardLink& second) : first_(first), second_(second) {}
    int change_at = -1, fail_end = -1, begun = 0, ended = 0;
    bool refuse_execute = false;

    const Atr& atr() const override { return now().atr(); }
    TransmissionProtocol protocol() const override { return now().protocol(); }
    Result<void> begin() override
    {
        ++begun;
        return now().begin();
    }
    Result<void> end() override
    {
        auto done = now().end();
        if (ended++ == fail_end) return Error{.code = Errc::card_removed, .where = "end"};
        return done;
    }
    Result<void> reconnect() override { return now().reconnect(); }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        if (!refuse_execute || command[1] != 0x32) return now().transmit(command, answer);
        refuse_execute = false;
        answer[0] = 0x94;
        answer[1] = 0x02;
        return std::size_t{2};
    }

private:
    CardLink& now() const { return change_at >= 0 && begun > change_at ? second_ : first_; }
    CardLink& first_;
    CardLink& second_;
};

struct World : TerminalWorld {
    World() { issuer.open_account(shop).value(); }
    WrappedClient client{*issuer};
    Terminal through{
        client,
        {.card_root = root.public_key(), .name = test::account_id("till-1"), .observer = nullptr}};

    OperationRequest request(const Seat& seat)
    {
        return {.id = next_id(),
                .card_id = seat.card_id,
                .kind = Kind::top_up,
                .amount = one,
                .parameter = {},
                .terminal = test::account_id("till-2")};
    }
    void settle_down(Seat& seat)
    {
        client.before = client.after = nullptr;
        client.amend = nullptr;
        (*seat).restart();
        (*seat).insert();
        REQUIRE(through.resolve(*seat));
        CHECK(balance(seat) == on_card(seat));
        CHECK(sum_of_books() == 0);
    }
};

Errc refusal(const Outcome& outcome)
{
    REQUIRE(std::holds_alternative<NotApplied>(outcome));
    return std::get<NotApplied>(outcome).reason.code;
}
Errc doubt(const Outcome& outcome)
{
    REQUIRE(std::holds_alternative<InDoubt>(outcome));
    return std::get<InDoubt>(outcome).reason.code;
}

}  // namespace

TEST_CASE("I1 I3: a card that is changed for another meanwhile moves nothing of the other's",
          "[terminal][I1][I3]")
{
    World world;
    auto first = world.funded_seat(), second = world.funded_seat();
    ChangingLink link(*first, *second);
    const auto others = world.on_card(second);
    int changed = 0;
    const std::function<void(const OperationId&)> acts[] = {
        [&](const OperationId& id) { (void)world.through.top_up(link, id, one); },
        [&](const OperationId& id) { (void)world.through.transfer_out(link, id, one, shop); },
        [&](const OperationId&) { (void)world.through.resolve(link); },
        [&](const OperationId& id) {
            (*first).restart({Fault::lose_answer(0).of(0x34)});
            CHECK(doubt(world.through.pay(link, id, one, shop)) == Errc::link_failed);
        }};
    for (const auto& act : acts)
        for (int at = 1; at < 6; ++at) {
            CAPTURE(at);
            if (&act != &acts[3]) world.issuer->authorise(world.request(first)).value();
            link.begun = 0;
            link.change_at = &act == &acts[3] ? 1 : at;
            act(world.next_id());
            changed += link.begun > link.change_at;
            link.change_at = -1;
            world.settle_down(first);
            world.settle_down(second);
            CHECK(world.on_card(second) == others);
        }
    CHECK(changed >= 15);
}

TEST_CASE("a transaction that does not end in order leaves nothing half done", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    ChangingLink link(*seat, *seat);
    for (link.fail_end = 0; link.fail_end < 4; ++link.fail_end) {
        CAPTURE(link.fail_end);
        link.ended = 0;
        (void)world.through.transfer_out(link, world.next_id(), one, shop);
        link.ended = 0;
        const auto resolved = world.through.resolve(link);
        CHECK(bool(resolved) == (link.fail_end > 0));
        world.settle_down(seat);
    }
}

TEST_CASE("where another terminal was faster, its operation ends first and then this one",
          "[terminal][I9]")
{
    World world;
    auto seat = world.funded_seat();
    bool was_faster = false, card_leaves = false;
    world.client.before = [&](Call call) -> std::optional<Error> {
        if (call != Call::authorise || was_faster) return std::nullopt;
        was_faster = true;
        world.issuer->authorise(world.request(seat)).value();
        if (card_leaves) (*seat).restart({Fault::remove_before(0)});
        return std::nullopt;
    };
    const auto before = world.on_card(seat);
    CHECK(std::holds_alternative<Applied>(world.through.top_up(*seat, world.next_id(), one)));
    CHECK(world.on_card(seat) == before + 2'00);

    was_faster = false;
    card_leaves = true;
    CHECK(refusal(world.through.top_up(*seat, world.next_id(), one)) == Errc::card_removed);
    world.settle_down(seat);
    CHECK(world.on_card(seat) == before + 3'00);
}

TEST_CASE("a payment meanwhile makes a transfer's request old, and it is asked for anew",
          "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    bool was_faster = false;
    world.client.before = [&](Call call) -> std::optional<Error> {
        if (call != Call::authorise_transfer || was_faster) return std::nullopt;
        was_faster = true;
        REQUIRE(
            std::holds_alternative<Applied>(world.terminal.pay(*seat, world.next_id(), one, shop)));
        return std::nullopt;
    };
    const auto before = world.on_card(seat);
    (void)world.through.transfer_out(*seat, world.next_id(), one, shop);
    world.settle_down(seat);
    CHECK(was_faster);
    CHECK(world.on_card(seat) >= before - 2'00);
}

TEST_CASE("a card that the platform's books do not fit is not settled by force", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    for (int times = 0; times < 18; ++times)
        CHECK(std::holds_alternative<Applied>(world.through.top_up(*seat, world.next_id(), one)));
    world.client.amend = [](CardStanding& standing) { standing.settled = 1; };
    CHECK(world.through.resolve(*seat).error().code == Errc::not_in_log);
    world.client.amend = [](CardStanding& standing) { standing.settled += 1; };
    CHECK(world.through.resolve(*seat).error().code == Errc::card_behind);
    world.settle_down(seat);
}

TEST_CASE("a void that was signed is delivered, although the operation could be", "[terminal][I9]")
{
    World world;
    auto seat = world.funded_seat();
    world.issuer->authorise(world.request(seat)).value();
    world.issuer->void_pending(seat.card_id).value();
    const auto resolved = world.through.resolve(*seat).value();
    CHECK(resolved.voided == 1);
    CHECK(resolved.delivered == 0);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("what became of an operation that the card refuses is asked of the platform",
          "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    ChangingLink link(*seat, *seat);
    enum class Meanwhile { nothing, voided, settled, unreachable, unreachable_later, no_void };
    for (const auto meanwhile :
         {Meanwhile::nothing, Meanwhile::voided, Meanwhile::settled, Meanwhile::unreachable,
          Meanwhile::unreachable_later, Meanwhile::no_void}) {
        CAPTURE(int(meanwhile));
        const auto id = world.next_id();
        link.refuse_execute = true;
        int asked = 0;
        world.client.before = [&](Call call) -> std::optional<Error> {
            if (call == Call::void_pending && meanwhile == Meanwhile::no_void)
                return Error{.code = Errc::issuer_unreachable, .where = "test"};
            if (call != Call::status || link.refuse_execute) return std::nullopt;
            ++asked;
            if (asked == 1 && meanwhile == Meanwhile::voided)
                REQUIRE(world.terminal.void_pending(*seat));
            if (asked == 1 && meanwhile == Meanwhile::settled)
                REQUIRE(world.terminal.resolve(*seat));
            const bool fails = meanwhile == Meanwhile::unreachable ||
                               (meanwhile == Meanwhile::unreachable_later && asked == 2);
            if (!fails) return std::nullopt;
            return Error{.code = Errc::issuer_unreachable, .where = "test"};
        };
        const auto outcome = world.through.top_up(link, id, one);
        CHECK(asked > 0);
        if (meanwhile == Meanwhile::settled) CHECK(std::holds_alternative<Applied>(outcome));
        if (meanwhile >= Meanwhile::unreachable) CHECK(std::holds_alternative<InDoubt>(outcome));
        if (meanwhile == Meanwhile::nothing || meanwhile == Meanwhile::voided)
            CHECK(std::holds_alternative<NotApplied>(outcome));
        world.settle_down(seat);
        const auto again = world.through.top_up(*seat, id, one);
        if (std::holds_alternative<NotApplied>(outcome))
            CHECK(refusal(again) == Errc::operation_ended);
    }
}

TEST_CASE("a payment that comes between makes the card ask for its transfer once more",
          "[terminal][I9]")
{
    World world;
    auto seat = world.funded_seat();
    bool paid = false;
    world.client.after = [&](Call call) -> std::optional<Error> {
        if (call != Call::standing || paid) return std::nullopt;
        paid = true;
        REQUIRE(
            std::holds_alternative<Applied>(world.terminal.pay(*seat, world.next_id(), one, shop)));
        return std::nullopt;
    };
    const auto outcome = world.through.transfer_out(*seat, world.next_id(), one, shop);
    CHECK(std::holds_alternative<Applied>(outcome));
    CHECK(world.on_card(seat) == TerminalWorld::start - 2'00);
    world.settle_down(seat);
}

TEST_CASE("what is known to have happened is said where the card has gone", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    CHECK(std::holds_alternative<Applied>(world.through.top_up(*seat, id, one)));
    (*seat).restart({Fault::remove_before(0)});
    CHECK(std::holds_alternative<Applied>(world.through.top_up(*seat, id, one)));
    world.settle_down(seat);
}

TEST_CASE("after a lost answer, a platform that cannot be asked leaves it in doubt", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    (*seat).restart({Fault::lose_answer(0).of(0x32)});
    world.client.before = [&](Call call) -> std::optional<Error> {
        if (call != Call::status || (*seat).faults_fired() == 0) return std::nullopt;
        return Error{.code = Errc::issuer_unreachable, .where = "test"};
    };
    const auto id = world.next_id();
    CHECK(doubt(world.through.top_up(*seat, id, one)) == Errc::link_failed);
    world.settle_down(seat);
    CHECK(std::holds_alternative<Applied>(world.through.top_up(*seat, id, one)));
}
