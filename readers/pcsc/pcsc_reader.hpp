// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include <tallycard/reader.hpp>

#include "pcsc_context.hpp"
#include "slot_history.hpp"

namespace tallycard::pcsc {

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
    Result<Slot> follow(Result<Slot> slot);
    Result<Slot> next_change(const Slot& from, std::chrono::milliseconds longest);
    template <class Done>
    Result<Slot> wait_until(Done done, std::chrono::milliseconds deadline);
    Result<Atr> seen(const Slot& slot);

    std::string name_;
    Deadlines deadlines_;
    std::optional<Context> context_;
    SlotHistory history_;
    std::uint64_t changes_ = 0;                  // how often a card came or went
    std::optional<std::uint64_t> card_seen_at_;  // changes_ at the card that a caller knows of
    std::mutex waiting_mutex_;
    std::optional<SCARDCONTEXT> waiting_;  // where a wait blocks just now
    std::atomic<bool> cancelled_ = false;
};

}  // namespace tallycard::pcsc
