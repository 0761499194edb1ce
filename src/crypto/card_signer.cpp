// SPDX-License-Identifier: Apache-2.0
#include "card_signer.hpp"

#include <tallycard/verify.hpp>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include "../protocol/group.hpp"
#include "../protocol/wire.hpp"
#include "ed25519.hpp"
#include "secrecy.hpp"
#include "signed_message.hpp"

namespace tallycard {
namespace {

using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;
using Point = std::array<std::uint8_t, crypto_core_ed25519_BYTES>;

// SHA-512(a ‖ b ‖ message) mod L
Scalar hash_to_scalar(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
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
    sodium_memzero(&state, sizeof state);
    sodium_memzero(hash.data(), hash.size());
    return scalar;
}

PublicKey base_times(std::span<const std::uint8_t, 32> scalar)
{
    Point point{};
    const int made = crypto_scalarmult_ed25519_base_noclamp(point.data(), scalar.data());
    secrecy::now_public(point);
    TALLYCARD_EXPECTS(secrecy::holds(static_cast<unsigned>(made)));  // fails for zero only
    return PublicKey(point);
}

}  // namespace

CardSigner::CardSigner(CardScalar scalar, NonceSecret nonce_secret)
    : scalar_(std::move(scalar)),
      nonce_secret_(std::move(nonce_secret)),
      public_key_(base_times(scalar_.reveal()))
{
    TALLYCARD_EXPECTS(is_valid_scalar(scalar_.reveal()));
}

Result<Signature> CardSigner::sign_request(const Operation& operation) const
{
    return sign(wire::domain::request, operation.encode());
}

Result<Signature> CardSigner::sign_result(const CardResult& result) const
{
    return sign(wire::domain::result, result.encode());
}

Result<Signature> CardSigner::sign_state(const StateStatement& statement) const
{
    return sign(wire::domain::state, statement.encode());
}

Result<Signature> CardSigner::sign(std::string_view domain,
                                   std::span<const std::uint8_t> object) const
{
    std::array<std::uint8_t, 32> fresh;
    randombytes_buf(fresh.data(), fresh.size());
    auto signature = sign_with(domain, object, fresh);
    sodium_memzero(fresh.data(), fresh.size());
    return signature;
}

Result<Signature> CardSigner::sign_with(std::string_view domain,
                                        std::span<const std::uint8_t> object,
                                        std::span<const std::uint8_t, 32> fresh) const
{
    const SignedMessage message(domain, object);
    auto r = hash_to_scalar(nonce_secret_.reveal(), fresh, message);
    const auto commitment = base_times(r);
    const auto k = hash_to_scalar(commitment.bytes(), public_key_.bytes(), message);

    Scalar s, product;
    crypto_core_ed25519_scalar_mul(product.data(), k.data(), scalar_.reveal().data());
    crypto_core_ed25519_scalar_add(s.data(), r.data(), product.data());
    sodium_memzero(r.data(), r.size());
    sodium_memzero(product.data(), product.size());

    std::array<std::uint8_t, Signature::size> bytes;
    for (std::size_t i = 0; i < 32; ++i) {
        bytes[i] = commitment.bytes()[i];
        bytes[32 + i] = s[i];
    }
    const Signature signature(bytes);
    secrecy::now_public(signature.bytes());
    if (!ed25519::verify(signature, domain, object, public_key_))
        return Error{.code = Errc::not_authentic, .where = "card signature"};
    return signature;
}

}  // namespace tallycard
