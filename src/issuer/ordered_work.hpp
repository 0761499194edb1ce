// SPDX-License-Identifier: Apache-2.0
// Work that several threads do, and that comes back in the order in which it was given.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tallycard {

// Whoever gives the work is one of the threads: take() works, too, where it would have to wait. So
// one thread means no other than the caller's. The others begin with the first piece and have ended
// when this is destroyed; pieces that nobody has begun by then are dropped.
//
// put(), full() and take() are for one thread.
class OrderedWork {
public:
    // Its run() is called once, by any of the threads, and its destructor by the caller's.
    class Piece {
    public:
        Piece() = default;
        Piece(const Piece&) = delete;
        Piece& operator=(const Piece&) = delete;
        virtual ~Piece();
        virtual void run() = 0;
    };

    // Requires one thread at least. Where the system gives fewer, it goes on with those.
    explicit OrderedWork(unsigned threads);
    OrderedWork(const OrderedWork&) = delete;
    OrderedWork& operator=(const OrderedWork&) = delete;
    ~OrderedWork();

    void put(std::unique_ptr<Piece> piece);
    // Whether to take() before the next put(): what is inside is bounded.
    bool full() const;
    // The oldest that is inside, done; null: there is none. Throws what its run() threw.
    std::unique_ptr<Piece> take();

private:
    struct Item {
        std::unique_ptr<Piece> piece;
        std::exception_ptr thrown;
        bool done = false;
    };
    using Lock = std::unique_lock<std::mutex>;

    void start_others();
    void work();
    bool is_waiting() const { return begun_ < work_.size(); }
    void do_next(Lock& lock);

    std::size_t to_start_;  // other threads
    const std::size_t most_;
    std::vector<std::thread> others_;
    mutable std::mutex mutex_;
    std::condition_variable waiting_, done_;
    std::deque<Item> work_;  // oldest first; the first begun_ of them are done or being done
    std::size_t begun_ = 0;
    bool stopping_ = false;
};

}  // namespace tallycard
