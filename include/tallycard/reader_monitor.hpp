// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

using Atr = Encoded<33>;  // answer to reset (ISO/IEC 7816-3)

// What happened at the readers of a driver.
struct ReaderEvent {
    enum class Kind : std::uint8_t {
        service_up,      // from here on readers and cards are seen
        service_down,    // the service has gone; readers and cards were reported gone before
        reader_arrived,  // with no card until one is reported
        reader_left,
        card_in,
        card_out,
    };

    Kind kind{};
    std::string reader;  // empty for the service
    Atr atr;             // card_in: empty for a card that says nothing
};

// The name of an event as written above: "card_in". For JSON and logs.
TALLYCARD_EXPORT const char* name(ReaderEvent::Kind kind) noexcept;

// Called on the monitor's thread, one event after the other. Must not throw, and may stop() the
// monitor but not destroy it.
using ReaderEventCallback = std::function<void(const ReaderEvent&)>;

// Sees readers and cards come and go; ReaderDriver::monitor() makes it. The first events tell what
// is there already. In order and without a gap: what came has left before it comes again, so that
// two quick taps are card_in, card_out, card_in, card_out. A service that goes is waited for, at
// growing intervals of up to a second, and reported when it is back; a monitor ends by stop() or
// its destructor alone.
//
// Without a callback the events wait in a queue until they are taken. Thread-safe.
class TALLYCARD_EXPORT ReaderMonitor {
public:
    ReaderMonitor() = default;
    ReaderMonitor(const ReaderMonitor&) = delete;
    ReaderMonitor& operator=(const ReaderMonitor&) = delete;
    virtual ~ReaderMonitor();

    // For poll(2): readable while an event waits, and after stop(). It is the monitor's: do not
    // read it, do not close it.
    virtual int descriptor() const = 0;
    // The oldest event that waits; empty when there is none. Does not wait.
    virtual std::optional<ReaderEvent> next() = 0;
    // The same, and waits. Errc::timed_out after `deadline`; Errc::cancelled when the monitor was
    // stopped and no event is left.
    virtual Result<ReaderEvent> wait(std::chrono::milliseconds deadline) = 0;

    // No event is reported after it has returned, but for the one of a callback that runs. From
    // any thread, the callback's included.
    virtual void stop() noexcept = 0;
};

}  // namespace tallycard
