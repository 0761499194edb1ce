// SPDX-License-Identifier: Apache-2.0
// What pcscd's codes mean to our callers.
#include <catch2/catch.hpp>

#include "../../readers/pcsc/pcsc_error.hpp"

using namespace tallycard;

TEST_CASE("pcscd refuses a user whom polkit does not allow: access_denied, and how to allow it",
          "[card][pcsc]")
{
    int tried = 0;
    for (const LONG code : {SCARD_W_SECURITY_VIOLATION, SCARD_E_NO_ACCESS}) {
        const auto error = pcsc::to_error(code, "SCardEstablishContext");
        CHECK(error.code == Errc::access_denied);
        CHECK(error.effect == Effect::none);
        CHECK(error.detail == static_cast<std::uint32_t>(code));
        const auto message = error.message();
        CHECK(message.find("SCardEstablishContext: pcscd refuses this user (polkit)") == 0);
        CHECK(message.find("org.debian.pcsc-lite.access_pcsc") != std::string::npos);
        ++tried;
    }
    CHECK(tried == 2);
}

TEST_CASE("a PC/SC code that nobody can do anything about is a failed link, and is kept",
          "[card][pcsc]")
{
    const auto error = pcsc::to_error(SCARD_F_UNKNOWN_ERROR, "SCardTransmit", Effect::unknown);
    CHECK(error.code == Errc::link_failed);
    CHECK(error.effect == Effect::unknown);
    CHECK(error.message().find("(PC/SC 0x80100014)") != std::string::npos);
}
