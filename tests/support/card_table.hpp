// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>

#include "paper_card.hpp"

namespace testing {

inline const auto payee = *AccountId::parse(std::string_view("SHOP-1"));

inline PaymentOrder order_of(const PaperCard& card)
{
    return {.amount = Amount::minor_units(-1230),
            .unit = card.info.currency.unit,
            .nonce = bytes_value<Nonce>(0x33),
            .payee = payee};
}

inline FirstInstruction first_of(const Operation& operation)
{
    return {.operation = operation, .issuer_signature = {}};
}

// A session on a paper card.
struct CardTable {
    PaperCard card;
    ScriptedLink link{card.script()};
    CardSession session = CardSession::begin(link, card.root.public_key()).value();
};

inline void check_doubt(const Error& error, Errc code)
{
    CHECK(error.code == code);
    CHECK(error.effect == Effect::unknown);
}

}  // namespace testing
