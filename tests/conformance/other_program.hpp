// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <string>

#include <catch2/catch.hpp>

namespace testing {

// Another program: takes the card and leaves it reset.
inline void reset_by_another_program(const std::string& reader_name)
{
    SCARDCONTEXT context = 0;
    REQUIRE(SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context) == 0);
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    REQUIRE(SCardConnect(context, reader_name.c_str(), SCARD_SHARE_SHARED,
                         SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol) == 0);
    REQUIRE(SCardDisconnect(card, SCARD_RESET_CARD) == 0);
    SCardReleaseContext(context);
}

}  // namespace testing
