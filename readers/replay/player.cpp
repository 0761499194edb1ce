// SPDX-License-Identifier: Apache-2.0
#include "player.hpp"

#include <algorithm>

namespace tallycard::replay {

namespace {

bool has_place(const Step& step)
{
    return step.call != Call::list && step.call != Call::open && step.call != Call::card &&
           step.call != Call::close && step.call != Call::event;
}

constexpr const char* where = "replay: this is not what the record has there";

}  // namespace

Error Player::differs(std::uint32_t line, std::uint32_t column)
{
    failed_ = Error{.code = Errc::link_failed, .detail = line, .column = column, .where = where};
    return *failed_;
}

Result<const Step*> Player::next_in_order(Call call, std::uint32_t number)
{
    if (failed_) return *failed_;
    while (next_ < record_.steps.size() && !has_place(record_.steps[next_])) ++next_;
    if (next_ == record_.steps.size()) return differs(record_.lines + 1, 1);
    const auto& step = record_.steps[next_];
    if (step.call != call || step.number != number) return differs(step.line, 1);
    ++next_;
    return &step;
}

const Step* Player::look(Call call, std::uint32_t number)
{
    const std::lock_guard lock(mutex_);
    const auto is_it = [&](const Step& step) { return step.call == call && step.number == number; };
    const auto& steps = record_.steps;
    for (auto i = next_; i < steps.size() && !has_place(steps[i]); ++i) {
        if (!is_it(steps[i])) continue;
        next_ = i + 1;
        return &steps[i];
    }
    for (auto i = next_; i > 0; --i) {
        if (is_it(steps[i - 1])) return &steps[i - 1];
    }
    const auto later = std::ranges::find_if(steps, is_it);
    return later == steps.end() ? nullptr : &*later;
}

std::optional<std::uint32_t> Player::number_of(const std::string& reader) const
{
    for (const auto& [number, name] : record_.readers) {
        if (name == reader) return number;
    }
    return std::nullopt;
}

Result<void> Player::finished() const
{
    const std::lock_guard lock(mutex_);
    if (failed_) return *failed_;
    for (auto i = next_; i < record_.steps.size(); ++i) {
        if (!has_place(record_.steps[i])) continue;
        return Error{.code = Errc::link_failed,
                     .detail = record_.steps[i].line,
                     .column = 1,
                     .where = "replay: the record goes on"};
    }
    return {};
}

}  // namespace tallycard::replay
