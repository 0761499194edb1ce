// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include <tallycard/account_id.hpp>
#include <tallycard/account_order.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>

// The content of the ledger (docs/accounts.md, section 2). Value types; no allocation. Decoding is
// strict in form; it says nothing about signatures, nor whether the parts belong together.
namespace tallycard {

// Milliseconds since 1970-01-01T00:00:00Z: 0 to 2^53−1.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
inline constexpr Time last_time{std::chrono::milliseconds((std::int64_t{1} << 53) - 1)};

// One settled operation: object E6.
struct Record {
    static constexpr std::size_t max_encoded = 412;

    Operation operation;
    std::optional<Signature> issuer_signature;  // absent exactly for a payment
    Receipt receipt;
    // The word of the account's owner: there exactly where needs_consent(operation).
    std::optional<Signature> consent{};

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<Record> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const Record&, const Record&) = default;
};

// A record, and the terminal that delivered its result: the platform's word, which moves nothing.
struct DeliveredRecord {
    Record record;
    AccountId terminal;
    friend bool operator==(const DeliveredRecord&, const DeliveredRecord&) = default;
};

// One executed account order: object E8.
struct AccountRecord {
    static constexpr std::size_t max_encoded = 321;

    AccountOrder order;
    std::optional<Signature> owner_signature;  // there exactly where needs_owner(order.kind)
    Signature issuer_signature;

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<AccountRecord> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const AccountRecord&, const AccountRecord&) = default;
};

// Results of a card that never came, and what they moved as far as a payment behind them proves it:
// object E9.
struct Gap {
    static constexpr std::size_t max_encoded = 140;
    static constexpr std::uint32_t most_missing = 15;

    CardId card_id;
    std::uint32_t last = 0;  // the last missing sequence
    Balance balance;         // of the card behind the gap
    Digest last_result;      // that the payment behind the gap names
    Signature issuer_signature;

    // The issuer signs these: the fields in front of its signature.
    TALLYCARD_EXPORT Encoded<max_encoded> signed_fields() const;
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<Gap> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const Gap&, const Gap&) = default;
};

// One leaf of the ledger: object E7.
struct Entry {
    static constexpr std::size_t max_encoded = 462;

    Time time;  // when the platform settled it; never before the entry in front
    std::variant<DeliveredRecord, AccountRecord, Gap> what;

    const DeliveredRecord* delivered() const { return std::get_if<DeliveredRecord>(&what); }
    const Record* record() const { return delivered() ? &delivered()->record : nullptr; }
    const AccountRecord* account_record() const { return std::get_if<AccountRecord>(&what); }
    const Gap* gap() const { return std::get_if<Gap>(&what); }

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<Entry> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const Entry&, const Entry&) = default;
};

// A settled payment, by card and sequence.
struct PaymentName {
    CardId card_id;
    std::uint32_t sequence = 0;
    friend bool operator==(const PaymentName&, const PaymentName&) = default;
};

// True for a transfer in from an account that is not the card's own holder account.
TALLYCARD_EXPORT bool needs_consent(const Operation& operation);

}  // namespace tallycard
