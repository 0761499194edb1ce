// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <tallycard/card_result.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/operation.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// Issuer to card: what makes a blank card this card, sealed with its transport key. Data of
// PERSONALISE.
using SealedPersonalisation = Encoded<255>;

// Platform to card: an operation and the issuer's signature (field 9D). Data of EXECUTE.
struct FirstInstruction {
    static constexpr std::size_t max_encoded = Operation::max_encoded + 66;

    Operation operation;
    Signature issuer_signature;

    // Requires operation.valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict in form; says nothing about the signature.
    TALLYCARD_EXPORT static Result<FirstInstruction> decode(std::span<const std::uint8_t> bytes);
    friend bool operator==(const FirstInstruction&, const FirstInstruction&) = default;
};

// Card to platform: a cash-out or transfer that the card asks for, with its signature (field 9E).
struct SecondInstruction {
    static constexpr std::size_t max_encoded = Operation::max_encoded + 66;

    Operation operation;
    Signature card_signature;

    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<SecondInstruction> decode(std::span<const std::uint8_t> bytes);
    friend bool operator==(const SecondInstruction&, const SecondInstruction&) = default;
};

// An operation as a card executed it: what GET OPERATION answers, and what comes along with a
// receipt that the platform may not know.
struct ExecutedOperation {
    static constexpr std::size_t max_encoded = FirstInstruction::max_encoded + 66;

    Operation operation;
    std::optional<Signature> issuer_signature;  // absent exactly for a payment
    // The word of the account's owner, of a transfer in where somebody kept it: no card has it.
    std::optional<Signature> consent{};

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict in form; says nothing about the signature.
    TALLYCARD_EXPORT static Result<ExecutedOperation> decode(std::span<const std::uint8_t> bytes);
    friend bool operator==(const ExecutedOperation&, const ExecutedOperation&) = default;
};

// Card to platform: what an operation did, with the card's signature (field 9E). The third
// instruction; the card's receipt.
struct Receipt {
    static constexpr std::size_t max_encoded = CardResult::max_encoded + 66;

    CardResult result;
    Signature card_signature;

    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT static Result<Receipt> decode(std::span<const std::uint8_t> bytes);
    friend bool operator==(const Receipt&, const Receipt&) = default;
};

}  // namespace tallycard
