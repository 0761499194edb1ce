// SPDX-License-Identifier: Apache-2.0
// Very many cards, in little memory: their keys are derived and their results signed as by real
// ones, but a signature is not verified before it leaves.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <future>
#include <vector>

#include "../../src/crypto/signed_message.hpp"
#include "../../src/protocol/wire.hpp"
#include "../support/test_issuer.hpp"
#include "libsodium_floor.hpp"

namespace tallycard::bench {

using Scalar = std::array<std::uint8_t, 32>;

// SHA-512(a ‖ b ‖ message) mod L
inline Scalar hash_to_scalar(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                             const SignedMessage& message)
{
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, a.data(), a.size());
    crypto_hash_sha512_update(&state, b.data(), b.size());
    crypto_hash_sha512_update(&state, message.bytes().data(), message.bytes().size());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash;
    crypto_hash_sha512_final(&state, hash.data());
    Scalar scalar;
    crypto_core_ed25519_scalar_reduce(scalar.data(), hash.data());
    return scalar;
}

class GrowthCard {
public:
    GrowthCard(const CardId& id, const CardKey& key) : certificate_(key.certificate)
    {
        last_.card_id = id;
        key_ = key.public_key;
        std::ranges::copy(key.scalar.reveal(), scalar_.begin());
    }

    const CardId& id() const { return last_.card_id; }
    const Certificate& certificate() const { return certificate_; }
    const PublicKey& public_key() const { return key_; }
    const CardResult& last() const { return last_; }
    Receipt receipt() const { return {last_, sign(last_)}; }  // of the last one

    Receipt execute(const Operation& operation)
    {
        const auto previous = last_.sequence == 0 ? Digest{} : last_.digest();
        last_.sequence = operation.sequence;
        last_.operation = operation.digest();
        last_.previous_result = previous;
        last_.balance = checked_add(last_.balance, operation.amount).value();
        return {last_, sign(last_)};
    }
    Submission pay(std::int64_t amount, const AccountId& payee, Unit unit)
    {
        Operation operation;
        operation.kind = Kind::payment;
        operation.card_id = id();
        operation.sequence = last_.sequence + 1;
        operation.amount = Amount::minor_units(-amount);
        operation.unit = unit;
        operation.nonce = test::id_of<Nonce>(operation.sequence);
        operation.account = payee;
        return test::submission(execute(operation), ExecutedOperation{operation, std::nullopt});
    }

private:
    Signature sign(const CardResult& result) const
    {
        const SignedMessage message(wire::domain::result, result.encode());
        const auto r = hash_to_scalar(scalar_, key_.bytes(), message);
        std::array<std::uint8_t, Signature::size> signature;
        Scalar product, s;
        if (crypto_scalarmult_ed25519_base_noclamp(signature.data(), r.data()) != 0)
            throw std::runtime_error("r is zero");
        const auto k = hash_to_scalar(std::span(signature).first<32>(), key_.bytes(), message);
        crypto_core_ed25519_scalar_mul(product.data(), k.data(), scalar_.data());
        crypto_core_ed25519_scalar_add(s.data(), r.data(), product.data());
        std::ranges::copy(s, signature.begin() + 32);
        return Signature(signature);
    }

    CardResult last_;
    Certificate certificate_;
    PublicKey key_;
    Scalar scalar_;
};

// Ids as cards have them, anywhere among all: number `first` and those behind it, in order.
inline std::vector<CardId> growth_ids(std::uint32_t first, std::uint32_t count)
{
    std::vector<CardId> ids;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto hash = sha256(test::id_of<CardId>(first + i).bytes());
        ids.emplace_back(hash.bytes().first<CardId::size>());
    }
    std::ranges::sort(ids);
    return ids;
}

// The cards of these ids, on two processors.
inline std::vector<GrowthCard> make_cards(std::span<const CardId> ids)
{
    const auto make = [](std::span<const CardId> part) {
        SoftwareCardRoot root(test::seed(2));  // the test issuer's
        std::vector<GrowthCard> cards;
        cards.reserve(part.size());
        for (const auto& id : part) cards.emplace_back(id, root.derive(id).value());
        return cards;
    };
    auto other = std::async(std::launch::async, make, ids.subspan(ids.size() / 2));
    auto cards = make(ids.first(ids.size() / 2));
    std::ranges::move(other.get(), std::back_inserter(cards));
    return cards;
}

}  // namespace tallycard::bench
