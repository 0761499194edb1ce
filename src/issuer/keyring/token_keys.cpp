// SPDX-License-Identifier: Apache-2.0
#include "token_keys.hpp"

#include <optional>
#include <utility>

#include <tallycard/pkcs11_signer.hpp>

namespace tallycard::keyring {
namespace {

// The way in of the library for each key.
template <class Key>
using Opener = Result<Key>(const Pkcs11Uri&, std::optional<Passphrase>, Pkcs11Deadlines);
template <class Key>
constexpr Opener<Key>* opener = nullptr;
template <>
constexpr auto* opener<std::unique_ptr<OperationSigner>> = open_pkcs11_operation_key;
template <>
constexpr auto* opener<std::unique_ptr<AccountSigner>> = open_pkcs11_account_key;
template <>
constexpr auto* opener<std::unique_ptr<CardRoot>> = open_pkcs11_card_root;
template <>
constexpr auto* opener<CheckpointKey> = open_pkcs11_checkpoint_key;

}  // namespace

// A token that asks for no PIN, or asks at a keypad of its own, is told none.
template <class Key>
Result<Key> open_token_key(const std::string& text, Secrets& secrets)
{
    const auto uri = Pkcs11Uri::parse(text);
    if (!uri) return uri.error();
    auto opened = opener<Key>(*uri, std::nullopt, {});
    if (opened || opened.error().code != Errc::pin_needed) return opened;
    auto pin = secrets.token_pin(uri->pin_source);
    if (!pin) return pin.error();
    return opener<Key>(*uri, std::move(*pin), {});
}

template Result<std::unique_ptr<OperationSigner>> open_token_key(const std::string&, Secrets&);
template Result<std::unique_ptr<AccountSigner>> open_token_key(const std::string&, Secrets&);
template Result<std::unique_ptr<CardRoot>> open_token_key(const std::string&, Secrets&);
template Result<CheckpointKey> open_token_key(const std::string&, Secrets&);

}  // namespace tallycard::keyring
