// SPDX-License-Identifier: Apache-2.0
#include "random.hpp"

#include <stdexcept>

#include <sodium/core.h>
#include <sodium/randombytes.h>

namespace simulation {
namespace {

Random library_stream(0);

void fill_buffer(void* buffer, std::size_t size)
{
    library_stream.fill({static_cast<std::uint8_t*>(buffer), size});
}

randombytes_implementation deterministic = {
    .implementation_name = [] { return "simulation"; },
    .random = [] { return static_cast<std::uint32_t>(library_stream.next() >> 32); },
    .stir = nullptr,
    .uniform = nullptr,
    .buf = fill_buffer,
    .close = nullptr,
};

}  // namespace

void take_over_library_randomness()
{
    randombytes_set_implementation(&deterministic);
    if (sodium_init() < 0) throw std::runtime_error("libsodium");
}

void reseed_library(std::uint64_t seed)
{
    library_stream = Random(seed);
}

}  // namespace simulation
