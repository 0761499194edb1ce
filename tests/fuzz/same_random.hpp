// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <sodium/randombytes.h>

namespace fuzz {

// libsodium's random numbers become a sequence that starts anew with each of these objects, so that
// an input is one run, to the byte. Make one before anything else of libsodium is called.
class SameRandom {
public:
    SameRandom()
    {
        state() = 0x7A11CA4D;
        static randombytes_implementation same = {
            .implementation_name = [] { return "the same each time"; },
            .random = next,
            .stir = nullptr,
            .uniform = nullptr,
            .buf = fill,
            .close = nullptr};
        if (randombytes_set_implementation(&same) != 0) std::abort();
    }

private:
    static std::uint64_t& state()
    {
        static std::uint64_t value;
        return value;
    }
    // xorshift64* (Vigna)
    static std::uint32_t next()
    {
        auto& s = state();
        s ^= s >> 12;
        s ^= s << 25;
        s ^= s >> 27;
        return static_cast<std::uint32_t>((s * 0x2545F4914F6CDD1DU) >> 32);
    }
    static void fill(void* out, std::size_t size)
    {
        auto* bytes = static_cast<std::uint8_t*>(out);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(next());
    }
};

}  // namespace fuzz
