// SPDX-License-Identifier: Apache-2.0
// Two cards, pcscd, the platform and a terminal, each a process of its own: any of them may be
// killed, and is started again.
#pragma once

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/terminal.hpp>

#include "conformance/child.hpp"
#include "support/pcscd_process.hpp"
#include "support/temporary_folder.hpp"

namespace testing {

using namespace tallycard;

enum class Victim : std::uint8_t { card, terminal, pcscd, platform };
inline constexpr std::array victims = {Victim::card, Victim::terminal, Victim::pcscd,
                                       Victim::platform};
const char* name(Victim victim);

// What the books and the cards have to hold, in minor units.
struct Holdings {
    std::array<std::int64_t, 2> cards{};
    std::int64_t shop = 0;
    std::int64_t cash = 0;
    friend bool operator==(const Holdings&, const Holdings&) = default;
};

class KillWorld {
public:
    // Issues both cards and gives each its first value. Throws std::runtime_error.
    KillWorld();
    KillWorld(const KillWorld&) = delete;
    KillWorld& operator=(const KillWorld&) = delete;
    ~KillWorld();

    const Holdings& start() const { return start_; }
    std::string socket() const { return folder_.file("platform"); }
    std::string journal() const { return folder_.file("journal"); }
    TerminalSettings terminal_settings(OperationJournal* journal = nullptr) const;

    // Each of them is another process, which ends with this object. `card`: which of the two.
    void kill(Victim victim, std::size_t card);
    void restart(Victim victim, std::size_t card);

    // Compares cards, books and ledger with what there has to be, by processes of its own. Throws
    // with what is not so.
    void audit(const Holdings& expected) const;

    // These open PC/SC and the store: for processes that are forked, not for the driver's.
    std::unique_ptr<CardLink> connect(std::size_t card) const;
    std::unique_ptr<Platform> open_platform() const;

private:
    void start_card(std::size_t card);
    void start_platform();
    bool issue() const;
    bool is_right(const Holdings& expected) const;

    test::TemporaryFolder folder_;
    IssuerDescription issuer_;
    Holdings start_;
    std::unique_ptr<PcscdProcess> pcscd_;
    std::array<std::unique_ptr<Child>, 2> cards_;
    std::unique_ptr<Child> platform_;
};

inline AccountId shop()
{
    return AccountId::parse(std::string_view("SHOP-1")).value();
}

}  // namespace testing
