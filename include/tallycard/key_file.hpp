// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tallycard/checkpoint.hpp>
#include <tallycard/cosignature.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/signer.hpp>

// One private key of the issuer, of a witness or of an account's owner, in a file that a passphrase
// seals: Argon2id and XChaCha20-Poly1305. The purpose of the key is part of what is authenticated,
// so that a file never opens as a key of another role. The file is 107 bytes, mode 0600.
namespace tallycard {

enum class KeyRole : std::uint8_t {
    operation = 1,
    card_root = 2,
    checkpoint = 3,
    witness = 4,
    account = 5
};

// What one guess at the passphrase costs. The defaults are libsodium's interactive ones.
struct KeyFileCost {
    std::uint32_t passes = 2;
    std::uint32_t memory_kib = 65536;
};

// Makes a new key, seals it and writes it: durable when this returns. Errc::file_exists when there
// is such a file already: a key is never overwritten.
TALLYCARD_EXPORT Result<PublicKey> create_key_file(const std::string& path, KeyRole role,
                                                   const Passphrase& passphrase,
                                                   KeyFileCost cost = {});
// The same with a key that exists.
TALLYCARD_EXPORT Result<PublicKey> create_key_file(const std::string& path, KeyRole role,
                                                   const KeySeed& seed,
                                                   const Passphrase& passphrase,
                                                   KeyFileCost cost = {});

// Errc::file_missing; Errc::file_damaged when it is no key file, or one of another role;
// Errc::wrong_passphrase when its seal does not open. Takes about 0.1 s by design.
TALLYCARD_EXPORT Result<std::unique_ptr<OperationSigner>> open_operation_key(
    const std::string& path, const Passphrase& passphrase);
TALLYCARD_EXPORT Result<std::unique_ptr<CardRoot>> open_card_root(const std::string& path,
                                                                  const Passphrase& passphrase);
TALLYCARD_EXPORT Result<CheckpointKey> open_checkpoint_key(const std::string& path,
                                                           const Passphrase& passphrase);
TALLYCARD_EXPORT Result<std::unique_ptr<AccountSigner>> open_account_key(
    const std::string& path, const Passphrase& passphrase);
// The key of the witness of that name. Requires is_note_name(name).
TALLYCARD_EXPORT Result<CosignerKey> open_witness_key(const std::string& path, std::string name,
                                                      const Passphrase& passphrase);

}  // namespace tallycard
