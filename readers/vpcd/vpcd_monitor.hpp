// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "../queued_monitor.hpp"
#include "vpcd_slot.hpp"

namespace tallycard::vpcd {

// Its thread polls the sockets of all slots. The readers are there from the start, and stay.
class Monitor final : public QueuedMonitor {
public:
    static Result<std::unique_ptr<ReaderMonitor>> start(std::vector<std::shared_ptr<Slot>> slots,
                                                        ReaderEventCallback callback);
    Monitor(std::vector<std::shared_ptr<Slot>> slots, ReaderEventCallback callback);
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor() override;

private:
    struct Watched {
        std::shared_ptr<Slot> slot;
        Inserted card;               // as was reported
        std::uint64_t arrivals = 0;  // that were reported
    };
    void run();
    bool look(Watched& reader);
    void sleep_until_change() const;
    void report(ReaderEvent::Kind kind, const Watched& reader, const Atr& atr = {});

    std::vector<Watched> readers_;
    Bell bell_;
};

}  // namespace tallycard::vpcd
