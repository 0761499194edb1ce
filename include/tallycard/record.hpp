// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// One settled operation as the ledger keeps it: object E6 of docs/protocol.md.
struct Record {
    static constexpr std::size_t max_encoded = 346;

    Operation operation;
    std::optional<Signature> issuer_signature;  // absent exactly for a payment
    Receipt receipt;

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict in form; says nothing about the signatures, nor whether the two halves belong
    // together.
    TALLYCARD_EXPORT static Result<Record> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const Record&, const Record&) = default;
};

}  // namespace tallycard
