// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace simulation {

// A stream of numbers that its seed fixes (SplitMix64). Everything random in a world comes from
// one.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next()
    {
        auto z = state_ += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
    // 0 to n − 1; 0 where n is 0.
    std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    void fill(std::span<std::uint8_t> bytes)
    {
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(next() >> 32);
    }

private:
    std::uint64_t state_;
};

// Makes libsodium's randomness such a stream, for this process. Before anything else of libsodium.
void take_over_library_randomness();
// Starts that stream again from a seed.
void reseed_library(std::uint64_t seed);

}  // namespace simulation
