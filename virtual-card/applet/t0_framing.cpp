// SPDX-License-Identifier: Apache-2.0
#include "t0_framing.hpp"

#include <algorithm>

namespace tallycard::chip {
namespace {

constexpr std::size_t header_size = 4;

std::size_t answer_with(std::span<std::uint8_t> out, std::uint8_t sw1, std::size_t sw2)
{
    out[0] = sw1;
    out[1] = static_cast<std::uint8_t>(sw2);
    return 2;
}

std::size_t answer_with(std::span<std::uint8_t> out, StatusWord status)
{
    return answer_with(out, status.sw1(), status.sw2());
}

std::size_t expected(std::uint8_t p3)
{
    return p3 == 0 ? apdu::Command::any_length : p3;
}

bool is_get_response(std::span<const std::uint8_t> tpdu)
{
    return tpdu[0] == wire::command::get_response.cla && tpdu[1] == wire::command::get_response.ins;
}

}  // namespace

void T0Framing::power_on()
{
    detail::erase(waiting_);
    waiting_size_ = 0;
    applet_.power_on();
}

std::size_t T0Framing::process(std::span<const std::uint8_t> tpdu,
                               std::span<std::uint8_t, Applet::max_answer> out)
{
    if (tpdu.size() < header_size) return answer_with(out, sw::wrong_length);
    std::array<std::uint8_t, header_size + 1> completed{};
    if (tpdu.size() == header_size) {
        std::ranges::copy(tpdu, completed.begin());
        tpdu = completed;
    }
    if (is_get_response(tpdu)) return get_response(tpdu, out);
    waiting_size_ = 0;
    return tpdu.size() == header_size + 1 ? outgoing(tpdu, out) : incoming(tpdu, out);
}

std::size_t T0Framing::get_response(std::span<const std::uint8_t> tpdu,
                                    std::span<std::uint8_t, Applet::max_answer> out)
{
    if (tpdu[2] != 0 || tpdu[3] != 0) return answer_with(out, sw::wrong_p1_p2);
    if (tpdu.size() != header_size + 1) return answer_with(out, sw::wrong_length);
    if (waiting_size_ == 0) return answer_with(out, sw::not_in_this_state);
    if (expected(tpdu[4]) != waiting_size_) return answer_with(out, 0x6C, waiting_size_);
    const auto size = waiting_size_;
    std::ranges::copy(std::span(waiting_).first(size), out.begin());
    waiting_size_ = 0;
    return size + answer_with(out.subspan(size), sw::ok);
}

// No command data: P3 is Le.
std::size_t T0Framing::outgoing(std::span<const std::uint8_t> tpdu,
                                std::span<std::uint8_t, Applet::max_answer> out)
{
    const auto size = applet_.process(tpdu, out);
    if (size > 2 && size - 2 != expected(tpdu[4])) return answer_with(out, 0x6C, size - 2);
    return size;
}

// Command data: P3 is Lc, and the applet is asked for as much as there is.
std::size_t T0Framing::incoming(std::span<const std::uint8_t> tpdu,
                                std::span<std::uint8_t, Applet::max_answer> out)
{
    if (tpdu.size() != header_size + 1u + tpdu[4]) return wrong_length(tpdu, out);
    std::array<std::uint8_t, Applet::max_command> command{};
    std::ranges::copy(tpdu, command.begin());
    const auto size = applet_.process(std::span(command).first(tpdu.size() + 1), waiting_);
    detail::erase(command);
    if (size == 2) return answer_with(out, waiting_[0], waiting_[1]);
    waiting_size_ = size - 2;
    return answer_with(out, 0x61, waiting_size_);
}

// Wrong in length, unless the applet finds something wrong that comes before the length.
std::size_t T0Framing::wrong_length(std::span<const std::uint8_t> tpdu,
                                    std::span<std::uint8_t, Applet::max_answer> out)
{
    std::array<std::uint8_t, header_size + 2> malformed{};
    std::ranges::copy(tpdu.first(header_size), malformed.begin());
    return applet_.process(malformed, out);
}

}  // namespace tallycard::chip
