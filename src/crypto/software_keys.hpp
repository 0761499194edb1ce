// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/signer.hpp>

namespace tallycard {

// The operation key in this process's memory.
class TALLYCARD_EXPORT SoftwareOperationSigner final : public OperationSigner {
public:
    explicit SoftwareOperationSigner(KeySeed seed);
    PublicKey public_key() const override { return public_key_; }
    Result<Signature> sign(const Operation& operation) override;
    Result<Signature> sign(const AccountOrder& order,
                           const std::optional<Signature>& owner) override;
    Result<Signature> sign(const Gap& gap) override;

private:
    KeySeed seed_;
    PublicKey public_key_;
};

// An account's key in this process's memory.
class TALLYCARD_EXPORT SoftwareAccountSigner final : public AccountSigner {
public:
    explicit SoftwareAccountSigner(KeySeed seed);
    PublicKey public_key() const override { return public_key_; }
    Result<Signature> consent(const PublicKey& card_root, const Operation& operation) override;
    Result<Signature> sign(const PublicKey& card_root, const AccountOrder& order) override;

private:
    KeySeed seed_;
    PublicKey public_key_;
};

// The card root key in this process's memory.
class TALLYCARD_EXPORT SoftwareCardRoot final : public CardRoot {
public:
    explicit SoftwareCardRoot(KeySeed seed);
    PublicKey public_key() const override { return public_key_; }
    Result<CardKey> derive(const CardId& card_id) override;

private:
    KeySeed seed_;
    PublicKey public_key_;
};

}  // namespace tallycard
