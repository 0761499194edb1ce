// SPDX-License-Identifier: Apache-2.0
#include "kill_world.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <tallycard/issuing.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/pcsc.hpp>

#include "crypto/software_keys.hpp"
#include "remote_platform.hpp"
#include "support/account_owner.hpp"

namespace testing {
namespace {

constexpr std::int64_t first_value = 10'000'00;

using test::seed;

std::uint8_t key_byte(std::size_t card)
{
    return static_cast<std::uint8_t>(7 + card);
}

TransportKey transport_key(std::size_t card)
{
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(key_byte(card));
    return TransportKey(bytes);
}

std::string write_transport_key(const std::string& path, std::size_t card)
{
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", key_byte(card));
    std::ofstream file(path);
    for (std::size_t i = 0; i < TransportKey::size; ++i) file << pair;
    ::chmod(path.c_str(), 0600);
    return path;
}

CardId card_id(std::size_t card)
{
    std::array<std::uint8_t, CardId::size> bytes{};
    bytes[0] = static_cast<std::uint8_t>(1 + card);
    return CardId(bytes);
}

std::int64_t units(Balance balance)
{
    return static_cast<std::int64_t>(balance.to_minor_units());
}

bool is_so(bool holds, const char* what, std::int64_t found, std::int64_t expected)
{
    if (!holds) {
        std::fprintf(stderr, "not so: %s: found %lld, expected %lld\n", what,
                     static_cast<long long>(found), static_cast<long long>(expected));
    }
    return holds;
}

bool equal(const char* what, std::int64_t found, std::int64_t expected)
{
    return is_so(found == expected, what, found, expected);
}

// Public keys alone, over a file.
bool ledger_verifies(Platform& platform, const std::string& file)
{
    ::unlink(file.c_str());
    const auto exported = platform.export_ledger(file, CheckpointKey(seed(3)));
    if (!exported) return is_so(false, exported.error().message().c_str(), 0, 0);
    const auto report = verify_ledger(file, platform.issuer());
    if (!report) return is_so(false, report.error().message().c_str(), 0, 0);
    return !report->fault || is_so(false, report->fault->what.c_str(), 0, 0);
}

std::int64_t balance_of(Platform& platform, AccountKind kind, const AccountId& id)
{
    const auto row = platform.account({kind, id}).value();
    return row ? row->balance : 0;
}

}  // namespace

const char* name(Victim victim)
{
    switch (victim) {
    case Victim::card: return "card";
    case Victim::terminal: return "terminal";
    case Victim::pcscd: return "pcscd";
    case Victim::platform: return "platform";
    }
    return "";
}

KillWorld::KillWorld()
    : start_{.cards = {first_value, first_value}, .shop = 0, .cash = -2 * first_value}
{
    issuer_.origin = "issuer.test";
    issuer_.currency = {.unit = Unit::from_code(978).value(), .exponent = 2};
    issuer_.card_root = SoftwareCardRoot(seed(2)).public_key();
    issuer_.checkpoint_key = CheckpointKey(seed(3)).public_key();
    issuer_.operation_keys = {SoftwareOperationSigner(seed(1)).public_key()};
    (void)create_sqlite_store(folder_.file("store")).value();
    pcscd_ = std::make_unique<PcscdProcess>(PcscdProcess::Readers::tallycard);
    for (std::size_t card = 0; card < cards_.size(); ++card) start_card(card);
    if (!in_child([this] { return issue(); })) throw std::runtime_error("no cards were issued");
    start_platform();
}

KillWorld::~KillWorld() = default;

TerminalSettings KillWorld::terminal_settings(OperationJournal* journal) const
{
    return {.card_root = issuer_.card_root,
            .name = AccountId::parse(std::string_view("till-1")).value(),
            .observer = nullptr,
            .journal = journal};
}

void KillWorld::kill(Victim victim, std::size_t card)
{
    switch (victim) {
    case Victim::card: cards_.at(card).reset(); break;
    case Victim::terminal: break;  // whoever started it has it
    case Victim::pcscd: pcscd_->stop(SIGKILL); break;
    case Victim::platform: platform_.reset(); break;
    }
}

void KillWorld::restart(Victim victim, std::size_t card)
{
    switch (victim) {
    case Victim::card: start_card(card); break;
    case Victim::terminal: break;
    case Victim::pcscd: pcscd_->start(); break;
    case Victim::platform: start_platform(); break;
    }
}

void KillWorld::start_card(std::size_t card)
{
    const auto number = std::to_string(card);
    const auto image = folder_.file(("card-" + number).c_str());
    const auto key = write_transport_key(image + ".key", card);
    const auto slot = std::string(std::getenv("TALLYCARD_SLOTS")) + "/slot-" + number;
    cards_.at(card) = std::make_unique<Child>([&] {
        const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
        execl(TALLYCARD_VICC, TALLYCARD_VICC, "--image", image.c_str(), "--transport-key-file",
              key.c_str(), "--socket", slot.c_str(), nullptr);
        return false;
    });
}

void KillWorld::start_platform()
{
    const Signal ready;
    platform_ = std::make_unique<Child>([&] {
        const auto platform = open_platform();
        serve_platform(socket(), *platform, [&] { ready.give(); });
        return false;
    });
    ready.wait();
}

std::unique_ptr<Platform> KillWorld::open_platform() const
{
    PlatformSettings settings;
    settings.issuer = issuer_;
    settings.signers = {std::make_shared<SoftwareOperationSigner>(seed(1))};
    settings.checkpoint_file = folder_.file("checkpoint");
    auto store = open_sqlite_store(folder_.file("store"), StoreCheck::quick).value();
    return Platform::open(std::move(store), std::move(settings)).value();
}

std::unique_ptr<CardLink> KillWorld::connect(std::size_t card) const
{
    std::unique_ptr<CardLink> link;
    std::string last_error;
    const auto reader_name = "tallycard virtual reader 00 0" + std::to_string(card);
    const auto is_connected = [&]() -> Result<void> {
        const auto driver = open_pcsc();
        if (!driver) return driver.error();
        const auto reader = (*driver)->open(reader_name);
        if (!reader) return reader.error();
        const auto there = (*reader)->wait_for_card(std::chrono::seconds(1));
        if (!there) return there.error();
        auto connected = (*reader)->connect(Sharing::shared);
        if (!connected) return connected.error();
        link = *std::move(connected);
        return {};
    };
    try {
        wait_until("the card is in its reader", [&] {
            const auto connected = is_connected();
            if (!connected) last_error = connected.error().message();
            return connected.has_value();
        });
    } catch (const std::exception& error) {
        throw std::runtime_error(std::string(error.what()) + ": " + last_error);
    }
    return link;
}

bool KillWorld::issue() const
{
    const auto platform = open_platform();
    SoftwareCardRoot root(seed(2));
    Terminal terminal(*platform, terminal_settings());
    if (!test::open_account(*platform, issuer_, shop())) return false;
    for (std::size_t card = 0; card < cards_.size(); ++card) {
        const auto link = connect(card);
        CardOrder order;
        order.card_id = card_id(card);
        order.limits = {.maximum_balance = Balance::minor_units(100 * first_value),
                        .maximum_amount = Balance::minor_units(first_value),
                        .pin_above = Balance::minor_units(first_value),
                        .offline_payments = 15,
                        .offline_total = Balance::minor_units(first_value)};
        if (!issue_card(*platform, root, *link, transport_key(card), order)) return false;
        const auto id = OperationId(card_id(card).bytes());
        const auto outcome = terminal.top_up(*link, id, Amount::minor_units(first_value));
        if (!std::holds_alternative<Applied>(outcome)) return false;
    }
    return true;
}

void KillWorld::audit(const Holdings& expected) const
{
    if (!in_child([&] { return is_right(expected); })) throw std::runtime_error("audit failed");
}

bool KillWorld::is_right(const Holdings& expected) const
{
    const auto platform = open_platform();
    Terminal terminal(*platform, terminal_settings());
    bool right = ledger_verifies(*platform, folder_.file("ledger"));
    std::int64_t sum = 0;
    for (const auto& row : platform->accounts().value()) {
        sum += row.balance;
        right &= equal("reserved", row.reserved, 0);
    }
    for (std::size_t card = 0; card < cards_.size(); ++card) {
        const auto standing = platform->standing(card_id(card), std::nullopt).value();
        const auto link = connect(card);
        const auto state = terminal.state(*link).value();
        sum += units(standing.balance);
        right &= equal("settled balance", units(standing.balance), expected.cards.at(card));
        right &= equal("balance on the card", units(state.balance), expected.cards.at(card));
        right &= equal("settled sequence", standing.settled, state.sequence);
        right &= is_so(!standing.denied, "denied", 1, 0);
        right &=
            equal("left in transit",
                  balance_of(*platform, AccountKind::associated, holder_account(card_id(card))), 0);
    }
    right &= equal("sum of the books", sum, 0);
    right &= equal("shop", balance_of(*platform, AccountKind::associated, shop()), expected.shop);
    right &= equal("cash", balance_of(*platform, AccountKind::cash, terminal_settings().name),
                   expected.cash);
    right &= is_so(platform->pending().value().empty(), "still pending", 1, 0);
    return right && is_so(platform->evidence().value().empty(), "evidence", 1, 0);
}

}  // namespace testing
