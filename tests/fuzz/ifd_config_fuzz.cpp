// SPDX-License-Identifier: Apache-2.0
// Any text as the configuration of the driver.
#include <algorithm>
#include <string_view>

#include "../../readers/ifd/ifd_config.hpp"
#include "fuzz.hpp"

using namespace tallycard;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = ifd::parse_config(text);
    if (!config) {
        const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
        FUZZ_CHECK(config.error().code == Errc::malformed);
        FUZZ_CHECK(config.error().detail >= 1 && config.error().detail <= lines);
        return 0;
    }
    FUZZ_CHECK(config->slots >= 1 && config->slots <= ifd::Config::max_slots);
    FUZZ_CHECK(config->deadline.count() > 0 && config->pin_timeout.count() > 0);
    FUZZ_CHECK(config->pin_pipe.empty() || config->pin_prompt.empty());
    FUZZ_CHECK(config->directory.starts_with('/'));
    for (std::size_t i = config->slots; i < config->slot.size(); ++i)
        FUZZ_CHECK(config->slot[i].image.empty());
    return 0;
}
