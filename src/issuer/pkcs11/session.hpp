// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <p11-kit/pkcs11.h>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/pkcs11_uri.hpp>
#include <tallycard/result.hpp>

#include "../../crypto/ed25519.hpp"
#include "module.hpp"

namespace tallycard::pkcs11 {

// What logs in to a token. A PIN that was refused is dropped at once, and the refusal kept: a token
// locks itself after a few wrong ones.
struct Login {
    std::optional<Passphrase> pin;
    std::optional<Error> refused;
};

// A session with the token in which the key is, logged in, and the key found. One thread at a time.
// Closed when destroyed.
class Session {
public:
    static Result<std::unique_ptr<Session>> open(std::shared_ptr<Module> module,
                                                 const Pkcs11Uri& uri, Login& login);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    const PublicKey& public_key() const { return public_key_; }
    // Signs with CKM_EDDSA. Not verified yet.
    Result<ed25519::SecretSignature> sign(std::span<const std::uint8_t> message);
    // Whether the last error of sign() may be cured by a new session.
    bool is_lost() const { return lost_; }

private:
    Session(std::shared_ptr<Module> module, CK_SLOT_ID slot)
        : module_(std::move(module)), slot_(slot)
    {
    }
    const CK_FUNCTION_LIST& call() const { return module_->functions(); }
    Result<void> begin();
    Result<void> log_in(Login& login);
    Result<void> find_key(const Pkcs11Uri& uri);
    Result<void> find_public_key();
    Error failed(CK_RV code, const char* where);

    std::shared_ptr<Module> module_;
    CK_SLOT_ID slot_;
    std::optional<CK_SESSION_HANDLE> handle_;
    CK_OBJECT_HANDLE key_ = 0;
    PublicKey public_key_;
    bool lost_ = false;
};

}  // namespace tallycard::pkcs11
