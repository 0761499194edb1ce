// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/reader_monitor.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

enum class Sharing : std::uint8_t { shared, exclusive };
enum class TransmissionProtocol : std::uint8_t { t0, t1 };

// How long a call may take. A card that never answers, or another program's transaction, would hold
// it for ever. A link that was given up stays failed: connect again.
struct Deadlines {
    std::chrono::milliseconds connect{10'000};
    std::chrono::milliseconds begin{10'000};
    std::chrono::milliseconds transmit{10'000};
    std::chrono::milliseconds pin_entry{60'000};  // a person types
};

// What a reader with a keypad does with a PIN block in a command of ours.
enum class PinEntry : std::uint8_t {
    verify,  // one PIN: the data of the command is one block
    modify,  // the old PIN, and the new one twice: two blocks
};

// A connection to the card in a reader. Closing it (the destructor) leaves the card powered for
// others; the volatile state of the card (selection, PIN) may survive. Not thread-safe.
class TALLYCARD_EXPORT CardLink {
public:
    CardLink() = default;
    CardLink(const CardLink&) = delete;
    CardLink& operator=(const CardLink&) = delete;
    virtual ~CardLink();

    virtual const Atr& atr() const = 0;
    virtual TransmissionProtocol protocol() const = 0;

    // Takes the card for ourselves, and gives it back. Nobody else's command comes between.
    // Errc::card_reset: another program reset the card; call reconnect().
    virtual Result<void> begin() = 0;
    virtual Result<void> end() = 0;

    // Sends one command as it is (a T=0 link takes a TPDU) and writes the answer, status word
    // included, into `answer`; the result is its size. On failure Error::effect says whether the
    // card may have seen the command.
    virtual Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                         std::span<std::uint8_t> answer) = 0;

    // Makes the link usable again after Errc::card_reset; select and PIN are gone.
    virtual Result<void> reconnect() = 0;

    // Whether PINs can be typed at the reader (PC/SC part 10), so that they never enter this
    // process.
    virtual bool has_pin_pad() { return false; }
    // As transmit(), with the PIN blocks (ISO 9564-1 format 2, 8 bytes each) put into the data of
    // `command` by the reader; what is there is replaced. Nothing was sent to the card when it is
    // Errc::cancelled (the holder pressed the cancel key, or typed what cannot be a PIN; Error::sw
    // as in PC/SC part 10: 6401, 6402, 6403) or Errc::timed_out with SW 6400 (nothing was typed).
    // Requires has_pin_pad().
    virtual Result<std::size_t> transmit_with_pin(PinEntry entry,
                                                  std::span<const std::uint8_t> command,
                                                  std::span<std::uint8_t> answer);
};

// What tells one reader from another of its model, where it has such a thing. Empty: it has not.
struct ReaderIdentity {
    std::string serial;    // as the reader gives it
    std::string usb_path;  // bus and ports, "1-2.4": the place where it is plugged in
};

// One reader slot. May outlive the card, the reader and the service: then its calls fail.
// Not thread-safe, but for cancel().
class TALLYCARD_EXPORT Reader {
public:
    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    virtual ~Reader();

    virtual const std::string& name() const = 0;
    virtual Result<ReaderIdentity> identity() { return ReaderIdentity{}; }

    // Errc::no_card when the reader is empty. Does not wait.
    virtual Result<Atr> card() = 0;

    // Returns when a card is there. Errc::timed_out after `deadline`; Errc::cancelled by cancel().
    virtual Result<Atr> wait_for_card(std::chrono::milliseconds deadline) = 0;
    // Returns when no card is there, likewise.
    virtual Result<void> wait_for_removal(std::chrono::milliseconds deadline) = 0;
    // Ends a wait of another thread, or the next one. From any thread.
    virtual void cancel() noexcept = 0;

    // Errc::no_card; Errc::card_shared when another program holds it against us.
    virtual Result<std::unique_ptr<CardLink>> connect(Sharing sharing) = 0;
};

// A source of readers: a driver of this library. Not thread-safe.
class TALLYCARD_EXPORT ReaderDriver {
public:
    ReaderDriver() = default;
    ReaderDriver(const ReaderDriver&) = delete;
    ReaderDriver& operator=(const ReaderDriver&) = delete;
    virtual ~ReaderDriver();

    // Names, in the order of the driver. No reader is an empty list, not an error.
    virtual Result<std::vector<std::string>> list() = 0;
    // `name` is one of list(), or "serial:S" or "usb:PATH" for the first reader of that identity:
    // such a name stays right when readers are plugged in another order.
    // Errc::reader_unavailable when there is no such reader.
    virtual Result<std::unique_ptr<Reader>> open(const std::string& name) = 0;

    // Starts to watch. An empty callback: events are taken from the monitor.
    virtual Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) = 0;
};

}  // namespace tallycard
