// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include <tallycard/reader.hpp>

#include "pcsc_context.hpp"

namespace tallycard::pcsc {

// What the service says of a reader slot.
struct Slot {
    DWORD state = SCARD_STATE_UNAWARE;  // as SCardGetStatusChange gives and takes it
    Atr atr;

    bool has_card() const { return (state & SCARD_STATE_PRESENT) != 0; }
    bool is_mute() const { return (state & SCARD_STATE_MUTE) != 0; }
    // Insertions and removals since the service has the reader. Two quick ones leave everything
    // as it was but for this.
    DWORD events() const { return state >> 16; }
};

// Its context is its waiter's: SCardCancel ends SCardGetStatusChange and nothing else.
class PcscReader final : public Reader {
public:
    PcscReader(std::string name, const Deadlines& deadlines)
        : name_(std::move(name)), deadlines_(deadlines)
    {
    }

    const std::string& name() const override { return name_; }
    Result<ReaderIdentity> identity() override;
    Result<Atr> card() override;
    Result<Atr> wait_for_card(std::chrono::milliseconds deadline) override;
    Result<void> wait_for_removal(std::chrono::milliseconds deadline) override;
    void cancel() noexcept override;
    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override;

private:
    Result<Slot> look();
    Result<Slot> next_change(const Slot& from, std::chrono::milliseconds longest);
    template <class Done>
    Result<Slot> wait_until(Done done, std::chrono::milliseconds deadline);
    Result<Atr> seen(const Slot& slot);

    std::string name_;
    Deadlines deadlines_;
    std::optional<Context> context_;
    std::optional<DWORD> card_seen_at_;  // Slot::events() of the card that a caller knows of
    std::mutex waiting_mutex_;
    std::optional<SCARDCONTEXT> waiting_;  // where a wait blocks just now
    std::atomic<bool> cancelled_ = false;
};

}  // namespace tallycard::pcsc
