// SPDX-License-Identifier: Apache-2.0
#include "vpcd_reader.hpp"

#include <algorithm>

namespace tallycard::vpcd {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds longest_deadline = std::chrono::hours(24 * 365);

Error failure(Errc code)
{
    return {.code = code, .where = "vpcd"};
}

}  // namespace

VpcdReader::VpcdReader(std::shared_ptr<Slot> slot) : slot_(std::move(slot))
{
    slot_->add(bell_);
}

VpcdReader::~VpcdReader()
{
    slot_->remove(bell_);
}

void VpcdReader::cancel() noexcept
{
    cancelled_ = true;
    bell_.ring();
}

template <class Done>
Result<Slot::View> VpcdReader::wait_until(Done done, milliseconds deadline)
{
    const auto end = Clock::now() + std::min(deadline, longest_deadline);
    for (;;) {
        bell_.silence();
        if (cancelled_.exchange(false)) return failure(Errc::cancelled);
        const auto view = slot_->look();
        if (done(view)) return view;
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        if (left <= milliseconds(0)) return failure(Errc::timed_out);
        (void)slot_->listener().wait(left, bell_.descriptor());
    }
}

Result<Atr> VpcdReader::seen(const Slot::View& view)
{
    known_ = view.card.arrival;
    if (view.card.atr.size() == 0) return failure(Errc::link_failed);
    return view.card.atr;
}

Result<Atr> VpcdReader::card()
{
    const auto view = slot_->look();
    if (!view.card.channel) return failure(Errc::no_card);
    return seen(view);
}

Result<Atr> VpcdReader::wait_for_card(milliseconds deadline)
{
    const auto view =
        wait_until([](const Slot::View& now) { return now.card.channel != nullptr; }, deadline);
    if (!view) return view.error();
    return seen(*view);
}

// Another card in the place of the one that was seen is a removal, too.
Result<void> VpcdReader::wait_for_removal(milliseconds deadline)
{
    const auto removed = [this](const Slot::View& now) {
        if (!now.card.channel) return true;
        if (!known_) known_ = now.card.arrival;
        return now.card.arrival != *known_;
    };
    const auto view = wait_until(removed, deadline);
    if (!view) return view.error();
    known_.reset();
    return {};
}

}  // namespace tallycard::vpcd
