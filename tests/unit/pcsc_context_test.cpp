// SPDX-License-Identifier: Apache-2.0
// Connecting to pcscd, by codes that a service gives in a test.
#include <catch2/catch.hpp>

#include <vector>

#include "../../readers/pcsc/pcsc_context.hpp"

using namespace tallycard;

namespace {

std::vector<LONG> answers;  // of the next calls; then SCARD_E_NO_SERVICE
int asked = 0;

}  // namespace

// Instead of the library's: nothing in this program talks to a service.
extern "C" LONG SCardEstablishContext(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context)
{
    *context = 0;
    const auto i = static_cast<std::size_t>(asked++);
    return i < answers.size() ? answers[i] : SCARD_E_NO_SERVICE;
}

TEST_CASE("pcscd that ends while somebody connects is not one that refuses this user",
          "[card][pcsc]")
{
    asked = 0;

    answers = {SCARD_W_SECURITY_VIOLATION};
    const auto gone = pcsc::Context::establish();
    REQUIRE(!gone);
    CHECK(gone.error().code == Errc::service_unavailable);
    CHECK(asked == 2);

    asked = 0;
    answers = {SCARD_W_SECURITY_VIOLATION, SCARD_S_SUCCESS};  // it has been started again
    CHECK(pcsc::Context::establish());

    asked = 0;
    answers = {SCARD_W_SECURITY_VIOLATION, SCARD_W_SECURITY_VIOLATION};
    const auto refused = pcsc::Context::establish();
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::access_denied);
    CHECK(asked == 2);
}
