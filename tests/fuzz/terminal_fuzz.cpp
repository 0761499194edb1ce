// SPDX-License-Identifier: Apache-2.0
// A terminal without a journal: till.hpp says what holds. Once the links are honest, one resolve()
// makes card, platform and books agree (I9).
#include <memory>

#include "fuzz.hpp"
#include "same_random.hpp"
#include "till.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t most_steps = 6;
    const fuzz::SameRandom random;
    fuzz::Input input(data, size);
    const auto till = std::make_unique<fuzz::Till>(input);
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) till->operate();
    till->end();
    return 0;
}
