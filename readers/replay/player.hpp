// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "record.hpp"

namespace tallycard::replay {

// Where a replay stands. Thread-safe.
class Player {
public:
    explicit Player(Record record) : record_(std::move(record)) {}

    // The next step that has its place in the order, which must be this call of this reader or
    // link; `fits` says where in the line it is another one: 0 for nowhere. Valid as long as the
    // player.
    template <class Fits>
    Result<const Step*> take(Call call, std::uint32_t number, Fits&& fits)
    {
        const std::lock_guard lock(mutex_);
        const auto step = next_in_order(call, number);
        if (!step) return step.error();
        if (const std::uint32_t column = fits(**step)) return differs((*step)->line, column);
        if ((*step)->error) return *(*step)->error;
        return *step;
    }
    Result<const Step*> take(Call call, std::uint32_t number)
    {
        return take(call, number, [](const Step&) { return 0u; });
    }

    // The answer to a call that has no place in the order: the next one before the next step that
    // has, else the last one, else the first that there will be; null when there is none at all.
    const Step* look(Call call, std::uint32_t number);

    const Record& record() const { return record_; }
    std::optional<std::uint32_t> number_of(const std::string& reader) const;
    Result<void> finished() const;

private:
    Result<const Step*> next_in_order(Call call, std::uint32_t number);
    Error differs(std::uint32_t line, std::uint32_t column);

    const Record record_;
    mutable std::mutex mutex_;
    std::size_t next_ = 0;
    std::optional<Error> failed_;  // what differed first
};

}  // namespace tallycard::replay
