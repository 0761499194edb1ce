// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tallycard/export.hpp>

namespace tallycard {

// Two lower-case digits a byte.
TALLYCARD_EXPORT std::string to_hex(std::span<const std::uint8_t> bytes);

namespace detail {
// Fills `out` from exactly twice as many lower-case hex digits, or returns false.
TALLYCARD_EXPORT bool from_hex(std::string_view hex, std::span<std::uint8_t> out) noexcept;
}  // namespace detail

// Public bytes of a fixed size. Tag keeps one meaning from being passed where another belongs.
// A value type; nothing secret goes in here (see Secret).
template <std::size_t N, class Tag>
class FixedBytes {
public:
    static constexpr std::size_t size = N;

    constexpr FixedBytes() = default;  // zeros
    explicit constexpr FixedBytes(std::span<const std::uint8_t, N> source)
    {
        for (std::size_t i = 0; i < N; ++i) bytes_[i] = source[i];
    }

    // Parses exactly 2·N lower-case hex digits, the only form that to_string() writes.
    static std::optional<FixedBytes> parse(std::string_view hex)
    {
        FixedBytes value;
        if (!detail::from_hex(hex, value.bytes_)) return std::nullopt;
        return value;
    }
    std::string to_string() const { return to_hex(bytes_); }

    constexpr std::span<const std::uint8_t, N> bytes() const { return bytes_; }
    friend constexpr auto operator<=>(const FixedBytes&, const FixedBytes&) = default;

private:
    std::array<std::uint8_t, N> bytes_{};
};

using CardId = FixedBytes<16, struct CardIdTag>;            // chosen by the issuer, never reused
using OperationId = FixedBytes<16, struct OperationIdTag>;  // chosen by the caller of an operation
using Nonce = FixedBytes<16, struct NonceTag>;              // field 86
using Challenge = FixedBytes<16, struct ChallengeTag>;      // field 8F
using Digest = FixedBytes<32, struct DigestTag>;            // SHA-256
using PublicKey = FixedBytes<32, struct PublicKeyTag>;      // Ed25519
using Certificate = FixedBytes<32, struct CertificateTag>;  // R of docs/protocol.md, section 4
using Signature = FixedBytes<64, struct SignatureTag>;      // Ed25519
using ChainAddress = FixedBytes<20, struct ChainAddressTag>;  // of an account on an EVM chain

}  // namespace tallycard
