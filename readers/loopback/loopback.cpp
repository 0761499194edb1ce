// SPDX-License-Identifier: Apache-2.0
#include <tallycard/loopback.hpp>

#include <algorithm>

#include "../../virtual-card/virtual_card.hpp"
#include "../queued_monitor.hpp"
#include "loopback_reader.hpp"

namespace tallycard {

namespace loopback {
namespace {

// All is there from the start, and stays.
class Monitor final : public QueuedMonitor {
public:
    Monitor(ReaderEventCallback callback, const std::vector<std::shared_ptr<Slot>>& slots)
        : QueuedMonitor(std::move(callback)), slots_(slots)
    {
    }
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor() override { finish(); }

    Result<void> start()
    {
        return QueuedMonitor::start([this] {
            push({.kind = ReaderEvent::Kind::service_up, .reader = {}, .atr = {}});
            for (const auto& slot : slots_) {
                push({.kind = ReaderEvent::Kind::reader_arrived, .reader = slot->name, .atr = {}});
                push({.kind = ReaderEvent::Kind::card_in,
                      .reader = slot->name,
                      .atr = slot->card->atr()});
            }
        });
    }

private:
    std::vector<std::shared_ptr<Slot>> slots_;
};

class Driver final : public ReaderDriver {
public:
    explicit Driver(std::vector<std::shared_ptr<Slot>> slots) : slots_(std::move(slots)) {}

    Result<std::vector<std::string>> list() override
    {
        std::vector<std::string> names;
        for (const auto& slot : slots_) names.push_back(slot->name);
        return names;
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        const auto found = std::ranges::find_if(
            slots_, [&](const std::shared_ptr<Slot>& slot) { return slot->name == name; });
        if (found == slots_.end())
            return Error{.code = Errc::reader_unavailable, .where = "loopback"};
        return std::unique_ptr<Reader>(std::make_unique<LoopbackReader>(*found));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        auto monitor = std::make_unique<Monitor>(std::move(callback), slots_);
        if (const auto usable = monitor->start(); !usable) return usable.error();
        return std::unique_ptr<ReaderMonitor>(std::move(monitor));
    }

private:
    std::vector<std::shared_ptr<Slot>> slots_;
};

}  // namespace
}  // namespace loopback

Result<std::unique_ptr<ReaderDriver>> open_loopback(std::vector<LoopbackCard> cards)
{
    std::vector<std::shared_ptr<loopback::Slot>> slots;
    for (auto& card : cards) {
        auto name = "loopback:" + card.image;
        auto opened =
            VirtualCard::open({.image = std::move(card.image),
                               .transport_key = card.transport_key ? &*card.transport_key : nullptr,
                               .protocol = card.protocol,
                               .durable = card.durable});
        if (!opened) return opened.error();
        slots.push_back(std::make_shared<loopback::Slot>(std::move(name), *std::move(opened)));
    }
    return std::unique_ptr<ReaderDriver>(std::make_unique<loopback::Driver>(std::move(slots)));
}

}  // namespace tallycard
