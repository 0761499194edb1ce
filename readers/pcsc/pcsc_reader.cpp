// SPDX-License-Identifier: Apache-2.0
#include "pcsc_reader.hpp"

#include <algorithm>
#include <thread>

#include "pcsc_identity.hpp"
#include "pcsc_link.hpp"

namespace tallycard::pcsc {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// SCardCancel is lost when it comes just before the service knows that we wait; a wait looks up
// this often, so that no cancel takes longer.
constexpr milliseconds longest_sleep{200};
// Between two looks at a reader whose last one was torn.
constexpr milliseconds pause_of_torn_look{2};
constexpr milliseconds longest_deadline = std::chrono::hours(24 * 365);

// One SCardGetStatusChange.
Result<Slot> status_change(const Context& context, const std::string& name, DWORD known,
                           milliseconds longest)
{
    SCARD_READERSTATE state{};
    state.szReader = name.c_str();
    state.dwCurrentState = known;
    const LONG code =
        SCardGetStatusChange(context.handle(), static_cast<DWORD>(longest.count()), &state, 1);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardGetStatusChange");
    const auto slot = Slot::of(state);
    if (slot.is_unknown()) return to_error(SCARD_E_READER_UNAVAILABLE, "SCardGetStatusChange");
    return slot;
}

Error cancelled()
{
    return to_error(SCARD_E_CANCELLED, "SCardGetStatusChange");
}

}  // namespace

// Asks the service without waiting, and again while the look is torn.
Result<Slot> PcscReader::look()
{
    for (;;) {
        auto slot =
            follow(with_service(context_, "SCardGetStatusChange", [&](const Context& context) {
                return status_change(context, name_, SCARD_STATE_UNAWARE, milliseconds(0));
            }));
        if (!slot || !history_.is_torn()) return slot;
        std::this_thread::sleep_for(pause_of_torn_look);
    }
}

Result<Slot> PcscReader::follow(Result<Slot> slot)
{
    if (!slot) return slot;
    changes_ += history_.take(*slot, Clock::now());
    if (slot->is_unavailable()) return to_error(SCARD_E_READER_UNAVAILABLE, "SCardGetStatusChange");
    return slot;
}

Result<Slot> PcscReader::next_change(const Slot& from, milliseconds longest)
{
    {
        const std::lock_guard lock(waiting_mutex_);
        waiting_ = context_->handle();
    }
    auto slot =
        cancelled_ ? Result<Slot>(from) : status_change(*context_, name_, from.state, longest);
    {
        const std::lock_guard lock(waiting_mutex_);
        waiting_.reset();
    }
    slot = follow(slot);
    if (slot) return history_.is_torn() ? look() : slot;
    if (slot.error().code == Errc::service_unavailable) context_.reset();
    if (slot.error().code == Errc::cancelled) return from;
    if (slot.error().code != Errc::timed_out) return slot;
    // To the service a counter of 0 says that we do not count.
    return from.counter() == 0 ? look() : from;
}

template <class Done>
Result<Slot> PcscReader::wait_until(Done done, milliseconds deadline)
{
    const auto end = Clock::now() + std::min(deadline, longest_deadline);
    if (cancelled_.exchange(false)) return cancelled();
    auto slot = look();
    while (slot && !done()) {
        if (cancelled_.exchange(false)) return cancelled();
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        if (left <= milliseconds(0)) return to_error(SCARD_E_TIMEOUT, "SCardGetStatusChange");
        slot = next_change(*slot, std::min(left, longest_sleep));
    }
    return slot;
}

// A card that is there but says nothing: upside down, or not a chip card.
Result<Atr> PcscReader::seen(const Slot& slot)
{
    card_seen_at_ = changes_;
    if (slot.is_mute()) return to_error(SCARD_W_UNRESPONSIVE_CARD, "SCardGetStatusChange");
    return slot.atr;
}

Result<ReaderIdentity> PcscReader::identity()
{
    if (context_ && context_->inherited()) return refused_in_child("SCardConnect");
    return identify(name_, deadlines_.connect);
}

Result<Atr> PcscReader::card()
{
    const auto slot = look();
    if (!slot) return slot.error();
    if (!slot->has_card()) return to_error(SCARD_E_NO_SMARTCARD, "SCardGetStatusChange");
    return seen(*slot);
}

Result<Atr> PcscReader::wait_for_card(milliseconds deadline)
{
    const auto slot = wait_until([this] { return history_.has_card(); }, deadline);
    if (!slot) return slot.error();
    return seen(*slot);
}

// Another card in the place of the one that was seen is a removal, too.
Result<void> PcscReader::wait_for_removal(milliseconds deadline)
{
    auto known = card_seen_at_;
    const auto removed = [this, &known] {
        if (!known) known = changes_;
        return !history_.has_card() || changes_ != *known;
    };
    const auto slot = wait_until(removed, deadline);
    if (!slot) return slot.error();
    card_seen_at_.reset();
    return {};
}

void PcscReader::cancel() noexcept
{
    cancelled_ = true;
    const std::lock_guard lock(waiting_mutex_);
    if (waiting_) SCardCancel(*waiting_);
}

Result<std::unique_ptr<CardLink>> PcscReader::connect(Sharing sharing)
{
    if (context_ && context_->inherited()) return refused_in_child("SCardConnect");
    return Link::connect(name_, sharing, deadlines_);
}

}  // namespace tallycard::pcsc
