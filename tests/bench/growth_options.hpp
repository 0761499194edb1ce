// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tallycard::bench {

struct GrowthOptions {
    std::uint64_t records = 100'000;
    std::uint64_t records_of_card = 10;
    std::string csv;  // empty: none

    // Absent: it does not read.
    static std::optional<GrowthOptions> parse(int argc, char** argv)
    {
        GrowthOptions options;
        for (int i = 1; i + 1 < argc; i += 2) {
            const std::string_view name(argv[i]), value(argv[i + 1]);
            bool right = false;
            if (name == "--csv") right = !(options.csv = value).empty();
            if (name == "--records") right = read(value, options.records);
            if (name == "--records-of-card") right = read(value, options.records_of_card);
            if (!right) return std::nullopt;
        }
        const bool makes_sense = options.records >= 10'000 && options.records_of_card > 0 &&
                                 options.records_of_card <= 1'000;
        return argc % 2 == 1 && makes_sense ? std::optional(options) : std::nullopt;
    }

private:
    static bool read(std::string_view text, std::uint64_t& number)
    {
        const auto* const end = text.data() + text.size();
        return std::from_chars(text.data(), end, number).ptr == end;
    }
};

}  // namespace tallycard::bench
