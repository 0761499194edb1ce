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
        const bool makes_sense = options.records_of_card > 0 && options.records_of_card <= 1'000 &&
                                 options.records >= options.first();
        return argc % 2 == 1 && makes_sense ? std::optional(options) : std::nullopt;
    }
    // The smallest size: of a thousand cards, so that a batch has each of its cards once.
    std::uint64_t first() const { return 1'000 * records_of_card; }

private:
    static bool read(std::string_view text, std::uint64_t& number)
    {
        const auto* const end = text.data() + text.size();
        return std::from_chars(text.data(), end, number).ptr == end;
    }
};

}  // namespace tallycard::bench
