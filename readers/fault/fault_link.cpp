// SPDX-License-Identifier: Apache-2.0
#include "fault_link.hpp"

#include <algorithm>
#include <thread>

namespace tallycard::fault {

namespace {

using Kind = PlannedFault::Kind;
using std::chrono::milliseconds;

bool is_before_the_card(Kind kind)
{
    return kind == Kind::lose_command || kind == Kind::mute_before || kind == Kind::reset_before ||
           kind == Kind::remove_before || kind == Kind::unplug_before;
}

bool is_after_the_card(Kind kind)
{
    return kind == Kind::lose_answer || kind == Kind::mute_after || kind == Kind::reset_after ||
           kind == Kind::remove_after || kind == Kind::unplug_after;
}

// The link cannot know which half it lost: that is the point.
Error in_doubt(Errc code)
{
    return {.code = code, .effect = Effect::unknown, .where = "transmit"};
}

std::size_t put_status(std::span<std::uint8_t> answer, std::size_t at, std::uint32_t sw)
{
    answer[at] = static_cast<std::uint8_t>(sw >> 8);
    answer[at + 1] = static_cast<std::uint8_t>(sw);
    return at + 2;
}

}  // namespace

// Why no call can succeed.
std::optional<Errc> Link::broken() const
{
    if (given_up_) return given_up_;
    if (stage_->away(reader_) == Away::reader) return Errc::reader_unavailable;
    const auto losses = stage_->losses(reader_);
    if (losses.pulls != losses_.pulls) return Errc::card_removed;
    if (losses.resets != losses_.resets) return Errc::card_reset;
    return std::nullopt;
}

Result<void> Link::begin()
{
    if (const auto code = broken()) return Error{.code = *code, .where = "begin"};
    return below_->begin();
}

Result<void> Link::end()
{
    const auto ended = below_->end();
    if (const auto code = broken()) return Error{.code = *code, .where = "end"};
    return ended;
}

Result<void> Link::reconnect()
{
    constexpr const char* where = "reconnect";
    if (given_up_) return Error{.code = *given_up_, .where = where};
    const auto away = stage_->away(reader_);
    if (away == Away::reader) return Error{.code = Errc::reader_unavailable, .where = where};
    if (away == Away::card) return Error{.code = Errc::card_removed, .where = where};
    const auto losses = stage_->losses(reader_);
    auto done = below_->reconnect();
    if (done) losses_ = losses;
    return done;
}

Result<std::size_t> Link::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    return send(command, answer, [&] { return below_->transmit(command, answer); });
}

Result<std::size_t> Link::transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer)
{
    return send(command, answer, [&] { return below_->transmit_with_pin(entry, command, answer); });
}

template <class Send>
Result<std::size_t> Link::send(std::span<const std::uint8_t> command,
                               std::span<std::uint8_t> answer, Send&& below)
{
    if (const auto code = broken()) return in_doubt(*code);
    const auto fault = stage_->due(command);
    if (fault && is_before_the_card(fault->kind)) return lose(*fault);
    auto size = below();
    if (!size) return size;
    if (fault && is_after_the_card(fault->kind)) return lose(*fault);
    if (fault) size = damage(*fault, answer, std::min(*size, answer.size()));
    if (size) {
        const auto arrived = answer.first(std::min(*size, answer.size()));
        previous_.assign(arrived.begin(), arrived.end());
    }
    return size;
}

Error Link::lose(const PlannedFault& fault)
{
    const auto is = [&](Kind before, Kind after) {
        return fault.kind == before || fault.kind == after;
    };
    if (is(Kind::mute_before, Kind::mute_after)) return fall_silent();
    if (is(Kind::reset_before, Kind::reset_after)) {
        stage_->reset(reader_);
        return in_doubt(Errc::card_reset);
    }
    if (is(Kind::remove_before, Kind::remove_after)) {
        stage_->pull(reader_, Away::card, milliseconds(fault.value));
        return in_doubt(Errc::card_removed);
    }
    if (is(Kind::unplug_before, Kind::unplug_after)) {
        stage_->pull(reader_, Away::reader, milliseconds(fault.value));
        return in_doubt(Errc::reader_unavailable);
    }
    return in_doubt(Errc::link_failed);
}

Error Link::fall_silent()
{
    std::this_thread::sleep_for(stage_->deadline());
    given_up_ = Errc::timed_out;
    return in_doubt(Errc::timed_out);
}

// What came too late to be used is not left where a caller could take it for an answer.
Result<std::size_t> Link::drop(const PlannedFault& fault, std::span<std::uint8_t> answer,
                               std::size_t size)
{
    given_up_ = Errc::link_failed;
    if (fault.value >= size) return size;
    std::ranges::fill(answer.first(size).subspan(fault.value), std::uint8_t{0});
    return in_doubt(Errc::link_failed);
}

Result<std::size_t> Link::damage(const PlannedFault& fault, std::span<std::uint8_t> answer,
                                 std::size_t size)
{
    if (fault.kind == Kind::drop) return drop(fault, answer, size);
    if (fault.kind == Kind::delay) {
        const milliseconds late(fault.value);
        if (late >= stage_->deadline()) return fall_silent();
        std::this_thread::sleep_for(late);
    }
    if (fault.kind == Kind::truncate) return std::min<std::size_t>(size, fault.value);
    if (fault.kind == Kind::status && size >= 2) return put_status(answer, size - 2, fault.value);
    if (fault.kind == Kind::only_status && answer.size() >= 2)
        return put_status(answer, 0, fault.value);
    if (fault.kind == Kind::flip_bit && size > 0) {
        const auto bit = fault.value % (8 * size);
        answer[bit / 8] = static_cast<std::uint8_t>(answer[bit / 8] ^ 1u << bit % 8);
    }
    if (fault.kind == Kind::repeat) {
        if (previous_.size() > answer.size()) return in_doubt(Errc::link_failed);
        std::ranges::copy(previous_, answer.begin());
        return previous_.size();
    }
    return size;
}

}  // namespace tallycard::fault
