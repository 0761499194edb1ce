// SPDX-License-Identifier: Apache-2.0
#include "pcsc_monitor.hpp"

#include <algorithm>
#include <span>

#include "pcsc_list.hpp"

namespace tallycard::pcsc {

namespace {

using std::chrono::milliseconds;
using Kind = ReaderEvent::Kind;

constexpr milliseconds shortest_pause{10};
constexpr milliseconds longest_pause{1000};
// Connections in a row that fail before a wait has ended well, each after a longer pause: 1.3 s.
constexpr int most_failures = 8;
// A reader that arrives between the list and the wait is seen at the next list. So are taps that
// the service does not tell us of, since a counter of 0 says to it that we do not count.
constexpr milliseconds longest_wait{1000}, longest_wait_at_first{250};
constexpr milliseconds longest_wait_when_torn{2};
// One call takes this many; the monitor does not wait for readers beyond, but looks this often.
constexpr std::size_t most_states = PCSCLITE_MAX_READERS_CONTEXTS;
constexpr milliseconds longest_wait_beside_others{100};
constexpr const char* arrivals = R"(\\?PnP?\Notification)";

SCARD_READERSTATE asking(const char* name, DWORD known)
{
    SCARD_READERSTATE state{};
    state.szReader = name;
    state.dwCurrentState = known;
    return state;
}

// Fills in all states at once, without waiting.
LONG look(const Context& context, std::span<SCARD_READERSTATE> states)
{
    for (auto& state : states) state.dwCurrentState = SCARD_STATE_UNAWARE;
    while (!states.empty()) {
        const auto some = states.first(std::min(states.size(), most_states));
        const auto code =
            SCardGetStatusChange(context.handle(), 0, some.data(), static_cast<DWORD>(some.size()));
        if (code != SCARD_S_SUCCESS) return code;
        states = states.subspan(some.size());
    }
    return SCARD_S_SUCCESS;
}

// Succeeds when a service that was down serves again.
Result<void> probe(const Context& context)
{
    if (const auto names = list_readers(context); !names) return names.error();
    auto state = asking(arrivals, SCARD_STATE_UNAWARE);
    const auto code = SCardGetStatusChange(context.handle(), 1, &state, 1);
    if (code == SCARD_S_SUCCESS || code == SCARD_E_TIMEOUT) return {};
    return to_error(code, "SCardGetStatusChange");
}

}  // namespace

Result<std::unique_ptr<ReaderMonitor>> PcscMonitor::start(ReaderEventCallback callback)
{
    auto monitor = std::make_unique<PcscMonitor>(std::move(callback));
    const auto started = monitor->QueuedMonitor::start([raw = monitor.get()] { raw->run(); });
    if (!started) return started.error();
    return std::unique_ptr<ReaderMonitor>(std::move(monitor));
}

//              establish                     the service is gone, or fails again and again
//   looking ----------------> watching (service_up) --------------> looking (service_down)
//      \--- pause, twice as long every time, up to a second ---/
//
// A call that fails for another reason says nothing about readers and cards: a new connection
// carries on where the old one was.
void PcscMonitor::run()
{
    auto pause = shortest_pause;
    int failures = 0;
    while (!stopped()) {
        const auto watched = watch();
        if (watched.has_served) {
            pause = shortest_pause;
            failures = 0;
        }
        if (watched.ended_by == Service::gone || ++failures == most_failures) {
            down();
            failures = 0;
        }
        if (!sleep(pause)) return;
        pause = std::min(2 * pause, longest_pause);
    }
}

// Over one connection, until it fails.
PcscMonitor::Watched PcscMonitor::watch()
{
    Watched watched{.ended_by = Service::gone, .has_served = false};
    auto fresh = Context::establish();
    if (!fresh) {
        const bool may_be_there = fresh.error().code != Errc::service_unavailable;
        if (is_up_ == true && may_be_there) watched.ended_by = Service::fails;
        return watched;
    }
    {
        const std::lock_guard lock(context_mutex_);
        context_.emplace(*std::move(fresh));
    }
    auto done = is_up_ == false ? probe(*context_) : Result<void>();
    if (done) up();
    while (done && !stopped()) {
        done = list(*context_);
        if (done) done = sleep_until_change(*context_);
        if (done) watched.has_served = true;
    }
    if (!done && done.error().code != Errc::service_unavailable) watched.ended_by = Service::fails;
    const std::lock_guard lock(context_mutex_);
    context_.reset();
    return watched;
}

Result<void> PcscMonitor::list(const Context& context)
{
    const auto names = list_readers(context);
    if (!names) return names.error();
    std::erase_if(readers_, [&](const Known& reader) {
        const bool gone = reader.is_missed && !std::ranges::count(*names, reader.name);
        if (gone) left(reader);
        return gone;
    });
    for (auto& reader : readers_) reader.is_missed = !std::ranges::count(*names, reader.name);
    // Looked at before they are reported: whatever happens after the report is seen as a change.
    std::vector<SCARD_READERSTATE> fresh;
    for (const auto& name : *names) {
        if (std::ranges::find(readers_, name, &Known::name) != readers_.end()) continue;
        auto now = asking(name.c_str(), SCARD_STATE_UNAWARE);
        const auto code = look(context, std::span(&now, 1));
        if (code == SCARD_E_UNKNOWN_READER) continue;
        if (code != SCARD_S_SUCCESS) return to_error(code, "SCardGetStatusChange");
        if (!Slot::of(now).is_unknown()) fresh.push_back(now);
    }
    const auto known = readers_.size();
    for (const auto& now : fresh) arrived(now.szReader);
    // A card that was there before its reader was reported.
    for (std::size_t i = 0; i < fresh.size(); ++i) take(readers_[known + i], fresh[i]);
    return {};
}

Result<void> PcscMonitor::sleep_until_change(const Context& context)
{
    auto longest = longest_wait;
    std::vector<SCARD_READERSTATE> states;
    for (const auto& reader : readers_) {
        states.push_back(asking(reader.name.c_str(), reader.slot.state));
        if (reader.slot.counter() == 0) longest = std::min(longest, longest_wait_at_first);
        if (reader.history.is_torn()) longest = std::min(longest, longest_wait_when_torn);
    }
    if (states.size() > most_states) longest = std::min(longest, longest_wait_beside_others);
    if (states.size() < most_states) states.push_back(asking(arrivals, SCARD_STATE_UNAWARE));
    auto code =
        SCardGetStatusChange(context.handle(), static_cast<DWORD>(longest.count()), states.data(),
                             static_cast<DWORD>(std::min(states.size(), most_states)));
    states.resize(readers_.size());
    const bool others = states.size() > most_states && code == SCARD_S_SUCCESS;
    if (code == SCARD_E_TIMEOUT || others) code = look(context, states);
    // A reader that left since it was listed. The pause is for a service that does not say so.
    if (code == SCARD_E_UNKNOWN_READER) {
        sleep(shortest_pause);
        return {};
    }
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardGetStatusChange");
    for (std::size_t i = 0; i < readers_.size(); ++i) take(readers_[i], states[i]);
    return {};
}

// The counter tells taps apart that were over before we looked.
void PcscMonitor::take(Known& reader, const SCARD_READERSTATE& now)
{
    const auto slot = Slot::of(now);
    if (slot.is_unknown()) return;  // the next list says so
    reader.slot = slot;
    const auto changes = reader.history.take(slot, SlotHistory::Clock::now());
    for (unsigned i = 1; i <= changes; ++i) toggle(reader, i == changes ? slot.atr : Atr());
}

void PcscMonitor::toggle(Known& reader, const Atr& atr)
{
    reader.has_card = !reader.has_card;
    push({.kind = reader.has_card ? Kind::card_in : Kind::card_out,
          .reader = reader.name,
          .atr = reader.has_card ? atr : Atr()});
}

void PcscMonitor::arrived(const char* name)
{
    readers_.push_back({.name = name, .slot = {}, .history = {}});
    push({.kind = Kind::reader_arrived, .reader = name, .atr = {}});
}

void PcscMonitor::left(const Known& reader)
{
    if (reader.has_card) push({.kind = Kind::card_out, .reader = reader.name, .atr = {}});
    push({.kind = Kind::reader_left, .reader = reader.name, .atr = {}});
}

void PcscMonitor::up()
{
    if (is_up_ != true) push({.kind = Kind::service_up, .reader = {}, .atr = {}});
    is_up_ = true;
}

void PcscMonitor::down()
{
    for (const auto& reader : readers_) left(reader);
    readers_.clear();
    if (is_up_ != false) push({.kind = Kind::service_down, .reader = {}, .atr = {}});
    is_up_ = false;
}

void PcscMonitor::interrupt() noexcept
{
    const std::lock_guard lock(context_mutex_);
    if (context_ && !context_->give_up()) SCardCancel(context_->handle());
}

}  // namespace tallycard::pcsc
