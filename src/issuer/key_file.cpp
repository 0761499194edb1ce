// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <tallycard/key_file.hpp>
#include <tallycard/verify.hpp>

#include "../crypto/ed25519.hpp"
#include "../crypto/software_keys.hpp"
#include "files.hpp"

// The file: magic (9) ‖ version 01 ‖ role (1) ‖ passes (4) ‖ memory in KiB (4) ‖ salt (16) ‖
// nonce (24) ‖ sealed seed (32 + 16). Everything before the sealed seed is authenticated with it.
namespace tallycard {
namespace {

constexpr std::string_view magic = "tallykey\n";
constexpr std::uint8_t version = 1;
constexpr std::size_t role_at = 10, passes_at = 11, memory_at = 15, salt_at = 19, nonce_at = 35,
                      sealed_at = 59, file_size = 107;
static_assert(salt_at + crypto_pwhash_SALTBYTES == nonce_at);
static_assert(nonce_at + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == sealed_at);
static_assert(sealed_at + KeySeed::size + crypto_aead_xchacha20poly1305_ietf_ABYTES == file_size);

// A file that asks for more than this is damaged or hostile.
constexpr std::uint32_t most_passes = 64, most_memory_kib = 2u << 20, least_memory_kib = 8;

using FileBytes = std::array<std::uint8_t, file_size>;
using SealKey = Secret<crypto_aead_xchacha20poly1305_ietf_KEYBYTES, struct SealKeyTag>;

Error key_error(Errc code)
{
    return Error{.code = code, .where = "key file"};
}

void put_number(FileBytes& file, std::size_t at, std::uint32_t value)
{
    for (std::size_t i = 0; i < 4; ++i)
        file[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::uint32_t number(const FileBytes& file, std::size_t at)
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | file[at + i];
    return value;
}

bool affordable(KeyFileCost cost)
{
    return cost.passes >= 1 && cost.passes <= most_passes && cost.memory_kib >= least_memory_kib &&
           cost.memory_kib <= most_memory_kib;
}

Result<SealKey> stretch(const Passphrase& passphrase, const FileBytes& file)
{
    std::array<std::uint8_t, SealKey::size> key;
    const auto characters = passphrase.reveal();
    const int status =
        crypto_pwhash(key.data(), key.size(), reinterpret_cast<const char*>(characters.data()),
                      characters.size(), file.data() + salt_at, number(file, passes_at),
                      std::size_t{number(file, memory_at)} * 1024, crypto_pwhash_ALG_ARGON2ID13);
    SealKey sealing{std::span(key)};
    if (status != 0) return key_error(Errc::file_rejected);  // not that much memory
    return sealing;
}

Result<FileBytes> seal(KeyRole role, const KeySeed& seed, const Passphrase& passphrase,
                       KeyFileCost cost)
{
    FileBytes file{};
    std::ranges::copy(magic, file.begin());
    file[magic.size()] = version;
    file[role_at] = static_cast<std::uint8_t>(role);
    put_number(file, passes_at, cost.passes);
    put_number(file, memory_at, cost.memory_kib);
    randombytes_buf(file.data() + salt_at, sealed_at - salt_at);
    const auto key = stretch(passphrase, file);
    if (!key) return key.error();
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        file.data() + sealed_at, nullptr, seed.reveal().data(), KeySeed::size, file.data(),
        sealed_at, nullptr, file.data() + nonce_at, key->reveal().data());
    return file;
}

Result<FileBytes> read(const std::string& path, KeyRole role)
{
    const auto content = files::read(path, file_size);
    if (!content) return content.error();
    FileBytes file;
    if (content->size() != file_size) return key_error(Errc::file_damaged);
    std::memcpy(file.data(), content->data(), file_size);
    const KeyFileCost cost{.passes = number(file, passes_at),
                           .memory_kib = number(file, memory_at)};
    if (!std::ranges::equal(std::span(file).first<magic.size()>(), magic) ||
        file[magic.size()] != version || file[role_at] != static_cast<std::uint8_t>(role) ||
        !affordable(cost))
        return key_error(Errc::file_damaged);
    return file;
}

Result<KeySeed> open(const std::string& path, KeyRole role, const Passphrase& passphrase)
{
    if (const auto safe = self_test(); !safe) return safe.error();
    const auto file = read(path, role);
    if (!file) return file.error();
    const auto key = stretch(passphrase, *file);
    if (!key) return key.error();
    std::array<std::uint8_t, KeySeed::size> seed{};
    const int status = crypto_aead_xchacha20poly1305_ietf_decrypt(
        seed.data(), nullptr, nullptr, file->data() + sealed_at, file_size - sealed_at,
        file->data(), sealed_at, file->data() + nonce_at, key->reveal().data());
    if (status != 0) return key_error(Errc::wrong_passphrase);
    return KeySeed(seed);
}

}  // namespace

Result<PublicKey> create_key_file(const std::string& path, KeyRole role, const KeySeed& seed,
                                  const Passphrase& passphrase, KeyFileCost cost)
{
    TALLYCARD_EXPECTS(affordable(cost));
    if (const auto safe = self_test(); !safe) return safe.error();
    const auto file = seal(role, seed, passphrase, cost);
    if (!file) return file.error();
    const std::string_view bytes(reinterpret_cast<const char*>(file->data()), file->size());
    if (const auto created = files::create(path, bytes); !created) return created.error();
    return ed25519::public_key(seed);
}

Result<PublicKey> create_key_file(const std::string& path, KeyRole role,
                                  const Passphrase& passphrase, KeyFileCost cost)
{
    if (const auto safe = self_test(); !safe) return safe.error();
    std::array<std::uint8_t, KeySeed::size> random;
    randombytes_buf(random.data(), random.size());
    return create_key_file(path, role, KeySeed(random), passphrase, cost);
}

Result<std::unique_ptr<OperationSigner>> open_operation_key(const std::string& path,
                                                            const Passphrase& passphrase)
{
    auto seed = open(path, KeyRole::operation, passphrase);
    if (!seed) return seed.error();
    return std::unique_ptr<OperationSigner>(
        std::make_unique<SoftwareOperationSigner>(std::move(*seed)));
}

Result<std::unique_ptr<CardRoot>> open_card_root(const std::string& path,
                                                 const Passphrase& passphrase)
{
    auto seed = open(path, KeyRole::card_root, passphrase);
    if (!seed) return seed.error();
    return std::unique_ptr<CardRoot>(std::make_unique<SoftwareCardRoot>(std::move(*seed)));
}

Result<CheckpointKey> open_checkpoint_key(const std::string& path, const Passphrase& passphrase)
{
    auto seed = open(path, KeyRole::checkpoint, passphrase);
    if (!seed) return seed.error();
    return CheckpointKey(std::move(*seed));
}

Result<std::unique_ptr<AccountSigner>> open_account_key(const std::string& path,
                                                        const Passphrase& passphrase)
{
    auto seed = open(path, KeyRole::account, passphrase);
    if (!seed) return seed.error();
    return std::unique_ptr<AccountSigner>(
        std::make_unique<SoftwareAccountSigner>(std::move(*seed)));
}

Result<CosignerKey> open_witness_key(const std::string& path, std::string name,
                                     const Passphrase& passphrase)
{
    auto seed = open(path, KeyRole::witness, passphrase);
    if (!seed) return seed.error();
    return CosignerKey(std::move(name), std::move(*seed));
}

}  // namespace tallycard
