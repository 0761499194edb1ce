// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

using Atr = Encoded<33>;  // answer to reset (ISO/IEC 7816-3)

enum class Sharing : std::uint8_t { shared, exclusive };
enum class TransmissionProtocol : std::uint8_t { t0, t1 };

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
    // Errc::reader_unavailable when there is no reader of this name.
    virtual Result<std::unique_ptr<Reader>> open(const std::string& name) = 0;
};

}  // namespace tallycard
