// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>

namespace tallycard {

namespace detail {
// libsodium does the work; its headers stay out of ours.
TALLYCARD_EXPORT void erase(std::span<std::uint8_t> bytes) noexcept;
TALLYCARD_EXPORT bool equal(std::span<const std::uint8_t> a,
                            std::span<const std::uint8_t> b) noexcept;
}  // namespace detail

// Key material of a fixed size. Erased on destruction and when moved from.
// Cannot be copied, printed or compared by accident. Tag keeps one kind of key
// from being passed where another belongs.
template <std::size_t N, class Tag>
class Secret {
public:
    static constexpr std::size_t size = N;

    // Takes the bytes and erases the caller's copy.
    explicit Secret(std::span<std::uint8_t, N> source) noexcept { take(source); }

    Secret(Secret&& other) noexcept { take(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept
    {
        if (this != &other) take(other.bytes_);
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { detail::erase(bytes_); }

    // The raw bytes. Named so that every place that looks is found by grep.
    std::span<const std::uint8_t, N> reveal() const& noexcept { return bytes_; }
    void reveal() && = delete;

    // Constant time.
    friend bool equal(const Secret& a, const Secret& b) noexcept
    {
        return detail::equal(a.bytes_, b.bytes_);
    }

private:
    void take(std::span<std::uint8_t, N> source) noexcept
    {
        for (std::size_t i = 0; i < N; ++i) bytes_[i] = source[i];
        detail::erase(source);
    }

    std::array<std::uint8_t, N> bytes_;
};

using KeySeed = Secret<32, struct KeySeedTag>;            // Ed25519 private key (RFC 8032 seed)
using CardScalar = Secret<32, struct CardScalarTag>;      // S of docs/protocol.md, section 4
using NonceSecret = Secret<32, struct NonceSecretTag>;    // z of section 4
using TransportKey = Secret<32, struct TransportKeyTag>;  // seals PERSONALISE for one card
using PinBlock = Secret<8, struct PinBlockTag>;           // ISO 9564-1 format 2

}  // namespace tallycard
