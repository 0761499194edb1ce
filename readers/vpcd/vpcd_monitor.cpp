// SPDX-License-Identifier: Apache-2.0
#include "vpcd_monitor.hpp"

#include <poll.h>

namespace tallycard::vpcd {

namespace {
using Kind = ReaderEvent::Kind;

constexpr std::chrono::milliseconds rest{5};
}  // namespace

Result<std::unique_ptr<ReaderMonitor>> Monitor::start(std::vector<std::shared_ptr<Slot>> slots,
                                                      ReaderEventCallback callback)
{
    auto monitor = std::make_unique<Monitor>(std::move(slots), std::move(callback));
    const auto started = monitor->QueuedMonitor::start([raw = monitor.get()] { raw->run(); });
    if (!started) return started.error();
    return std::unique_ptr<ReaderMonitor>(std::move(monitor));
}

Monitor::Monitor(std::vector<std::shared_ptr<Slot>> slots, ReaderEventCallback callback)
    : QueuedMonitor(std::move(callback))
{
    for (auto& slot : slots) {
        slot->add(bell_);
        readers_.push_back({.slot = std::move(slot), .card = {}});
    }
}

Monitor::~Monitor()
{
    finish();
    for (const auto& reader : readers_) reader.slot->remove(bell_);
}

void Monitor::report(Kind kind, const Watched& reader, const Atr& atr)
{
    push({.kind = kind, .reader = reader.slot->name(), .atr = atr});
}

void Monitor::run()
{
    // Looked at before they are reported: whatever happens after the report is seen as a change.
    for (auto& reader : readers_) {
        const auto now = reader.slot->look();
        reader.arrivals = now.card.channel ? now.arrivals - 1 : now.arrivals;
    }
    push({.kind = Kind::service_up, .reader = {}, .atr = {}});
    for (const auto& reader : readers_) report(Kind::reader_arrived, reader);
    while (!stopped()) {
        bell_.silence();
        bool has_changed = false;
        for (auto& reader : readers_) has_changed = look(reader) || has_changed;
        // Who cannot be let in, for want of descriptors, would wake us for ever.
        if (!has_changed && !sleep(rest)) return;
        sleep_until_change();
    }
}

// Whether something happened. Cards that came and left between two looks are counted by the
// listener.
bool Monitor::look(Watched& reader)
{
    const auto now = reader.slot->look();
    const bool is_in = now.card.channel != nullptr;
    const bool is_other = now.card.arrival != reader.card.arrival;
    if (reader.card.channel && (!is_in || is_other)) report(Kind::card_out, reader);
    const auto last = is_in ? now.arrivals - 1 : now.arrivals;
    for (; reader.arrivals < last; ++reader.arrivals) {
        report(Kind::card_in, reader);
        report(Kind::card_out, reader);
    }
    if (is_in && is_other) report(Kind::card_in, reader, now.card.atr);
    const bool has_changed =
        reader.arrivals != now.arrivals || reader.card.channel != now.card.channel;
    reader.arrivals = now.arrivals;
    reader.card = now.card;
    return has_changed;
}

void Monitor::sleep_until_change() const
{
    std::vector<pollfd> items = {
        {.fd = stop_descriptor(), .events = POLLIN, .revents = 0},
        {.fd = bell_.descriptor(), .events = POLLIN, .revents = 0},
    };
    for (const auto& reader : readers_) {
        items.push_back(
            {.fd = reader.slot->listener().descriptor(), .events = POLLIN, .revents = 0});
        const int card = reader.card.channel ? reader.card.channel->descriptor() : -1;
        items.push_back({.fd = card, .events = POLLRDHUP, .revents = 0});
    }
    (void)poll(items.data(), items.size(), -1);
}

}  // namespace tallycard::vpcd
