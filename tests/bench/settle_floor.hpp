// SPDX-License-Identifier: Apache-2.0
// The cryptography that settling a payment takes: one signature; digests of operation and result;
// the entry's leaf, and one node of the tree. With the issuer's signature on top, that of a
// top-up.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include <tallycard/entry.hpp>
#include <tallycard/platform.hpp>

#include "../../src/protocol/wire.hpp"
#include "libsodium_floor.hpp"

namespace tallycard::bench {

// Of many payments in turn: a processor learns by heart how one signature verifies.
class SettleFloor {
public:
    void add(const Submission& payment, const PublicKey& key)
    {
        One one{.key = key,
                .signature = payment.receipt.card_signature,
                .operation = bytes_of(payment.executed->operation.encode()),
                .result = bytes_of(payment.receipt.result.encode()),
                .entry = bytes_of(entry_of(payment).encode())};
        one.message = signed_message(wire::domain::result, one.result);
        all_.push_back(one);
    }
    void settle(std::size_t times)
    {
        for (; times > 0; --times) settle_one();
    }
    void sign_and_settle(std::size_t times)
    {
        std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret;
        std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> key;
        crypto_sign_ed25519_keypair(key.data(), secret.data());
        for (; times > 0; --times) {
            const auto& message = settle_one();
            std::array<std::uint8_t, crypto_sign_ed25519_BYTES> signature;
            crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(),
                                         secret.data());
            keep(signature);
        }
    }

private:
    struct One {
        PublicKey key;
        Signature signature;
        Bytes operation, result, entry, message = {};
    };
    static Entry entry_of(const Submission& payment)
    {
        const Record record{payment.executed->operation, std::nullopt, payment.receipt};
        return {.time = {}, .what = DeliveredRecord{record, payment.terminal}};
    }
    const Bytes& settle_one()
    {
        constexpr std::array<std::uint8_t, 65> node{};
        const auto& one = all_[next_++ % all_.size()];
        bare_verify(one.signature, one.message, one.key);
        bare_sha256(one.operation);
        bare_sha256(one.result);
        bare_sha256(one.entry);
        bare_sha256(node);
        return one.message;
    }
    std::vector<One> all_;
    std::size_t next_ = 0;
};

}  // namespace tallycard::bench
