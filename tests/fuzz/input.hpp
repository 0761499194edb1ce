// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fuzz {

using Bytes = std::vector<std::uint8_t>;

// Takes an input apart, from its front. What is beyond its end is zero, so that every input means
// something.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    bool empty() const { return rest_.empty(); }
    std::uint8_t byte()
    {
        if (rest_.empty()) return 0;
        const auto first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }
    // One byte, below `limit`, which is 256 at most.
    std::size_t below(std::size_t limit) { return byte() % limit; }
    bool one_in(std::size_t n) { return below(n) == n - 1; }
    std::uint64_t number(std::size_t size)
    {
        std::uint64_t value = 0;
        for (; size > 0; --size) value = value << 8 | byte();
        return value;
    }
    // So many bytes, or what there is.
    std::span<const std::uint8_t> bytes(std::size_t size)
    {
        const auto taken = rest_.first(std::min(size, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }
    // A byte says how many.
    std::span<const std::uint8_t> counted() { return bytes(byte()); }
    std::span<const std::uint8_t> rest() { return bytes(rest_.size()); }

private:
    std::span<const std::uint8_t> rest_;
};

inline std::string_view text(std::span<const std::uint8_t> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Changes bytes as the input says: a count, then for each change where and how.
inline void edit(Bytes& bytes, Input& input)
{
    for (auto left = 1 + input.below(3); left > 0; --left) {
        const auto how = input.below(4);
        const auto at = bytes.empty() ? 0 : input.number(2) % bytes.size();
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        if (bytes.empty() || how == 2)
            bytes.insert(place, input.byte());
        else if (how == 0)
            bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1u << input.below(8)));
        else if (how == 1)
            bytes[at] = input.byte();
        else
            bytes.erase(place, bytes.end());
    }
}

}  // namespace fuzz
