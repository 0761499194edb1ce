// SPDX-License-Identifier: Apache-2.0
#include "ordered_work.hpp"

#include <system_error>
#include <utility>

#include <tallycard/contract.hpp>

namespace tallycard {
namespace {

// So many that none of the others waits while the caller is at one.
constexpr std::size_t pieces_for_each = 4;

}  // namespace

OrderedWork::Piece::~Piece() = default;

OrderedWork::OrderedWork(unsigned threads)
    : to_start_(threads - 1), most_(threads == 1 ? 1 : pieces_for_each * threads)
{
    TALLYCARD_EXPECTS(threads > 0);
}

OrderedWork::~OrderedWork()
{
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    waiting_.notify_all();
    for (auto& other : others_) other.join();
}

void OrderedWork::start_others()
{
    others_.reserve(others_.size() + to_start_);
    try {
        for (; to_start_ > 0; --to_start_) others_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
        to_start_ = 0;
    }
}

void OrderedWork::put(std::unique_ptr<Piece> piece)
{
    if (to_start_ > 0) start_others();
    {
        const std::scoped_lock lock(mutex_);
        work_.push_back({.piece = std::move(piece), .thrown = {}});
    }
    waiting_.notify_one();
}

bool OrderedWork::full() const
{
    const std::scoped_lock lock(mutex_);
    return work_.size() >= most_;
}

std::unique_ptr<OrderedWork::Piece> OrderedWork::take()
{
    Lock lock(mutex_);
    if (work_.empty()) return nullptr;
    while (!work_.front().done) {
        if (!is_waiting()) {
            done_.wait(lock);
            continue;
        }
        do_next(lock);
    }
    auto item = std::move(work_.front());
    work_.pop_front();
    --begun_;
    lock.unlock();
    if (item.thrown) std::rethrow_exception(item.thrown);
    return std::move(item.piece);
}

// References into a deque outlive what is put at its end and taken from its front.
void OrderedWork::do_next(Lock& lock)
{
    auto& item = work_[begun_++];
    lock.unlock();
    try {
        item.piece->run();
    } catch (...) {
        item.thrown = std::current_exception();
    }
    lock.lock();
    item.done = true;
}

void OrderedWork::work()
{
    Lock lock(mutex_);
    while (!stopping_) {
        if (!is_waiting()) {
            waiting_.wait(lock);
            continue;
        }
        do_next(lock);
        done_.notify_one();
    }
}

}  // namespace tallycard
