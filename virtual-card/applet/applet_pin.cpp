// SPDX-License-Identifier: Apache-2.0
// The PIN's part of the applet (docs/protocol.md, section 6, PIN).
#include <tallycard/pin.hpp>

#include "applet.hpp"

namespace tallycard::chip {
namespace {

StatusWord wrong_pin(unsigned tries_left)
{
    return StatusWord(static_cast<std::uint16_t>(0x63C0u | tries_left));
}

PinBlock copy_of(std::span<const std::uint8_t, PinBlock::size> block)
{
    std::array<std::uint8_t, PinBlock::size> copy;
    std::ranges::copy(block, copy.begin());
    return PinBlock(copy);
}

}  // namespace

StatusWord Applet::verify(const Command& command)
{
    const auto& now = nvm_.current();
    if (command.data.empty()) {
        if (const auto status = pin_status(); !status.ok()) return status;
        return pin_verified_ ? sw::ok : wrong_pin(now.pin_tries);
    }
    if (!is_pin_block(command.data.first<PinBlock::size>())) return sw::malformed_data;
    if (const auto status = pin_status(); !status.ok()) return status;
    if (const auto status = use_try(command.data); !status.ok()) return status;

    nvm_.draft().pin_tries = pin_tries;
    if (!nvm_.commit()) return sw::memory_failure;
    pin_verified_ = true;
    return sw::ok;
}

StatusWord Applet::change_reference_data(const Command& command)
{
    const auto old_block = command.data.first<PinBlock::size>();
    const auto new_block = command.data.last<PinBlock::size>();
    if (!is_pin_block(old_block) || !is_pin_block(new_block)) return sw::malformed_data;
    if (const auto status = pin_status(); !status.ok()) return status;
    if (const auto status = use_try(old_block); !status.ok()) return status;

    auto& next = nvm_.draft();
    next.pin_tries = pin_tries;
    next.secrets.pin = copy_of(new_block);
    return nvm_.commit() ? sw::ok : sw::memory_failure;
}

// What the holder sets after kind 16, where no old PIN is left to ask for.
StatusWord Applet::set_pin(const Command& command)
{
    const auto block = command.data.first<PinBlock::size>();
    if (!is_pin_block(block)) return sw::malformed_data;
    if (!nvm_.current().awaits_pin) return sw::not_in_this_state;

    auto& next = nvm_.draft();
    next.has_pin = true;
    next.awaits_pin = false;
    next.pin_tries = pin_tries;
    next.secrets.pin = copy_of(block);
    return nvm_.commit() ? sw::ok : sw::memory_failure;
}

StatusWord Applet::pin_status() const
{
    const auto& now = nvm_.current();
    if (!now.has_pin) return sw::no_pin;
    return now.pin_tries == 0 ? sw::pin_blocked : sw::ok;
}

// Takes one try, and compares only then: cutting the power in between gains nobody a try. The
// caller gives the tries back.
StatusWord Applet::use_try(std::span<const std::uint8_t> block)
{
    --nvm_.draft().pin_tries;
    if (!nvm_.commit()) return sw::memory_failure;
    const auto& now = nvm_.current();
    if (detail::equal(now.secrets.pin.reveal(), block)) return sw::ok;
    pin_verified_ = false;
    return wrong_pin(now.pin_tries);
}

}  // namespace tallycard::chip
