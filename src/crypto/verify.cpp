// SPDX-License-Identifier: Apache-2.0
#include <tallycard/verify.hpp>

#include <array>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>

#include "../protocol/wire.hpp"
#include "account_messages.hpp"
#include "ed25519.hpp"
#include "signed_message.hpp"

namespace tallycard {
namespace {

using Point = std::array<std::uint8_t, crypto_core_ed25519_BYTES>;
using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;

constexpr Point neutral = {1};

// h = SHA-512(R ‖ A ‖ tag ‖ card id) mod L
Scalar derivation_hash(const PublicKey& root, const CardId& card_id, const Certificate& certificate)
{
    const SignedMessage message(wire::domain::card_key, card_id.bytes());
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, certificate.bytes().data(), Certificate::size);
    crypto_hash_sha512_update(&state, root.bytes().data(), PublicKey::size);
    crypto_hash_sha512_update(&state, message.bytes().data(), message.bytes().size());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash;
    crypto_hash_sha512_final(&state, hash.data());
    Scalar h;
    crypto_core_ed25519_scalar_reduce(h.data(), hash.data());
    return h;
}

Result<void> check(bool verified, const char* where)
{
    if (verified) return {};
    return Error{.code = Errc::bad_signature, .where = where};
}

}  // namespace

Result<PublicKey> derive_card_public_key(const PublicKey& card_root, const CardId& card_id,
                                         const Certificate& certificate)
{
    if (auto safe = self_test(); !safe) return safe.error();
    const Error refused{.code = Errc::bad_signature, .where = "card key"};
    if (!is_valid(certificate)) return refused;

    // libsodium refuses an A here that is_valid() would: checking it twice costs as much as half a
    // signature. P is then a sum of two points of the prime-order group: of it, too, and canonical
    // as it comes from libsodium. What remains is the one point of the group that is of small
    // order, the neutral one.
    const auto h = derivation_hash(card_root, card_id, certificate);
    Point product, sum;
    if (crypto_scalarmult_ed25519_noclamp(product.data(), h.data(), card_root.bytes().data()) != 0)
        return refused;
    if (crypto_core_ed25519_add(sum.data(), certificate.bytes().data(), product.data()) != 0)
        return refused;
    if (sum == neutral) return refused;
    return PublicKey(sum);
}

Result<void> verify(const FirstInstruction& first, const PublicKey& operation_key)
{
    return check(ed25519::verify(first.issuer_signature, wire::domain::operation,
                                 first.operation.encode(), operation_key),
                 "first instruction");
}

Result<void> verify(const SecondInstruction& second, const PublicKey& card_key)
{
    return check(ed25519::verify(second.card_signature, wire::domain::request,
                                 second.operation.encode(), card_key),
                 "second instruction");
}

Result<void> verify(const Receipt& receipt, const PublicKey& card_key)
{
    return check(ed25519::verify(receipt.card_signature, wire::domain::result,
                                 receipt.result.encode(), card_key),
                 "third instruction");
}

Result<void> verify(const StateStatement& statement, const Signature& signature,
                    const PublicKey& card_key)
{
    return check(ed25519::verify(signature, wire::domain::state, statement.encode(), card_key),
                 "state statement");
}

Result<void> verify_consent(const Operation& operation, const Signature& consent,
                            const PublicKey& card_root, const PublicKey& account_key)
{
    return check(
        ed25519::verify(consent, wire::domain::consent, word_to(card_root, operation), account_key),
        "consent");
}

Result<void> verify_owner(const AccountOrder& order, const Signature& owner,
                          const PublicKey& card_root, const PublicKey& account_key)
{
    return check(
        ed25519::verify(owner, wire::domain::account_order, word_to(card_root, order), account_key),
        "account order");
}

Result<void> verify(const AccountRecord& record, const PublicKey& operation_key)
{
    return check(ed25519::verify(record.issuer_signature, wire::domain::account_record,
                                 issuers_part(record.order, record.owner_signature), operation_key),
                 "account record");
}

Result<void> verify(const Gap& gap, const PublicKey& operation_key)
{
    return check(ed25519::verify(gap.issuer_signature, wire::domain::gap, gap.signed_fields(),
                                 operation_key),
                 "gap");
}

}  // namespace tallycard
