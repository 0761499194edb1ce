// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <tallycard/issuing.hpp>
#include <tallycard/terminal.hpp>

#include "../support/test_issuer.hpp"
#include "torn_card.hpp"

namespace testing {

// The real applet, its memory and the real platform, driven by the events of a walk of the model:
// what EV and ST lines mean is said in tallycard.pml. Every call throws std::runtime_error where
// the code does something else than the model did.
class ReplayWorld {
public:
    static constexpr std::int64_t minor_units = 100;  // for each unit of the model

    // What the model's world is: START, MAX_BALANCE, OFFLINE_LIMIT.
    struct Settings {
        std::int64_t start = 0, maximum_balance = 0;
        std::uint16_t offline_payments = 0;
    };
    explicit ReplayWorld(const Settings& settings);

    // `words` of an EV line after "EV". Returns the name of the event and of its outcome.
    std::string happen(const std::vector<std::string>& words);
    // ST card, ST books: everything that the model says of them.
    void check_card(const std::vector<std::string>& words);
    void check_books(const std::vector<std::string>& words);

private:
    static constexpr unsigned model_void = 6;

    // An operation on card `card` with sequence `sequence`, in the model's numbers.
    struct Name {
        unsigned card = 0, sequence = 0, kind = 0;
        std::int64_t amount = 0;
        auto operator<=>(const Name&) const = default;
    };
    struct Seat {
        std::unique_ptr<TornCard> card;
        tallycard::CardId id;
        unsigned base = 0;          // operations before the walk begins
        Bytes doing;                // the command that the model has begun; empty
        std::optional<Name> asked;  // it is a REQUEST for this
    };

    void issue(std::uint8_t number, const Settings& settings);
    std::string execute(Seat& seat, const Name& name, const std::string& expected);
    std::string pay(Seat& seat, std::int64_t amount, const std::string& expected);
    std::string request(Seat& seat, const Name& name, const std::string& expected);
    std::string get_result(Seat& seat, unsigned card, unsigned sequence);
    std::string cut(Seat& seat, unsigned write);
    std::string commit(Seat& seat, unsigned card, bool sent);
    std::string authorise(const Name& name);
    std::string authorise_transfer(const Name& name);
    std::string void_pending(unsigned card);
    std::string settle(unsigned card, unsigned sequence);
    std::string resolve(unsigned card);

    std::string signed_as(const tallycard::Result<tallycard::OperationStatus>& status,
                          const Name& name);
    // What a command that the model says is refused, or answered again, gets; nothing may change.
    std::string unchanged(Seat& seat, const Bytes& command, Reply& reply);
    void keep_receipt(const Seat& seat, unsigned card, const tallycard::Receipt& receipt);
    unsigned settled(const Seat& seat);
    static tallycard::Kind kind_of(unsigned kind);
    static unsigned code_of(const std::optional<tallycard::FirstInstruction>& first);
    tallycard::Amount amount_of(const Name& name) const;

    tallycard::test::TestIssuer issuer_;
    tallycard::SoftwareCardRoot root_{tallycard::test::seed(2)};
    tallycard::Terminal terminal_;
    const tallycard::AccountId till_ = tallycard::test::account_id("till-1");
    const tallycard::AccountId account_ = tallycard::test::account_id("savings");
    std::array<Seat, 2> seats_;
    std::map<Name, tallycard::FirstInstruction> first_;
    std::map<Name, tallycard::SecondInstruction> second_;
    std::map<std::tuple<unsigned, unsigned>, tallycard::Submission> third_;
    std::uint32_t nonces_ = 0, tears_ = 0;
};

}  // namespace testing
