// SPDX-License-Identifier: Apache-2.0
// The private keys of an issuer, and of an account's owner, wherever they are. A key is named by a
// reference: a PKCS#11 URI (pkcs11:...), or the path of a file. The file is a sealed key, or one
// line that is a reference itself: that is how the issuer's folder names keys that are elsewhere.
//
// The way in of all our programs; linked into each of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/result.hpp>
#include <tallycard/signer.hpp>

namespace tallycard::keyring {

bool is_uri(const std::string& reference);

// Where the secrets come from that open keys. Asked only when a key needs one.
class Secrets {
public:
    Secrets() = default;
    Secrets(const Secrets&) = delete;
    Secrets& operator=(const Secrets&) = delete;
    virtual ~Secrets() = default;

    // The one passphrase of all key files; the caller keeps it. `what` it opens, for people.
    virtual Result<const Passphrase*> passphrase(const std::string& what) = 0;
    // The PIN of a key's token. `pin_source`: the file that its URI names, or empty.
    virtual Result<Passphrase> token_pin(const std::string& pin_source) = 0;
};

Result<std::unique_ptr<OperationSigner>> open_operation_key(const std::string& reference,
                                                            Secrets& secrets);
Result<std::unique_ptr<AccountSigner>> open_account_key(const std::string& reference,
                                                        Secrets& secrets);
Result<std::unique_ptr<CardRoot>> open_card_root(const std::string& reference, Secrets& secrets);
Result<CheckpointKey> open_checkpoint_key(const std::string& reference, Secrets& secrets);

// All of `references`, or where there are none, of the issuer's folder. Errc::conflict for a key
// that the issuer's description does not name.
Result<std::vector<std::shared_ptr<OperationSigner>>> open_operation_keys(
    std::vector<std::string> references, const std::string& folder, const IssuerDescription& issuer,
    Secrets& secrets);

}  // namespace tallycard::keyring
