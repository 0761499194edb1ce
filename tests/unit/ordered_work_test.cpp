// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "issuer/ordered_work.hpp"

using namespace tallycard;

namespace {

class Task final : public OrderedWork::Piece {
public:
    explicit Task(std::function<void()> what) : what_(std::move(what)) {}
    void run() override { what_(); }

private:
    std::function<void()> what_;
};

std::unique_ptr<Task> task(std::function<void()> what)
{
    return std::make_unique<Task>(std::move(what));
}

// Waits until so many are here: no thread can do the work of another.
class Meeting {
public:
    explicit Meeting(int people) : missing_(people) {}
    void come()
    {
        --missing_;
        while (missing_ > 0) std::this_thread::yield();
    }

private:
    std::atomic<int> missing_;
};

}  // namespace

TEST_CASE("work comes back in the order in which it was given, once each, with any threads")
{
    constexpr std::size_t count = 500;
    for (const unsigned threads : {1U, 2U, 7U}) {
        OrderedWork work(threads);
        std::vector<const OrderedWork::Piece*> given, taken;
        std::atomic<std::size_t> runs{0};
        for (std::size_t i = 0; i < count; ++i) {
            auto piece = task([&] { ++runs; });
            given.push_back(piece.get());
            work.put(std::move(piece));
            while (work.full()) taken.push_back(work.take().release());
        }
        while (const auto* piece = work.take().release()) taken.push_back(piece);
        CHECK(taken == given);
        CHECK(runs == count);
        for (const auto* piece : taken) delete piece;
    }
}

TEST_CASE("one thread is the caller's, and holds one piece at most")
{
    OrderedWork work(1);
    std::thread::id worker;
    work.put(task([&] { worker = std::this_thread::get_id(); }));
    REQUIRE(work.full());
    REQUIRE(work.take() != nullptr);
    REQUIRE(worker == std::this_thread::get_id());
    REQUIRE(!work.full());
    REQUIRE(work.take() == nullptr);
}

TEST_CASE("as many pieces as there are threads are at work at once, one of them with the caller")
{
    for (const int threads : {2, 7}) {
        OrderedWork work(static_cast<unsigned>(threads));
        Meeting meeting(threads);
        for (int i = 0; i < threads; ++i) work.put(task([&] { meeting.come(); }));
        for (int i = 0; i < threads; ++i) REQUIRE(work.take() != nullptr);
    }
}

TEST_CASE("what a piece throws is thrown where it is taken, and the others are not lost")
{
    for (const unsigned threads : {1U, 2U, 7U}) {
        OrderedWork work(threads);
        int before = 0, after = 0;
        work.put(task([&] { ++before; }));
        work.put(task([] { throw std::bad_alloc(); }));
        work.put(task([&] { ++after; }));
        REQUIRE(work.take() != nullptr);
        REQUIRE(before == 1);
        REQUIRE_THROWS_AS(work.take(), std::bad_alloc);
        REQUIRE(work.take() != nullptr);
        REQUIRE(after == 1);
        REQUIRE(work.take() == nullptr);
    }
}

TEST_CASE("work that is dropped ends with its threads: what has begun is done, the rest is not")
{
    std::atomic<int> begun{0}, done{0};
    {
        OrderedWork work(3);
        for (int i = 0; i < 100; ++i)
            work.put(task([&] {
                ++begun;
                std::this_thread::yield();
                ++done;
            }));
    }
    REQUIRE(begun == done);
}
