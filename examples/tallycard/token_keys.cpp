// SPDX-License-Identifier: Apache-2.0
#include "token_keys.hpp"

#include <tallycard/pkcs11_signer.hpp>
#include <tallycard/result_error.hpp>

using namespace tallycard;

namespace token_keys {
namespace {

template <class Key>
using OpenKey = Result<Key>(const Pkcs11Uri&, std::optional<Passphrase>, Pkcs11Deadlines);

// A token that asks for no PIN, or asks at a keypad of its own, is told none.
template <class Key>
Key open_with(OpenKey<Key>& open, const std::string& text, keys::Secrets& secrets)
{
    const auto uri = Pkcs11Uri::parse(text).value();
    auto opened = open(uri, std::nullopt, {});
    if (!opened && opened.error().code == Errc::pin_needed)
        opened = open(uri, secrets.token_pin(uri.pin_source), {});
    return std::move(opened).value();
}

}  // namespace

std::unique_ptr<OperationSigner> open_operation_key(const std::string& uri, keys::Secrets& secrets)
{
    return open_with(open_pkcs11_operation_key, uri, secrets);
}

std::unique_ptr<CardRoot> open_card_root(const std::string& uri, keys::Secrets& secrets)
{
    return open_with(open_pkcs11_card_root, uri, secrets);
}

CheckpointKey open_checkpoint_key(const std::string& uri, keys::Secrets& secrets)
{
    return open_with(open_pkcs11_checkpoint_key, uri, secrets);
}

}  // namespace token_keys
