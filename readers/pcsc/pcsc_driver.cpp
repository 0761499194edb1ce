// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>

#include <tallycard/pcsc.hpp>

#include "pcsc_context.hpp"
#include "pcsc_identity.hpp"
#include "pcsc_list.hpp"
#include "pcsc_monitor.hpp"
#include "pcsc_reader.hpp"

namespace tallycard {

namespace pcsc {
namespace {

constexpr std::string_view serial_prefix = "serial:", usb_prefix = "usb:";

bool fits(const ReaderIdentity& identity, std::string_view wanted)
{
    if (wanted.starts_with(serial_prefix))
        return identity.serial == wanted.substr(serial_prefix.size());
    return identity.usb_path == wanted.substr(usb_prefix.size());
}

class Driver final : public ReaderDriver {
public:
    Driver(Context context, const Deadlines& deadlines)
        : context_(std::move(context)), deadlines_(deadlines)
    {
    }

    Result<std::vector<std::string>> list() override
    {
        return with_service(context_, "SCardListReaders", list_readers);
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        const auto names = list();
        if (!names) return names.error();
        const auto found = std::ranges::find_if(
            *names, [&](const std::string& reader) { return is(reader, name); });
        if (found == names->end()) return to_error(SCARD_E_UNKNOWN_READER, "SCardListReaders");
        return std::unique_ptr<Reader>(std::make_unique<PcscReader>(*found, deadlines_));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        if (context_ && context_->inherited()) return refused_in_child("SCardGetStatusChange");
        return PcscMonitor::start(std::move(callback));
    }

private:
    bool is(const std::string& reader, const std::string& wanted) const
    {
        if (reader == wanted) return true;
        if (!wanted.starts_with(serial_prefix) && !wanted.starts_with(usb_prefix)) return false;
        const auto identity = identify(reader, deadlines_.connect);
        return identity && fits(*identity, wanted);
    }

    std::optional<Context> context_;
    Deadlines deadlines_;
};

}  // namespace
}  // namespace pcsc

Result<std::unique_ptr<ReaderDriver>> open_pcsc(const Deadlines& deadlines)
{
    auto context = pcsc::Context::establish();
    if (!context) return context.error();
    return std::unique_ptr<ReaderDriver>(
        std::make_unique<pcsc::Driver>(*std::move(context), deadlines));
}

}  // namespace tallycard
