// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

#include "../vpcd/descriptor.hpp"
#include "../vpcd/vpcd_protocol.hpp"
#include "card_source.hpp"

namespace tallycard::ifd {

// One slot as pcscd sees it. Presence may be asked for, and waited for, while a command runs; the
// rest is one thread at a time, which pcscd sees to.
//
// pcscd's event thread waits in wait_for_change() and then asks is_present(); others ask too. A
// card that was replaced is first reported absent, until the event thread has seen that, so that
// every arrival has its removal. Commands go only to the card that was powered on: one that took
// its place hears nothing of what was meant for the other.
class Slot {
public:
    explicit Slot(std::unique_ptr<CardSource> source);
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() = default;

    bool is_present();
    // Until is_present() may answer something else to this thread, or stop_waiting() has been
    // called since the last wait, or the time is over.
    void wait_for_change(std::chrono::milliseconds at_most);
    void stop_waiting() noexcept;

    // Errc::no_card. All three lose what is volatile in the card.
    Result<Atr> power_on();
    Result<Atr> reset();
    void power_off();
    // Errc::no_card: not powered on, or gone before anything was sent. Errc::link_failed, among
    // other things, for an answer that is longer than there is room.
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer);

    std::optional<Atr> atr() const;  // of the card that is powered on

private:
    using Start = Result<Atr> (Card::*)();
    Result<Atr> start(Start how);
    std::shared_ptr<Card> powered() const;
    // Another thread than the event thread has seen `card`, and the source tells what has come and
    // gone once: the event thread has to look. Requires the mutex.
    void seen_by_another(const std::shared_ptr<Card>& card);

    std::unique_ptr<CardSource> source_;
    Descriptor wake_;  // an eventfd that ends one wait
    mutable std::mutex mutex_;
    std::thread::id event_thread_;
    std::shared_ptr<Card> announced_;  // whom the event thread knows to be in
    std::shared_ptr<Card> powered_;
    Atr atr_;
    std::array<std::uint8_t, vpcd::max_message> answer_{};  // a caller may have room for less
};

}  // namespace tallycard::ifd
