// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/card_session.hpp>
#include <tallycard/loopback.hpp>

#include "../../src/crypto/seal.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "secrets.hpp"
#include "temporary_folder.hpp"

namespace testing {

using namespace tallycard;

// The keys of an issuer, and what it makes with them without a platform.
struct PaperIssuer {
    SoftwareCardRoot root{secret_of<KeySeed>(1)};
    SoftwareOperationSigner signer{secret_of<KeySeed>(2)};
    Currency currency{.unit = *Unit::from_code(978), .exponent = 2};
    Limits limits{.maximum_balance = Balance::minor_units(50000),
                  .maximum_amount = Balance::minor_units(20000),
                  .pin_above = Balance::minor_units(2500),
                  .offline_payments = 3,
                  .offline_total = Balance::minor_units(10000)};

    // Sealed; the card's PIN is 4711.
    SealedPersonalisation personalisation_of(const CardId& card_id, const TransportKey& key)
    {
        auto digits = std::string("4711");
        auto card_key = root.derive(card_id).value();
        const Personalisation object{.card_id = card_id,
                                     .currency = currency,
                                     .certificate = card_key.certificate,
                                     .scalar = std::move(card_key.scalar),
                                     .operation_key = signer.public_key(),
                                     .limits = limits,
                                     .private_balance = false,
                                     .pin = make_pin_block(digits).value()};
        return seal(object.encode(), key);
    }

    FirstInstruction sign(const CardId& card_id, std::uint32_t sequence, Kind kind,
                          std::int64_t units)
    {
        Operation operation{.kind = kind,
                            .card_id = card_id,
                            .sequence = sequence,
                            .amount = Amount::minor_units(units),
                            .unit = currency.unit,
                            .nonce = bytes_value<Nonce>(0x5E),
                            .account = {},
                            .parameter = {}};
        if (moves_value(kind)) operation.account = AccountId::parse(std::string_view("T1"));
        return sign(operation);
    }
    FirstInstruction sign(const Operation& operation)
    {
        return {.operation = operation, .issuer_signature = signer.sign(operation).value()};
    }
};

}  // namespace testing
