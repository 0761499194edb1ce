// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <tallycard/checkpoint.hpp>
#include <tallycard/export.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/pkcs11_uri.hpp>
#include <tallycard/result.hpp>
#include <tallycard/signer.hpp>

// The issuer's keys in a token: whatever has a PKCS#11 module with CKM_EDDSA (Ed25519). A private
// key never leaves it. Here where the library was built with TALLYCARD_BUILD_PKCS11.
//
// Opening loads the module, logs in, and makes the key sign a random message: what opens works, and
// its public key is the token's. Every signature is verified before it is given out
// (Errc::bad_signature).
//
// A session that is lost, a module that was restarted and a token that is back are found again by
// the next call, with the PIN of the first login; Errc::token_missing as long as there is no token.
// A PIN that the token refuses is never shown to it again, neither is one whose last try is left.
// A call that takes longer than its deadline is Errc::timed_out: what the token answers later is
// dropped. Nothing of all that changes anything in a store.
//
// The keys are thread-safe, and sign one thing after the other. After fork() a child has to open
// its own.
namespace tallycard {

struct Pkcs11Deadlines {
    std::chrono::milliseconds opening{30000};
    std::chrono::milliseconds signing{5000};
};

// `pin`: none where the token needs no login, or has a keypad of its own.
// Errc::file_missing, Errc::file_rejected: the module; and the token_ errors of Errc.
TALLYCARD_EXPORT Result<std::unique_ptr<OperationSigner>> open_pkcs11_operation_key(
    const Pkcs11Uri& key, std::optional<Passphrase> pin, Pkcs11Deadlines deadlines = {});
TALLYCARD_EXPORT Result<std::unique_ptr<AccountSigner>> open_pkcs11_account_key(
    const Pkcs11Uri& key, std::optional<Passphrase> pin, Pkcs11Deadlines deadlines = {});
TALLYCARD_EXPORT Result<std::unique_ptr<CardRoot>> open_pkcs11_card_root(
    const Pkcs11Uri& key, std::optional<Passphrase> pin, Pkcs11Deadlines deadlines = {});
TALLYCARD_EXPORT Result<CheckpointKey> open_pkcs11_checkpoint_key(const Pkcs11Uri& key,
                                                                  std::optional<Passphrase> pin,
                                                                  Pkcs11Deadlines deadlines = {});

}  // namespace tallycard
