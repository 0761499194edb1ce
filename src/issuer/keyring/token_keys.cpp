// SPDX-License-Identifier: Apache-2.0
#include "token_keys.hpp"

#include <optional>
#include <utility>

#include <tallycard/pkcs11_signer.hpp>

namespace tallycard::keyring {
namespace {

template <class Key>
using OpenKey = Result<Key>(const Pkcs11Uri&, std::optional<Passphrase>, Pkcs11Deadlines);

// A token that asks for no PIN, or asks at a keypad of its own, is told none.
template <class Key>
Result<Key> open_with(OpenKey<Key>& open, const std::string& text, Secrets& secrets)
{
    const auto uri = Pkcs11Uri::parse(text);
    if (!uri) return uri.error();
    auto opened = open(*uri, std::nullopt, {});
    if (opened || opened.error().code != Errc::pin_needed) return opened;
    auto pin = secrets.token_pin(uri->pin_source);
    if (!pin) return pin.error();
    return open(*uri, std::move(*pin), {});
}

}  // namespace

Result<std::unique_ptr<OperationSigner>> open_token_operation_key(const std::string& uri,
                                                                  Secrets& secrets)
{
    return open_with(open_pkcs11_operation_key, uri, secrets);
}

Result<std::unique_ptr<CardRoot>> open_token_card_root(const std::string& uri, Secrets& secrets)
{
    return open_with(open_pkcs11_card_root, uri, secrets);
}

Result<CheckpointKey> open_token_checkpoint_key(const std::string& uri, Secrets& secrets)
{
    return open_with(open_pkcs11_checkpoint_key, uri, secrets);
}

}  // namespace tallycard::keyring
