// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// The encoded personalisation holds the card's private scalar: it erases itself.
class PersonalisationBytes {
public:
    static constexpr std::size_t capacity = 227;  // what a short APDU leaves under the seal
    explicit PersonalisationBytes(std::span<const std::uint8_t> bytes);
    PersonalisationBytes(PersonalisationBytes&& other) noexcept;
    PersonalisationBytes(const PersonalisationBytes&) = delete;
    PersonalisationBytes& operator=(const PersonalisationBytes&) = delete;
    PersonalisationBytes& operator=(PersonalisationBytes&&) = delete;
    ~PersonalisationBytes() { detail::erase(bytes_); }
    std::span<const std::uint8_t> reveal() const { return std::span(bytes_).first(size_); }

private:
    std::array<std::uint8_t, capacity> bytes_{};
    std::size_t size_ = 0;
};

// What a blank card is given: object E4 of docs/protocol.md. Exists sealed, and in the memory of
// issuer and card, and nowhere else.
struct Personalisation {
    CardId card_id;
    Currency currency;
    Certificate certificate;
    CardScalar scalar;
    PublicKey operation_key;
    Limits limits;
    bool private_balance = false;  // needs a PIN
    std::optional<PinBlock> pin;

    TALLYCARD_EXPORT PersonalisationBytes encode() const;
    // Strict; checks keys and scalar too: canonical, of the prime-order group, S < L and not zero.
    TALLYCARD_EXPORT static Result<Personalisation> decode(std::span<const std::uint8_t> bytes);
};

}  // namespace tallycard
