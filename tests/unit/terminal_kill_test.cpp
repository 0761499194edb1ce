// SPDX-License-Identifier: Apache-2.0
// A terminal program that is killed between any two steps: before and after each command to the
// card and each call of the platform. The next program asks with the same id.
#include <csignal>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/stepping.hpp"
#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));

// Counts steps, and kills this process at one of them.
class Executioner {
public:
    explicit Executioner(int at) : left_(at) {}
    void step()
    {
        if (left_-- == 0) ::raise(SIGKILL);
    }

private:
    int left_;
};

using Ask = Outcome (*)(Terminal&, CardLink&, const OperationId&, Asked);

// Everything that a terminal program opens, and closes when it ends.
struct Program {
    Program(const std::string& folder, int kill_at) : executioner(kill_at)
    {
        SoftwareCardRoot root(test::seed(2));
        PlatformSettings settings;
        settings.issuer.origin = "issuer.test";
        settings.issuer.currency = {.unit = *Unit::from_code(978), .exponent = 2};
        settings.issuer.card_root = root.public_key();
        settings.issuer.checkpoint_key = CheckpointKey(test::seed(3)).public_key();
        settings.signers = {std::make_shared<SoftwareOperationSigner>(test::seed(1))};
        settings.issuer.operation_keys = {settings.signers[0]->public_key()};
        auto store = open_sqlite_store(folder + "/store", StoreCheck::quick);
        if (!store) store = create_sqlite_store(folder + "/store");
        platform = Platform::open(std::move(store).value(), std::move(settings)).value();

        std::vector<LoopbackCard> cards(1);
        std::array<std::uint8_t, 32> key{9};
        cards[0] = {.image = folder + "/card",
                    .transport_key = TransportKey(key),
                    .protocol = TransmissionProtocol::t1,
                    .durable = true};
        driver = open_loopback(std::move(cards)).value();
        card = driver->open(driver->list().value().at(0)).value()->connect(Sharing::shared).value();
        const auto step = [this] { executioner.step(); };
        mortal_card = std::make_unique<SteppingLink>(*card, step);
        access = std::make_unique<test::IssuerAccess>(*platform);
        client = std::make_unique<SteppingClient>(access->client(), step);
        terminal = std::make_unique<Terminal>(
            *client, TerminalSettings{root.public_key(), test::account_id("till-1"), nullptr});
    }

    void issue()
    {
        SoftwareCardRoot root(test::seed(2));
        std::array<std::uint8_t, 32> key{9};
        CardOrder order;
        order.card_id = test::id_of<CardId>(1);
        order.limits = {.maximum_balance = Balance::minor_units(100'000'00),
                        .maximum_amount = Balance::minor_units(100'000'00),
                        .pin_above = Balance::minor_units(100'000'00),
                        .offline_payments = 15,
                        .offline_total = Balance::minor_units(100'00)};
        REQUIRE(issue_card(*platform, root, *card, TransportKey(key), order));
        REQUIRE(platform->open_account(shop));
        const auto id = test::id_of<OperationId>(1);
        for (const auto& outcome : {terminal->top_up(*card, id, Amount::minor_units(1000'00)),
                                    terminal->transfer_out(*card, test::id_of<OperationId>(2),
                                                           Amount::minor_units(500'00), shop)})
            REQUIRE(std::holds_alternative<Applied>(outcome));
    }
    std::int64_t balance()
    {
        return static_cast<std::int64_t>(terminal->state(*card).value().balance.to_minor_units());
    }

    Executioner executioner;
    std::unique_ptr<Platform> platform;
    std::unique_ptr<test::IssuerAccess> access;
    std::unique_ptr<ReaderDriver> driver;
    std::unique_ptr<CardLink> card;
    std::unique_ptr<SteppingLink> mortal_card;
    std::unique_ptr<SteppingClient> client;
    std::unique_ptr<Terminal> terminal;
};

// Runs the operation in a process of its own. True when it was killed.
bool killed_at(const std::string& folder, int step, Ask ask, const OperationId& id)
{
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::setenv("TMPDIR", folder.c_str(), 1);  // what it leaves behind goes with the test
        Program program(folder, step);
        const auto outcome = ask(*program.terminal, *program.mortal_card, id, Asked::first_time);
        ::_exit(std::holds_alternative<Applied>(outcome) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) return true;
    CHECK(WEXITSTATUS(status) == 0);
    return false;
}

constexpr int never = -1;
const auto one = Amount::minor_units(1'00);

}  // namespace

TEST_CASE("a terminal killed between any two steps finds its operation done once", "[terminal]")
{
    struct Scenario {
        const char* name;
        std::int64_t change;
        Ask ask;
    };
    const Scenario scenarios[] = {
        {"top-up", 1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             return t.top_up(c, id, one);
         }},
        {"transfer out", -1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             return t.transfer_out(c, id, one, shop);
         }},
        {"transfer in", 1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             return t.transfer_in(c, id, one, shop);
         }},
        {"payment", -1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked asked) {
             return t.pay(c, id, one, shop, nullptr, asked);
         }},
    };
    test::TemporaryFolder folder;
    const auto path = folder.file("");
    Program(path, never).issue();
    std::uint32_t ids = 100;
    for (const auto& scenario : scenarios) {
        int step = 0;
        for (bool killed = true; killed; ++step) {
            CAPTURE(scenario.name, step);
            const auto id = test::id_of<OperationId>(++ids);
            const auto before = Program(path, never).balance();
            killed = killed_at(path, step, scenario.ask, id);

            Program next(path, never);
            const auto outcome = scenario.ask(*next.terminal, *next.card, id, Asked::again);
            CHECK(std::holds_alternative<Applied>(outcome));
            CHECK(next.balance() == before + scenario.change);
            const auto resolved = next.terminal->resolve(*next.card);
            REQUIRE(resolved);
            CHECK_FALSE(resolved->standing.pending);
            CHECK(static_cast<std::int64_t>(resolved->standing.balance.to_minor_units()) ==
                  next.balance());
        }
        CHECK(step > 4);
    }
}
