// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "slot_nvm.hpp"

namespace tallycard::chip {

// An image in a buffer: for tests, and to model an image before it is written.
class MemoryStorage final : public Storage {
public:
    using Bytes = std::array<std::uint8_t, SlotNvm::image_size>;

    MemoryStorage() = default;
    explicit MemoryStorage(const Bytes& bytes) : bytes_(bytes) {}

    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
        std::ranges::copy(std::span(bytes_).subspan(offset, out.size()), out.begin());
        return true;
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        if (offset > bytes_.size() || bytes.size() > bytes_.size() - offset) return false;
        std::ranges::copy(bytes, std::span(bytes_).subspan(offset).begin());
        return true;
    }
    bool sync() override { return true; }

    Bytes& bytes() { return bytes_; }

private:
    Bytes bytes_{};
};

}  // namespace tallycard::chip
