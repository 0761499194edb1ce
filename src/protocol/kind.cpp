// SPDX-License-Identifier: Apache-2.0
#include <tallycard/card_state.hpp>
#include <tallycard/kind.hpp>

namespace tallycard {

std::optional<Kind> kind_from_byte(std::uint8_t byte) noexcept
{
    const bool value = byte >= 0x01 && byte <= 0x05;
    const bool administrative = byte >= 0x10 && byte <= 0x16;
    if (value || administrative || byte == 0x1F) return static_cast<Kind>(byte);
    return std::nullopt;
}

const char* name(Kind kind) noexcept
{
    switch (kind) {
    case Kind::top_up: return "top-up";
    case Kind::cash_out: return "cash-out";
    case Kind::transfer_in: return "transfer in";
    case Kind::transfer_out: return "transfer out";
    case Kind::payment: return "payment";
    case Kind::set_limits: return "set limits";
    case Kind::block: return "block";
    case Kind::unblock: return "unblock";
    case Kind::reset_pin_tries: return "reset PIN tries";
    case Kind::replace_operation_key: return "replace operation key";
    case Kind::cancel: return "void";
    case Kind::open_pin: return "open PIN";
    case Kind::terminate: return "terminate";
    }
    return "unknown";
}

const char* name(CardState state) noexcept
{
    switch (state) {
    case CardState::blank: return "blank";
    case CardState::operational: return "operational";
    case CardState::blocked: return "blocked";
    case CardState::terminated: return "terminated";
    }
    return "unknown";
}

}  // namespace tallycard
