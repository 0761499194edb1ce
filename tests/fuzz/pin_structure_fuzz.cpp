// SPDX-License-Identifier: Apache-2.0
// Any bytes as a PIN structure: whatever is accepted has a place for every PIN that it admits. The
// first byte says which of the two structures it is.
#include <algorithm>
#include <string>
#include <vector>

#include "../../readers/ifd/pin_structure.hpp"
#include "fuzz.hpp"

using namespace tallycard;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::span bytes(data + 1, size - 1);
    auto parsed = data[0] % 2 == 0 ? ifd::parse_pin_verify(bytes) : ifd::parse_pin_modify(bytes);
    if (!parsed) {
        FUZZ_CHECK(parsed.error().code == Errc::malformed);
        return 0;
    }
    auto& [format, first_key, next_key, modifies, asks_old, confirms_new, old_offset, new_offset,
           command] = *parsed;
    const std::vector<std::uint8_t> before(command.bytes().begin(), command.bytes().end());
    for (const auto count : {format.min_digits, format.max_digits}) {
        const std::string digits(count, '7');
        if (modifies && asks_old) command.put(format, old_offset, digits);
        command.put(format, modifies ? new_offset : 0, digits);
        const auto after = command.bytes();
        FUZZ_CHECK(after.size() >= 5 && after[4] == after.size() - 5);
        FUZZ_CHECK(std::ranges::equal(after.first(4), std::span(before).first(4)));
        FUZZ_CHECK(before.size() == 5 || after.size() == before.size());
    }
    return 0;
}
