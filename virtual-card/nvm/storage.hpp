// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>

namespace tallycard::chip {

// Bytes that outlive the process: what slots are kept in. A seam: a file and a buffer implement
// it. Every call is whole or says false; a write that failed, or was not synced when the power
// went, may have left anything in its place, and only there.
class TALLYCARD_EXPORT Storage {
public:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    virtual ~Storage();

    [[nodiscard]] virtual bool read(std::size_t offset, std::span<std::uint8_t> out) = 0;
    [[nodiscard]] virtual bool write(std::size_t offset, std::span<const std::uint8_t> bytes) = 0;
    // Returns when all earlier writes would survive the power.
    [[nodiscard]] virtual bool sync() = 0;
};

}  // namespace tallycard::chip
