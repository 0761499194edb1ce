// SPDX-License-Identifier: Apache-2.0
#include "seal.hpp"

#include <array>

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <sodium/randombytes.h>

#include "../protocol/wire.hpp"
#include "secrecy.hpp"

namespace tallycard {
namespace {

constexpr std::size_t nonce_size = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_chacha20poly1305_ietf_ABYTES;
static_assert(nonce_size + tag_size == seal_overhead);

constexpr std::array<std::uint8_t, 4> additional_data = {
    wire::command::personalise.cla, wire::command::personalise.ins, wire::command::personalise.p1,
    wire::command::personalise.p2};

}  // namespace

SealedPersonalisation seal(const PersonalisationBytes& object, const TransportKey& key,
                           std::span<const std::uint8_t, 12> nonce)
{
    const auto plain = object.reveal();
    std::array<std::uint8_t, PersonalisationBytes::capacity + tag_size> sealed;
    unsigned long long size = 0;
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), &size, plain.data(), plain.size(),
                                              additional_data.data(), additional_data.size(),
                                              nullptr, nonce.data(), key.reveal().data());
    SealedPersonalisation out(nonce);
    out.append(std::span(sealed).first(size));
    return out;
}

SealedPersonalisation seal(const PersonalisationBytes& object, const TransportKey& key)
{
    std::array<std::uint8_t, nonce_size> nonce;
    randombytes_buf(nonce.data(), nonce.size());
    return seal(object, key, nonce);
}

Result<PersonalisationBytes> unseal(std::span<const std::uint8_t> sealed, const TransportKey& key)
{
    TALLYCARD_EXPECTS(sealed.size() >= seal_overhead &&
                      sealed.size() <= SealedPersonalisation::capacity);
    const auto nonce = sealed.first(nonce_size);
    const auto body = sealed.subspan(nonce_size);
    std::array<std::uint8_t, PersonalisationBytes::capacity> plain;
    const int broken = crypto_aead_chacha20poly1305_ietf_decrypt(
        plain.data(), nullptr, nullptr, body.data(), body.size(), additional_data.data(),
        additional_data.size(), nonce.data(), key.reveal().data());
    if (!secrecy::holds(static_cast<unsigned>(broken)))
        return Error{.code = Errc::not_authentic, .where = "PERSONALISE"};
    secrecy::now_public(plain);  // Personalisation::decode() tells what of it is not
    PersonalisationBytes object{std::span<const std::uint8_t>(plain).first(body.size() - tag_size)};
    detail::erase(plain);
    return object;
}

}  // namespace tallycard
