// SPDX-License-Identifier: Apache-2.0
#include "pcsc_list.hpp"

#include <algorithm>

namespace tallycard::pcsc {

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

}  // namespace

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

}  // namespace tallycard::pcsc
