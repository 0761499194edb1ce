// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include <tallycard/result.hpp>

namespace tallycard::ifd {

// What was typed: digits, erased when they go.
class TypedPin {
public:
    static constexpr std::size_t max_digits = 32;

    TypedPin() = default;
    TypedPin(const TypedPin&) = delete;
    TypedPin& operator=(const TypedPin&) = delete;
    ~TypedPin() { clear(); }

    bool append(char digit);  // false: there is no more room
    void clear();
    std::span<const char> digits() const { return std::span(digits_).first(size_); }
    std::size_t size() const { return size_; }

private:
    std::array<char, max_digits> digits_{};
    std::size_t size_ = 0;
};

// What a person is asked for, and how long.
struct PinQuestion {
    const char* what;                 // "PIN", "old PIN", "new PIN", "new PIN again"
    std::size_t slot;                 // who asks
    std::chrono::milliseconds first;  // for the first key
    std::chrono::milliseconds next;   // for each one after it
};

// Where the PIN comes from in a reader without keys. One question at a time, from any thread.
class PinEntry {
public:
    PinEntry() = default;
    PinEntry(const PinEntry&) = delete;
    PinEntry& operator=(const PinEntry&) = delete;
    virtual ~PinEntry() = default;

    // One line. Errc::timed_out; Errc::cancelled: an empty line, or anything that is no digit;
    // Errc::malformed: more digits than any PIN has. The rest of such a line is passed over.
    Result<void> ask(const PinQuestion& question, TypedPin& pin);

protected:
    // A descriptor that the line is read from, for one question; ended with finish().
    virtual Result<int> begin(const PinQuestion& question) = 0;
    // Whether what was read counts: a prompt that failed has cancelled.
    virtual bool finish(bool answered) = 0;

private:
    std::mutex mutex_;
};

// Lines of a named pipe, made with mode 0600 where there is none. What is written before anybody
// asks waits there. Errc::file_rejected (detail: errno).
Result<std::unique_ptr<PinEntry>> open_pin_pipe(const std::string& path);

// What /bin/sh -c COMMAND prints, with TALLYCARD_PIN_PROMPT and TALLYCARD_SLOT in its environment.
// It runs as pcscd does; an exit status other than 0 cancels.
std::unique_ptr<PinEntry> open_pin_prompt(std::string command);

}  // namespace tallycard::ifd
