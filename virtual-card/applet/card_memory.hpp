// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/card_result.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/operation.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/unit.hpp>

namespace tallycard::chip {

using OperationBytes = Encoded<Operation::max_encoded>;  // object E1; none kept: empty

// One executed operation, and what makes its result again: the rest of it is the card's own.
struct LogEntry {
    OperationBytes operation;
    Signature issuer_signature;  // zeros for a payment
    Balance balance;
    Digest previous_result;
    CardState state = CardState::operational;
    Signature signature;

    // Requires that there is an operation.
    ExecutedOperation executed() const;
    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

// A copy, made where the card needs one more for a while.
template <std::size_t N, class Tag>
Secret<N, Tag> clone(const Secret<N, Tag>& secret)
{
    std::array<std::uint8_t, N> bytes;
    std::ranges::copy(secret.reveal(), bytes.begin());
    return Secret<N, Tag>(bytes);
}

// What never leaves the card. Copies are made by the memory's own drafts only.
struct TALLYCARD_EXPORT CardSecrets {
    CardSecrets();  // zeros
    CardSecrets(const CardSecrets& other);
    CardSecrets& operator=(const CardSecrets& other);
    ~CardSecrets() = default;

    TransportKey transport_key;  // zeros once personalised
    CardScalar scalar;           // zeros while blank
    NonceSecret nonce_secret;
    PinBlock pin;
};

// Everything that a card remembers without power (docs/protocol.md, section 6).
struct TALLYCARD_EXPORT CardMemory {
    static constexpr std::size_t log_entries = 16;
    static constexpr std::uint8_t layout_version = 2;
    static constexpr std::size_t encoded_log_entry =
        1 + Operation::max_encoded + 64 + 8 + 32 + 1 + 64;
    // version, state; secrets and PIN; identity; limits and their use; chain; request; log
    static constexpr std::size_t encoded_size =
        2 + (3 * 32 + 8 + 1 + 1 + 1) + (16 + 2 + 1 + 32 + 32) + (34 + 1 + 2 + 8) + (8 + 4 + 32) +
        (1 + Operation::max_encoded) + log_entries * encoded_log_entry;

    CardState state = CardState::blank;
    CardSecrets secrets;
    bool has_pin = false;
    bool awaits_pin = false;  // after kind 16, until one is set; then it has none
    std::uint8_t pin_tries = 0;
    CardId card_id;
    Currency currency;
    Certificate certificate;
    PublicKey operation_key;
    Limits limits;
    bool private_balance = false;
    std::uint16_t offline_payments = 0;
    Balance offline_total;
    Balance balance;
    std::uint32_t sequence = 0;
    Digest last_result;
    OperationBytes request;  // what was asked for last and not executed
    std::array<LogEntry, log_entries> log;

    // The entry with this sequence, or null where it is not, or no longer, in the log.
    const LogEntry* find(std::uint32_t wanted) const;
    LogEntry& slot(std::uint32_t of) { return log[of % log_entries]; }
    // The result of an entry, made again, with its signature.
    Receipt receipt(const LogEntry& entry, std::uint32_t its_sequence) const;

    // A fixed layout of its own, big-endian, which names its version.
    void encode(std::span<std::uint8_t, encoded_size> out) const;
    // Strict: false, and *this in no particular state, for bytes that encode() does not make.
    bool decode(std::span<const std::uint8_t, encoded_size> in);
};

}  // namespace tallycard::chip
