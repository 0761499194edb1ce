// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/pcsc.hpp>

#include "pcsc_context.hpp"
#include "pcsc_reader.hpp"

namespace tallycard {

namespace pcsc {
namespace {

// PC/SC separates names by a zero and ends the list with another.
std::vector<std::string> split(const std::string& names)
{
    std::vector<std::string> list;
    std::size_t start = 0;
    while (start < names.size() && names[start] != '\0') {
        const auto end = std::min(names.find('\0', start), names.size());
        list.push_back(names.substr(start, end - start));
        start = end + 1;
    }
    return list;
}

// A reader may arrive between the two calls: then the size is asked again.
Result<std::vector<std::string>> list_readers(const Context& context)
{
    LONG code = SCARD_E_INSUFFICIENT_BUFFER;
    for (int i = 0; i < 10 && code == SCARD_E_INSUFFICIENT_BUFFER; ++i) {
        DWORD size = 0;
        code = SCardListReaders(context.handle(), nullptr, nullptr, &size);
        if (code != SCARD_S_SUCCESS) break;
        std::string names(size, '\0');
        code = SCardListReaders(context.handle(), nullptr, names.data(), &size);
        if (code == SCARD_S_SUCCESS) return split(names.substr(0, size));
    }
    if (code == SCARD_E_NO_READERS_AVAILABLE) return std::vector<std::string>{};
    return to_error(code, "SCardListReaders");
}

class Driver final : public ReaderDriver {
public:
    explicit Driver(Context context) : context_(std::move(context)) {}

    Result<std::vector<std::string>> list() override
    {
        return with_service(context_, "SCardListReaders", list_readers);
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        const auto names = list();
        if (!names) return names.error();
        if (std::ranges::find(*names, name) == names->end())
            return to_error(SCARD_E_UNKNOWN_READER, "SCardListReaders");
        return std::unique_ptr<Reader>(std::make_unique<PcscReader>(name));
    }

private:
    std::optional<Context> context_;
};

}  // namespace
}  // namespace pcsc

Result<std::unique_ptr<ReaderDriver>> open_pcsc()
{
    auto context = pcsc::Context::establish();
    if (!context) return context.error();
    return std::unique_ptr<ReaderDriver>(std::make_unique<pcsc::Driver>(*std::move(context)));
}

}  // namespace tallycard
