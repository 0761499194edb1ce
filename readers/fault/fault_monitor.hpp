// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "../queued_monitor.hpp"
#include "fault_stage.hpp"

namespace tallycard::fault {

// The events of another monitor, and those of cards and readers that faults pulled, in one order: a
// card that was pulled goes and comes once, also where both ways of leaving meet.
class Monitor final : public QueuedMonitor, private PullListener {
public:
    Monitor(ReaderEventCallback callback, std::shared_ptr<Stage> stage);
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor() override;

    // `inner` gives its events to nobody else.
    Result<void> start(std::unique_ptr<ReaderMonitor> inner);

private:
    // A reader: what is so below, and what was told.
    struct Seen {
        bool is_here = false, has_card = false;
        Atr atr;
        bool told_here = false, told_card = false;
    };
    struct Pull {
        std::string reader;
        Away what;
    };

    void interrupt() noexcept override;
    void pulled(const std::string& reader, Away what) override;
    void run();
    void await() const;
    void take(const ReaderEvent& event);
    std::optional<Pull> next_pull();
    void tell(const std::string& reader, Away away);

    std::shared_ptr<Stage> stage_;
    std::unique_ptr<ReaderMonitor> inner_;
    int wake_;
    std::mutex pulls_mutex_;
    std::deque<Pull> pulls_;
    std::map<std::string, Seen> seen_;  // of the monitor's thread
};

}  // namespace tallycard::fault
