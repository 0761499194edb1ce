// SPDX-License-Identifier: Apache-2.0
#include "pcsc_monitor.hpp"

#include <algorithm>

#include "pcsc_list.hpp"

namespace tallycard::pcsc {

namespace {

using std::chrono::milliseconds;
using Kind = ReaderEvent::Kind;

constexpr milliseconds shortest_pause{10};
constexpr milliseconds longest_pause{1000};
// A reader that arrives between the list and the wait is seen at the next list. So are taps that
// the service does not tell us of, since a counter of 0 says to it that we do not count.
constexpr milliseconds longest_wait{1000}, longest_wait_at_first{250};
constexpr const char* arrivals = R"(\\?PnP?\Notification)";

constexpr DWORD no_reader = SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE | SCARD_STATE_IGNORE;

DWORD seen(const SCARD_READERSTATE& state)
{
    return state.dwEventState & ~static_cast<DWORD>(SCARD_STATE_CHANGED);
}

// Insertions and removals since the service has the reader.
DWORD taps(DWORD state)
{
    return state >> 16;
}

Atr atr_of(const SCARD_READERSTATE& state)
{
    const auto size = std::min<std::size_t>(state.cbAtr, Atr::capacity);
    return Atr(std::span(state.rgbAtr).first(size));
}

}  // namespace

Result<std::unique_ptr<ReaderMonitor>> PcscMonitor::start(ReaderEventCallback callback)
{
    auto monitor = std::make_unique<PcscMonitor>(std::move(callback));
    const auto started = monitor->QueuedMonitor::start([raw = monitor.get()] { raw->run(); });
    if (!started) return started.error();
    return std::unique_ptr<ReaderMonitor>(std::move(monitor));
}

//              establish                         list or wait fails
//   looking ----------------> watching (service_up) --------------> looking (service_down)
//      \--- pause, twice as long every time, up to a second ---/
void PcscMonitor::run()
{
    auto pause = shortest_pause;
    bool was_down = false;
    while (!stopped()) {
        auto fresh = Context::establish();
        if (fresh) {
            const std::lock_guard lock(context_mutex_);
            context_.emplace(*std::move(fresh));
        }
        if (context_) {
            if (watch(*context_)) pause = shortest_pause;
            const std::lock_guard lock(context_mutex_);
            context_.reset();
            was_down = true;
        } else if (!was_down) {
            push({.kind = Kind::service_down, .reader = {}, .atr = {}});
            was_down = true;
        }
        if (!sleep(pause)) return;
        pause = std::min(2 * pause, longest_pause);
    }
}

// Until the service is gone. Whether it had served.
bool PcscMonitor::watch(const Context& context)
{
    push({.kind = Kind::service_up, .reader = {}, .atr = {}});
    bool has_served = false;
    while (!stopped() && list(context)) {
        has_served = true;
        if (!sleep_until_change(context)) break;
    }
    all_left();
    push({.kind = Kind::service_down, .reader = {}, .atr = {}});
    return has_served;
}

// False: the service is gone.
bool PcscMonitor::list(const Context& context)
{
    const auto names = list_readers(context);
    if (!names) return false;
    std::erase_if(readers_, [&](const Known& reader) {
        const bool gone = std::ranges::find(*names, reader.name) == names->end();
        if (gone) left(reader);
        return gone;
    });
    // Looked at before they are reported: whatever happens after the report is seen as a change.
    std::vector<SCARD_READERSTATE> fresh;
    for (const auto& name : *names) {
        if (std::ranges::find(readers_, name, &Known::name) != readers_.end()) continue;
        SCARD_READERSTATE now{};
        now.szReader = name.c_str();
        const auto code = SCardGetStatusChange(context.handle(), 0, &now, 1);
        if (code == SCARD_E_UNKNOWN_READER || (now.dwEventState & no_reader) != 0) continue;
        if (code != SCARD_S_SUCCESS) return false;
        fresh.push_back(now);
    }
    const auto known = readers_.size();
    for (const auto& now : fresh) arrived(now);
    for (std::size_t i = 0; i < fresh.size(); ++i) begin(readers_[known + i], fresh[i]);
    return true;
}

// False: the service is gone.
bool PcscMonitor::sleep_until_change(const Context& context)
{
    auto longest = longest_wait;
    std::vector<SCARD_READERSTATE> states(readers_.size() + 1);
    for (std::size_t i = 0; i < readers_.size(); ++i) {
        states[i].szReader = readers_[i].name.c_str();
        states[i].dwCurrentState = readers_[i].state;
        if (taps(readers_[i].state) == 0) longest = longest_wait_at_first;
    }
    states.back().szReader = arrivals;
    auto code = SCardGetStatusChange(context.handle(), static_cast<DWORD>(longest.count()),
                                     states.data(), static_cast<DWORD>(states.size()));
    if (code == SCARD_E_TIMEOUT) {
        if (readers_.empty()) return true;
        for (auto& state : states) state.dwCurrentState = SCARD_STATE_UNAWARE;
        code = SCardGetStatusChange(context.handle(), 0, states.data(),
                                    static_cast<DWORD>(readers_.size()));
    }
    // A reader that left since it was listed. The pause is for a service that does not say so.
    if (code == SCARD_E_UNKNOWN_READER) return sleep(shortest_pause);
    if (code != SCARD_S_SUCCESS) return false;
    for (std::size_t i = 0; i < readers_.size(); ++i) take(readers_[i], states[i]);
    return true;
}

// The counter tells taps apart that were over before we looked.
void PcscMonitor::take(Known& reader, const SCARD_READERSTATE& now)
{
    if ((now.dwEventState & no_reader) != 0) return;  // the next list says so
    const bool has_card = (now.dwEventState & SCARD_STATE_PRESENT) != 0;
    const DWORD before = taps(reader.state), after = taps(now.dwEventState);
    reader.state = seen(now);
    const bool ends_as_seen = (after - before) % 2 == (reader.has_card != has_card ? 1U : 0U);
    if (after < before || !ends_as_seen) {
        // The service counts from the start: the reader left and came back while nobody looked.
        left(reader);
        push({.kind = Kind::reader_arrived, .reader = reader.name, .atr = {}});
        reader.has_card = false;
        begin(reader, now);
        return;
    }
    for (DWORD tap = before; tap != after; ++tap)
        toggle(reader, tap + 1 == after ? atr_of(now) : Atr());
}

void PcscMonitor::toggle(Known& reader, const Atr& atr)
{
    reader.has_card = !reader.has_card;
    push({.kind = reader.has_card ? Kind::card_in : Kind::card_out,
          .reader = reader.name,
          .atr = reader.has_card ? atr : Atr()});
}

void PcscMonitor::arrived(const SCARD_READERSTATE& now)
{
    readers_.push_back({.name = now.szReader, .state = seen(now)});
    push({.kind = Kind::reader_arrived, .reader = now.szReader, .atr = {}});
}

// A card that was there before its reader was reported.
void PcscMonitor::begin(Known& reader, const SCARD_READERSTATE& now)
{
    if ((now.dwEventState & SCARD_STATE_PRESENT) != 0) toggle(reader, atr_of(now));
}

void PcscMonitor::left(const Known& reader)
{
    if (reader.has_card) push({.kind = Kind::card_out, .reader = reader.name, .atr = {}});
    push({.kind = Kind::reader_left, .reader = reader.name, .atr = {}});
}

void PcscMonitor::all_left()
{
    for (const auto& reader : readers_) left(reader);
    readers_.clear();
}

void PcscMonitor::interrupt() noexcept
{
    const std::lock_guard lock(context_mutex_);
    if (context_ && !context_->give_up()) SCardCancel(context_->handle());
}

}  // namespace tallycard::pcsc
