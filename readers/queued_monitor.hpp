// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include <tallycard/reader_monitor.hpp>

namespace tallycard {

// What the monitors of all drivers share: the queue, the callback, the descriptor. A driver pushes
// events from the function that starts it or from the thread that it start()s.
//
// It waits on descriptors and not on condition variables, which a forked child could not destroy.
class TALLYCARD_EXPORT QueuedMonitor : public ReaderMonitor {
public:
    int descriptor() const override { return readable_; }
    std::optional<ReaderEvent> next() override;
    Result<ReaderEvent> wait(std::chrono::milliseconds deadline) override;
    void stop() noexcept override;
    ~QueuedMonitor() override;

protected:
    explicit QueuedMonitor(ReaderEventCallback callback);

    // Errc::file_rejected (detail: errno) when the system had no descriptor left.
    Result<void> usable() const;
    // Runs `body` on the monitor's thread. The derived destructor calls finish() first.
    // Errc::file_rejected when the system has no thread left.
    Result<void> start(std::function<void()> body);
    void push(ReaderEvent event);
    bool stopped() const;
    // Sleeps at most this long. False: the monitor was stopped.
    bool sleep(std::chrono::milliseconds longest) const;
    // For poll(2): readable from stop() on.
    int stop_descriptor() const { return stopping_; }
    // Ends what the thread blocks in. Any thread; comes after stopped() has turned true.
    virtual void interrupt() noexcept {}
    // stop(), and waits for the thread. In a forked child, where there is no such thread, it is
    // left alone.
    void finish() noexcept;

private:
    ReaderEventCallback callback_;
    int readable_;  // while an event waits, and after stop()
    int stopping_;  // after stop()
    pid_t owner_;
    mutable std::mutex mutex_;
    std::deque<ReaderEvent> events_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace tallycard
