// SPDX-License-Identifier: Apache-2.0
// A card in memory that is watched: after each command, whatever it was and wherever the power
// went, its memory has to be what docs/protocol.md admits.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../../virtual-card/applet/t0_framing.hpp"
#include "card_table.hpp"
#include "cut_storage.hpp"

namespace fuzz {

using tallycard::chip::CardMemory;
using Encoding = std::array<std::uint8_t, CardMemory::encoded_size>;

inline Encoding encoded(const CardMemory& memory)
{
    Encoding bytes;
    memory.encode(bytes);
    return bytes;
}

// Knows what was promised, and what was tried since: all that may be found after a cut.
class WatchedNvm final : public tallycard::chip::Nvm {
public:
    explicit WatchedNvm(tallycard::chip::Storage& storage) : slots_(storage) {}

    void load();
    bool readable() const override { return slots_.readable(); }
    const CardMemory& current() const override { return slots_.current(); }
    CardMemory& draft() override { return *(draft_ = &slots_.draft()); }
    bool commit() override;

private:
    tallycard::chip::SlotNvm slots_;
    CardMemory* draft_ = nullptr;
    std::optional<Encoding> promised_, attempt_;
};

class WatchedCard {
public:
    struct Setup {
        CardMemory memory;
        bool is_t0 = false;
        bool is_damaged = false;
    };
    explicit WatchedCard(const Setup& setup);

    void send(const Bytes& command);
    void power_cycle();
    void plan(CutStorage::Fault fault) { storage_.plan(fault); }
    // Where nothing is readable: zeros.
    const CardMemory& now() const { return nvm_.readable() ? nvm_.current() : nothing_; }
    bool is_t0() const { return is_t0_; }
    const std::vector<Bytes>& sent() const { return sent_; }

private:
    struct Exchange {
        const Bytes& command;
        std::span<const std::uint8_t> data;  // of the command
        tallycard::StatusWord sw;
        std::span<const std::uint8_t> answer;  // without it
        std::uint8_t ins() const { return command.size() < 4 ? 0 : command[1]; }
        // CHANGE REFERENCE DATA after kind 16.
        bool sets_pin() const { return ins() == 0x24 && command[2] == 1; }
        // REQUEST for what no card asks for.
        bool asks_amiss() const;
        bool is_done() const { return sw.ok() || sw.sw1() == 0x61; }
    };

    bool was_known(const Exchange& exchange) const;
    void check_refused(const Exchange& exchange);
    void check_done(const Exchange& exchange);
    void check_progress() const;
    void check_executed(const Exchange& exchange);
    void check_instruction(const Exchange& exchange, const tallycard::Operation& operation,
                           const tallycard::chip::LogEntry& entry) const;
    void check_pin_opened(tallycard::Kind executed) const;
    void check_request(const Exchange& exchange) const;
    void check_answer(const Exchange& exchange) const;
    void check_pin(const Exchange& exchange);
    void check_pin_set(const Exchange& exchange) const;
    bool is_pin_as_before() const;
    bool only_a_try_is_gone() const;

    CutStorage storage_;
    WatchedNvm nvm_{storage_};
    tallycard::chip::Applet applet_{nvm_};
    tallycard::chip::T0Framing t0_{applet_};
    bool is_t0_;
    bool pin_stands_ = false;
    CardMemory before_, nothing_;
    Encoding before_bytes_{};
    std::vector<Bytes> sent_;
    struct Known {
        Bytes command, answer;
    };
    std::vector<Known> executed_;
};

}  // namespace fuzz
