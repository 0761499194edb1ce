// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/reader.hpp>

namespace tallycard {

// Whether a card with this ATR speaks this protocol (ISO/IEC 7816-3, 8.2.3): the TDi name them, and
// T=0 is what a card without any speaks.
inline bool offers(const Atr& atr, TransmissionProtocol protocol)
{
    constexpr unsigned has_td = 0x8;
    const auto bytes = atr.bytes();
    const unsigned wanted = protocol == TransmissionProtocol::t1 ? 1 : 0;
    std::size_t at = 1;
    bool names_any = false;
    while (at < bytes.size()) {
        const unsigned interface_bytes = bytes[at] >> 4;
        const bool is_td = at != 1;  // T0 has the number of historical bytes in its place
        if (is_td && (bytes[at] & 0x0Fu) == wanted) return true;
        names_any = names_any || is_td;
        if ((interface_bytes & has_td) == 0) break;
        for (unsigned bit = 1; bit <= has_td; bit <<= 1) at += (interface_bytes & bit) != 0 ? 1 : 0;
    }
    return !names_any && wanted == 0;
}

}  // namespace tallycard
