// SPDX-License-Identifier: Apache-2.0
// A platform over a real SQLite store that is in memory, with cards that it issued: the same world
// for each input, made once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/issuing.hpp>
#include <tallycard/platform.hpp>

#include "../../src/crypto/software_keys.hpp"
#include "../simulation/memory_disk.hpp"
#include "../support/simulated_card.hpp"
#include "input.hpp"
#include "memory_card.hpp"

namespace fuzz {

namespace test = tallycard::test;

template <class T>
T id_of(std::uint32_t n)
{
    std::array<std::uint8_t, T::size> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(n >> (24 - 8 * i));
    return T(bytes);
}

inline tallycard::AccountId account_of(std::string_view text)
{
    return *tallycard::AccountId::parse(text);
}

// What anybody can see of the platform: as bytes, to be compared.
struct View {
    std::int64_t sum = 0;       // of the books
    std::string value;          // accounts, cards, gaps, ledger and pending operations
    std::string standing;       // who is denied or lost, and the evidence
    std::uint64_t entries = 0;  // in the ledger
    friend bool operator==(const View&, const View&) = default;
};

class IssuerWorld {
public:
    // Two cards are simulated, and do what they are told: the first has no limits to speak of, the
    // second one limits(). Each has 480.00; account "shop" has 40.00. The third card is an
    // applet's, which has 100.00.
    IssuerWorld();
    IssuerWorld(const IssuerWorld&) = delete;
    IssuerWorld& operator=(const IssuerWorld&) = delete;
    ~IssuerWorld() = default;

    tallycard::Platform& platform() { return *platform_; }
    View view();
    // True where the entries from that one on are gaps of a denied card, and the payments that were
    // kept behind them.
    bool only_closed_gaps(std::uint64_t from);
    // What goes wrong next, and that nothing does any more.
    void plan(const simulation::Fault& fault);
    // False where it does not open, which only a fault admits.
    bool restart();
    // While it lives, what is planned waits.
    static simulation::Injector::Pause quiet();
    // Nothing goes wrong any more, and the platform is open.
    void recover();
    // All files; the platform is closed, and stays so.
    simulation::MemoryDisk::Copy close_and_copy();
    static simulation::MemoryDisk& disk();
    static const tallycard::PlatformSettings& settings();
    static const tallycard::CheckpointKey& checkpoint_key();
    static const tallycard::CheckpointKey& other_key();  // of somebody else
    // Keys of accounts: with number 0 "shop" has been opened.
    static tallycard::SoftwareAccountSigner owner(std::size_t number = 0);
    // An order for the account as it stands, signed with that key where the kind wants it.
    tallycard::SignedOrder order(tallycard::OrderKind kind, const tallycard::AccountId& account,
                                 std::int64_t amount = 0, const char* other = nullptr,
                                 std::size_t key = 0);
    // The same at any platform; `number` makes its id.
    static tallycard::SignedOrder order_for(tallycard::Platform& platform, std::uint32_t number,
                                            tallycard::OrderKind kind,
                                            const tallycard::AccountId& account,
                                            std::int64_t amount = 0, const char* other = nullptr,
                                            std::size_t key = 0);
    // Where the platform reads the time; each world begins at the same one.
    static tallycard::Time& clock();
    // What the platform finds beside its store when it opens; empty: nothing.
    static void write_checkpoint_file(std::span<const std::uint8_t> note);
    static const std::string& store_path();
    // As the issuer derives the key of a new card: another one each time.
    static tallycard::CardKey derive(const tallycard::CardId& id);
    // How a card with that key is registered.
    static tallycard::NewCard new_card(const tallycard::CardId& id, const tallycard::CardKey& key);
    static const tallycard::Limits& limits();
    // The issuer's key with this number signs it, and the store knows nothing of it.
    static tallycard::ExecutedOperation sign(const tallycard::Operation& operation,
                                             std::size_t key = 0);

    std::vector<test::SimulatedCard> cards;
    MemoryCard::Image image;  // of the applet's card
    tallycard::CardId applet_card;

private:
    struct Template;
    static const Template& made();
    bool open();
    static void view_gaps(tallycard::Platform& platform, const tallycard::CardId& card_id,
                          View& view);

    std::unique_ptr<tallycard::Platform> platform_;
    std::uint32_t orders_ = 0;  // that order() has made
};

}  // namespace fuzz
