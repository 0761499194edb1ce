// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "../queued_monitor.hpp"
#include "pcsc_context.hpp"
#include "slot_history.hpp"

namespace tallycard::pcsc {

// Its thread sleeps in SCardGetStatusChange over all readers and the arrival of new ones, on a
// context of its own; giving that context up is what ends the sleep.
class PcscMonitor final : public QueuedMonitor {
public:
    static Result<std::unique_ptr<ReaderMonitor>> start(ReaderEventCallback callback);
    explicit PcscMonitor(ReaderEventCallback callback) : QueuedMonitor(std::move(callback)) {}
    PcscMonitor(const PcscMonitor&) = delete;
    PcscMonitor& operator=(const PcscMonitor&) = delete;
    ~PcscMonitor() override { finish(); }

private:
    struct Known {
        std::string name;
        Slot slot;  // as the service gave it last
        SlotHistory history;
        bool has_card = false;   // as was reported
        bool is_missed = false;  // in the last list
    };
    enum class Service : std::uint8_t { fails, gone };
    struct Watched {
        Service ended_by;
        bool has_served;
    };

    void run();
    Watched watch();
    Result<void> list(const Context& context);
    Result<void> sleep_until_change(const Context& context);
    void take(Known& reader, const SCARD_READERSTATE& now);
    void toggle(Known& reader, const Atr& atr);
    void arrived(const char* name);
    void left(const Known& reader);
    void up();
    void down();
    void interrupt() noexcept override;

    std::vector<Known> readers_;
    std::optional<bool> is_up_;  // as was reported
    std::mutex context_mutex_;
    std::optional<Context> context_;  // set and reset by the thread alone
};

}  // namespace tallycard::pcsc
