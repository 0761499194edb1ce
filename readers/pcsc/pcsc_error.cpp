// SPDX-License-Identifier: Apache-2.0
#include "pcsc_error.hpp"

namespace tallycard::pcsc {

namespace {

struct Meaning {
    LONG pcsc;
    Errc code;
};

// The service is unavailable where it says so, where the connection to it broke, and where it does
// not know a handle any more, since it was restarted. Other codes say nothing about it.
constexpr Meaning meanings[] = {
    {SCARD_E_NO_SERVICE, Errc::service_unavailable},
    {SCARD_E_SERVICE_STOPPED, Errc::service_unavailable},
    {SCARD_E_INVALID_HANDLE, Errc::service_unavailable},
    {SCARD_F_COMM_ERROR, Errc::service_unavailable},
    {SCARD_E_NO_ACCESS, Errc::access_denied},
    {SCARD_W_SECURITY_VIOLATION, Errc::access_denied},
    {SCARD_E_UNKNOWN_READER, Errc::reader_unavailable},
    {SCARD_E_READER_UNAVAILABLE, Errc::reader_unavailable},
    {SCARD_E_NO_READERS_AVAILABLE, Errc::reader_unavailable},
    {SCARD_E_READER_UNSUPPORTED, Errc::reader_unavailable},
    {SCARD_E_NO_SMARTCARD, Errc::no_card},
    {SCARD_W_REMOVED_CARD, Errc::card_removed},
    {SCARD_W_RESET_CARD, Errc::card_reset},
    {SCARD_E_SHARING_VIOLATION, Errc::card_shared},
    {SCARD_E_TIMEOUT, Errc::timed_out},
    {SCARD_E_CANCELLED, Errc::cancelled},
    {SCARD_E_SYSTEM_CANCELLED, Errc::cancelled},
};

}  // namespace

Error to_error(LONG code, const char* where, Effect effect)
{
    Error error{.code = Errc::link_failed,
                .effect = effect,
                .detail = static_cast<std::uint32_t>(code),
                .where = where};
    for (const auto& meaning : meanings) {
        if (meaning.pcsc == code) error.code = meaning.code;
    }
    return error;
}

Error refused_in_child(const char* where)
{
    return to_error(SCARD_E_INVALID_HANDLE, where);
}

}  // namespace tallycard::pcsc
