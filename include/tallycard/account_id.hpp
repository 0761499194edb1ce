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
#include <tallycard/fixed_bytes.hpp>

namespace tallycard {

// The name of an account of the issuer: 1 to 34 printable ASCII characters, no space
// (docs/protocol.md, field 87; an IBAN fits).
class AccountId {
public:
    static constexpr std::size_t max_size = 34;

    TALLYCARD_EXPORT static std::optional<AccountId> parse(std::string_view text);
    TALLYCARD_EXPORT static std::optional<AccountId> parse(std::span<const std::uint8_t> bytes);

    std::string_view text() const { return {chars_.data(), size_}; }
    TALLYCARD_EXPORT std::span<const std::uint8_t> bytes() const;

    friend bool operator==(const AccountId& a, const AccountId& b) { return a.text() == b.text(); }
    friend auto operator<=>(const AccountId& a, const AccountId& b)
    {
        return a.text() <=> b.text();
    }

private:
    AccountId() = default;
    std::array<char, max_size> chars_{};
    std::size_t size_ = 0;
};

// The name of a card's holder account: "H-" and its id in hex.
TALLYCARD_EXPORT AccountId holder_account(const CardId& card_id);
// Whose holder account that is; empty for a name that is not written exactly so.
TALLYCARD_EXPORT std::optional<CardId> card_of_holder_account(const AccountId& account);
// True for what nobody can open: names that begin with "H-", and "unaccounted".
TALLYCARD_EXPORT bool is_reserved(const AccountId& account);
// "unaccounted": payees that are not known yet.
TALLYCARD_EXPORT AccountId unaccounted();

}  // namespace tallycard
