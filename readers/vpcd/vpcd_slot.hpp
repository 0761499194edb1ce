// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <tallycard/reader.hpp>

#include "vpcd_listener.hpp"

namespace tallycard::vpcd {

// A card from its arrival until it leaves.
struct Inserted {
    std::shared_ptr<Channel> channel;
    std::uint64_t arrival = 0;  // Listener::State::arrivals
    Atr atr;                    // as it answered to power on; empty when it did not
};

// Something to wait for, beside the sockets: whoever looks at a slot first takes a card in, and the
// socket then has nothing more to say to others who wait.
class Bell {
public:
    Bell();
    void ring() const noexcept;
    void silence() const noexcept;
    int descriptor() const { return event_.number(); }  // readable from ring() to silence()

private:
    Descriptor event_;
};

// One reader slot: its card, and the links that share it. Owned by the driver, readers, links and
// monitors together. From any thread.
class Slot {
public:
    static Result<std::shared_ptr<Slot>> open(const std::string& socket,
                                              const Deadlines& deadlines);

    const std::string& name() const { return name_; }
    const Deadlines& deadlines() const { return deadlines_; }
    const Listener& listener() const { return *listener_; }

    // The card that is in now, powered; a channel of null: none. `arrivals`: how many came so far.
    struct View {
        Inserted card;
        std::uint64_t arrivals = 0;
    };
    View look();
    // Rings when look() saw a change, whoever looked. The bell must be removed before it goes.
    void add(const Bell& bell);
    void remove(const Bell& bell);

    // Who uses the card. Errc::card_shared where another's exclusive use, or this one, prevents it.
    Result<void> take(Sharing sharing);
    void release(Sharing sharing, const void* link);

    // Errc::timed_out when another link holds the transaction for longer than the deadline.
    Result<void> begin(const void* link);
    void end(const void* link);
    // One exchange with `card`; one that is not in a transaction is one by itself, so that it waits
    // for another link's to end. Errc::timed_out as for begin().
    Result<std::size_t> transmit(const void* link, const Inserted& card,
                                 std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer);

private:
    Slot(std::string name, std::unique_ptr<Listener> listener, const Deadlines& deadlines);

    Result<void> hold(const void* link, std::chrono::milliseconds deadline);
    bool holds(const void* link);

    std::string name_;
    std::unique_ptr<Listener> listener_;
    Deadlines deadlines_;
    std::mutex card_mutex_;  // one exchange at a time; before mutex_ where both are held
    Inserted card_;
    std::uint64_t arrivals_ = 0;      // that look() has seen
    std::vector<const Bell*> bells_;  // with card_mutex_
    std::mutex mutex_;
    std::condition_variable freed_;
    int links_ = 0;
    bool exclusive_ = false;
    const void* holder_ = nullptr;  // whose transaction it is
};

}  // namespace tallycard::vpcd
