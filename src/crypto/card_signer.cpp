// SPDX-License-Identifier: Apache-2.0
#include "card_signer.hpp"

#include <tallycard/verify.hpp>

#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include "../protocol/group.hpp"
#include "../protocol/wire.hpp"
#include "ed25519.hpp"
#include "secrecy.hpp"

namespace tallycard {

CardSigner::CardSigner(CardScalar scalar, NonceSecret nonce_secret)
    : scalar_(std::move(scalar)),
      nonce_secret_(std::move(nonce_secret)),
      public_key_(ed25519::base_times(scalar_.reveal()))
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
    const auto secret = ed25519::sign_with_scalar(scalar_.reveal(), public_key_,
                                                  nonce_secret_.reveal(), fresh, domain, object);
    const Signature signature(secret.reveal());
    secrecy::now_public(signature.bytes());
    if (!ed25519::verify(signature, domain, object, public_key_))
        return Error{.code = Errc::not_authentic, .where = "card signature"};
    return signature;
}

}  // namespace tallycard
