// SPDX-License-Identifier: Apache-2.0
#include <tallycard/pkcs11_signer.hpp>

#include "../../crypto/account_messages.hpp"
#include "../../crypto/card_derivation.hpp"
#include "../../protocol/wire.hpp"
#include "token_key.hpp"

namespace tallycard {
namespace {

using pkcs11::TokenKey;

Result<Signature> sign_with(TokenKey& key, std::string_view domain,
                            std::span<const std::uint8_t> object)
{
    const auto signature = key.sign(domain, object);
    if (!signature) return signature.error();
    return Signature(signature->reveal());
}

class TokenOperationSigner final : public OperationSigner {
public:
    explicit TokenOperationSigner(std::unique_ptr<TokenKey> key) : key_(std::move(key)) {}
    PublicKey public_key() const override { return key_->public_key(); }
    Result<Signature> sign(const Operation& operation) override
    {
        return sign_with(*key_, wire::domain::operation, operation.encode());
    }
    Result<Signature> sign(const AccountOrder& order,
                           const std::optional<Signature>& owner) override
    {
        return sign_with(*key_, wire::domain::account_record, issuers_part(order, owner));
    }
    Result<Signature> sign(const Gap& gap) override
    {
        return sign_with(*key_, wire::domain::gap, gap.signed_fields());
    }

private:
    std::unique_ptr<TokenKey> key_;
};

class TokenAccountSigner final : public AccountSigner {
public:
    explicit TokenAccountSigner(std::unique_ptr<TokenKey> key) : key_(std::move(key)) {}
    PublicKey public_key() const override { return key_->public_key(); }
    Result<Signature> consent(const PublicKey& card_root, const Operation& operation) override
    {
        return sign_with(*key_, wire::domain::consent, word_to(card_root, operation));
    }
    Result<Signature> sign(const PublicKey& card_root, const AccountOrder& order) override
    {
        return sign_with(*key_, wire::domain::account_order, word_to(card_root, order));
    }

private:
    std::unique_ptr<TokenKey> key_;
};

class TokenNoteSigner final : public NoteSigner {
public:
    explicit TokenNoteSigner(std::unique_ptr<TokenKey> key) : key_(std::move(key)) {}
    PublicKey public_key() const override { return key_->public_key(); }
    Result<Signature> sign(std::string_view text) override
    {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
        return sign_with(*key_, {}, {bytes, text.size()});
    }

private:
    std::unique_ptr<TokenKey> key_;
};

class TokenCardRoot final : public CardRoot {
public:
    explicit TokenCardRoot(std::unique_ptr<TokenKey> key) : key_(std::move(key)) {}
    PublicKey public_key() const override { return key_->public_key(); }
    Result<CardKey> derive(const CardId& card_id) override
    {
        const auto signature = key_->sign(wire::domain::card_key, card_id.bytes());
        if (!signature) return signature.error();
        return card_key_from(*signature, public_key(), card_id);
    }

private:
    std::unique_ptr<TokenKey> key_;
};

}  // namespace

Result<std::unique_ptr<OperationSigner>> open_pkcs11_operation_key(const Pkcs11Uri& uri,
                                                                   std::optional<Passphrase> pin,
                                                                   Pkcs11Deadlines deadlines)
{
    auto key = TokenKey::open(uri, std::move(pin), deadlines);
    if (!key) return key.error();
    return std::unique_ptr<OperationSigner>(
        std::make_unique<TokenOperationSigner>(std::move(*key)));
}

Result<std::unique_ptr<AccountSigner>> open_pkcs11_account_key(const Pkcs11Uri& uri,
                                                               std::optional<Passphrase> pin,
                                                               Pkcs11Deadlines deadlines)
{
    auto key = TokenKey::open(uri, std::move(pin), deadlines);
    if (!key) return key.error();
    return std::unique_ptr<AccountSigner>(std::make_unique<TokenAccountSigner>(std::move(*key)));
}

Result<std::unique_ptr<CardRoot>> open_pkcs11_card_root(const Pkcs11Uri& uri,
                                                        std::optional<Passphrase> pin,
                                                        Pkcs11Deadlines deadlines)
{
    auto key = TokenKey::open(uri, std::move(pin), deadlines);
    if (!key) return key.error();
    return std::unique_ptr<CardRoot>(std::make_unique<TokenCardRoot>(std::move(*key)));
}

Result<CheckpointKey> open_pkcs11_checkpoint_key(const Pkcs11Uri& uri,
                                                 std::optional<Passphrase> pin,
                                                 Pkcs11Deadlines deadlines)
{
    auto key = TokenKey::open(uri, std::move(pin), deadlines);
    if (!key) return key.error();
    return CheckpointKey(std::make_unique<TokenNoteSigner>(std::move(*key)));
}

}  // namespace tallycard
