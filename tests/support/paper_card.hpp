// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <tallycard/card_session.hpp>

#include "../../src/crypto/card_signer.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "scripted_link.hpp"
#include "secrets.hpp"
#include "vectors.hpp"

namespace testing {

// A card without rules: it has genuine keys and answers each instruction with what the test put
// there, so that a session meets exactly the answer that the test is about.
struct PaperCard {
    SoftwareCardRoot root{secret_of<KeySeed>(1)};
    CardId card_id = bytes_value<CardId>(0x11);
    CardKey key = root.derive(card_id).value();
    PublicKey public_key = key.public_key;
    CardInfo info{.state = CardState::operational,
                  .card_id = card_id,
                  .sequence = 4,
                  .currency = {.unit = *Unit::from_code(978), .exponent = 2},
                  .balance = Balance::minor_units(5000),
                  .last_result = {},
                  .certificate = key.certificate};
    CardSigner signer{std::move(key.scalar), secret_of<NonceSecret>(2)};
    std::map<std::uint8_t, Bytes> answers;  // by instruction, status word included

    PaperCard() { put(0xA4, info.encode()); }

    void put(std::uint8_t ins, std::span<const std::uint8_t> data, std::uint16_t sw = 0x9000)
    {
        auto& answer = answers[ins] = bytes_of(data);
        answer.push_back(static_cast<std::uint8_t>(sw >> 8));
        answer.push_back(static_cast<std::uint8_t>(sw));
    }
    void put_status(std::uint8_t ins, std::uint16_t sw) { put(ins, {}, sw); }

    ScriptedLink::Card script()
    {
        return [this](ScriptedLink::Bytes command) -> Result<ScriptedLink::Bytes> {
            return ScriptedLink::Bytes(answers.at(command[1]));
        };
    }

    Operation top_up() const
    {
        return {.kind = Kind::top_up,
                .card_id = card_id,
                .sequence = info.sequence + 1,
                .amount = Amount::minor_units(100),
                .unit = info.currency.unit,
                .nonce = bytes_value<Nonce>(0x22),
                .account = AccountId::parse(std::string_view("T1")),
                .parameter = {}};
    }
    Receipt receipt_of(const Operation& operation) const
    {
        const CardResult result{.card_id = operation.card_id,
                                .sequence = operation.sequence,
                                .operation = operation.digest(),
                                .balance = Balance::minor_units(5100),
                                .previous_result = info.last_result,
                                .state = CardState::operational};
        return signed_receipt(result);
    }
    Receipt signed_receipt(const CardResult& result) const
    {
        return {.result = result, .card_signature = signer.sign_result(result).value()};
    }
};

}  // namespace testing
