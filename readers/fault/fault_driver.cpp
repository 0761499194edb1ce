// SPDX-License-Identifier: Apache-2.0
#include <tallycard/fault_reader.hpp>

#include "fault_monitor.hpp"
#include "fault_reader.hpp"

namespace tallycard {

namespace fault {
namespace {

class Driver final : public ReaderDriver {
public:
    Driver(std::unique_ptr<ReaderDriver> inner, const FaultPlan& plan)
        : inner_(std::move(inner)), stage_(std::make_shared<Stage>(plan))
    {
    }

    Result<std::vector<std::string>> list() override
    {
        auto names = inner_->list();
        if (!names) return names;
        std::erase_if(*names, [this](const std::string& name) { return is_unplugged(name); });
        return names;
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        auto reader = inner_->open(name);
        if (!reader) return reader;
        if (is_unplugged((*reader)->name()))
            return Error{.code = Errc::reader_unavailable, .where = "fault reader"};
        return std::unique_ptr<Reader>(std::make_unique<FaultReader>(*std::move(reader), stage_));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        auto below = inner_->monitor({});
        if (!below) return below;
        auto monitor = std::make_unique<Monitor>(std::move(callback), stage_);
        if (const auto usable = monitor->start(*std::move(below)); !usable) return usable.error();
        return std::unique_ptr<ReaderMonitor>(std::move(monitor));
    }

private:
    bool is_unplugged(const std::string& name) const { return stage_->away(name) == Away::reader; }
    std::unique_ptr<ReaderDriver> inner_;
    std::shared_ptr<Stage> stage_;
};

}  // namespace
}  // namespace fault

std::unique_ptr<ReaderDriver> open_faulty(std::unique_ptr<ReaderDriver> inner,
                                          const FaultPlan& plan)
{
    return std::make_unique<fault::Driver>(std::move(inner), plan);
}

}  // namespace tallycard
