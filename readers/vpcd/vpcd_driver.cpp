// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/vpcd.hpp>

#include "vpcd_monitor.hpp"
#include "vpcd_reader.hpp"

namespace tallycard {

namespace vpcd {
namespace {

class Driver final : public ReaderDriver {
public:
    explicit Driver(std::vector<std::shared_ptr<Slot>> slots) : slots_(std::move(slots)) {}

    Result<std::vector<std::string>> list() override
    {
        std::vector<std::string> names;
        for (const auto& slot : slots_) names.push_back(slot->name());
        return names;
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        const auto found = std::ranges::find_if(
            slots_, [&](const std::shared_ptr<Slot>& slot) { return slot->name() == name; });
        if (found == slots_.end()) return Error{.code = Errc::reader_unavailable, .where = "vpcd"};
        return std::unique_ptr<Reader>(std::make_unique<VpcdReader>(*found));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        return Monitor::start(slots_, std::move(callback));
    }

private:
    std::vector<std::shared_ptr<Slot>> slots_;
};

}  // namespace
}  // namespace vpcd

Result<std::unique_ptr<ReaderDriver>> open_vpcd(const std::vector<std::string>& sockets,
                                                const Deadlines& deadlines)
{
    std::vector<std::shared_ptr<vpcd::Slot>> slots;
    for (const auto& socket : sockets) {
        auto slot = vpcd::Slot::open(socket, deadlines);
        if (!slot) return slot.error();
        slots.push_back(*std::move(slot));
    }
    return std::unique_ptr<ReaderDriver>(std::make_unique<vpcd::Driver>(std::move(slots)));
}

}  // namespace tallycard
