// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <tallycard/pkcs11_signer.hpp>

#include "session.hpp"
#include "worker.hpp"

namespace tallycard::pkcs11 {

// A key in a token and all that it takes to use it: module, login and session, made anew where they
// are lost. One thread at a time.
class Connection {
public:
    Connection(Pkcs11Uri uri, std::optional<Passphrase> pin)
        : uri_(std::move(uri)), login_{.pin = std::move(pin), .refused = {}}
    {
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();
    // A key that was there before has to have the same public key again.
    Result<void> connect();
    // A signature that verifies.
    Result<ed25519::SecretSignature> sign(std::string_view domain,
                                          std::span<const std::uint8_t> object);
    const PublicKey& public_key() const { return *public_key_; }

private:
    Result<ed25519::SecretSignature> sign_raw(std::span<const std::uint8_t> message);
    Result<std::unique_ptr<Session>> open_session();
    void drop_session();

    Pkcs11Uri uri_;
    Login login_;
    std::shared_ptr<Module> module_;
    std::unique_ptr<Session> session_;
    std::optional<PublicKey> public_key_;
};

// The same for any number of threads, and with deadlines.
class TokenKey {
public:
    // Logs in, and sees that the key signs.
    static Result<std::unique_ptr<TokenKey>> open(const Pkcs11Uri& uri,
                                                  std::optional<Passphrase> pin,
                                                  Pkcs11Deadlines deadlines);
    const PublicKey& public_key() const { return public_key_; }
    // `object` at most SignedMessage::max_object bytes.
    Result<ed25519::SecretSignature> sign(std::string_view domain,
                                          std::span<const std::uint8_t> object);

private:
    TokenKey(const Pkcs11Uri& uri, std::optional<Passphrase> pin, Pkcs11Deadlines deadlines)
        : connection_(std::make_shared<Connection>(uri, std::move(pin))), deadlines_(deadlines)
    {
    }
    Result<ed25519::SecretSignature> sign_within(std::chrono::milliseconds deadline,
                                                 std::string_view domain,
                                                 std::span<const std::uint8_t> object);

    std::shared_ptr<Connection> connection_;  // used by the worker's thread alone
    Pkcs11Deadlines deadlines_;
    PublicKey public_key_;
    Worker worker_;
};

}  // namespace tallycard::pkcs11
