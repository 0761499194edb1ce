// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// What opens a sealed key file. Move-only; erased on destruction and when moved from.
class TALLYCARD_EXPORT Passphrase {
public:
    static constexpr std::size_t max_size = 256;

    // Takes the characters and erases the caller's copy, also when it fails: Errc::malformed when
    // there are none, or more than max_size. From a prompt or a descriptor, never from argv.
    static Result<Passphrase> take(std::span<char> characters);

    Passphrase(Passphrase&& other) noexcept;
    Passphrase& operator=(Passphrase&& other) noexcept;
    Passphrase(const Passphrase&) = delete;
    Passphrase& operator=(const Passphrase&) = delete;
    ~Passphrase();

    std::span<const std::uint8_t> reveal() const& noexcept
    {
        return std::span(bytes_).first(size_);
    }
    void reveal() && = delete;

private:
    Passphrase() = default;
    std::array<std::uint8_t, max_size> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace tallycard
