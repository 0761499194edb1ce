// SPDX-License-Identifier: Apache-2.0
// A card that does what it is told, with none of the checks of a real one: so that a test can make
// it sign what a cloned or broken card would. A copy of it is a clone.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <tallycard/card_result.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/signer.hpp>

#include "crypto/card_signer.hpp"

namespace tallycard::test {

inline AccountId account_id(std::string_view text)
{
    return AccountId::parse(text).value();
}

// A receipt as the terminal delivers it.
inline Submission submission(const Receipt& receipt,
                             const std::optional<ExecutedOperation>& executed = std::nullopt,
                             const char* terminal = "T1")
{
    return {receipt, executed, account_id(terminal)};
}

class SimulatedCard {
public:
    SimulatedCard(const CardId& id, CardKey key, Unit unit)
        : signer_(std::make_shared<CardSigner>(std::move(key.scalar), nonce_secret())),
          certificate_(key.certificate),
          unit_(unit)
    {
        last_.card_id = id;
    }

    // The same card, as it would be with another unit.
    SimulatedCard with_unit(Unit unit) const
    {
        auto other = *this;
        other.unit_ = unit;
        return other;
    }

    const CardId& id() const { return last_.card_id; }
    const Certificate& certificate() const { return certificate_; }
    const PublicKey& public_key() const { return signer_->public_key(); }
    Balance balance() const { return last_.balance; }
    std::uint32_t sequence() const { return last_.sequence; }

    Receipt execute(const Operation& operation)
    {
        const auto previous = last_.sequence == 0 ? Digest{} : last_.digest();
        last_.sequence = operation.sequence;
        last_.operation = operation.digest();
        last_.previous_result = previous;
        last_.balance = checked_add(last_.balance, operation.amount).value();
        last_.state = next(last_.state, operation.kind);
        return sign(last_);
    }
    Receipt execute(const FirstInstruction& first) { return execute(first.operation); }

    Submission pay(std::int64_t amount, const char* payee)
    {
        const auto operation = make(Kind::payment, -amount, payee);
        return submission(execute(operation), ExecutedOperation{operation, std::nullopt});
    }

    SecondInstruction request(Kind kind, std::int64_t amount, const char* account) const
    {
        const auto operation = make(kind, amount, account);
        return {operation, signer_->sign_request(operation).value()};
    }

    // An operation with the card's next sequence.
    Operation make(Kind kind, std::int64_t amount, const char* account = nullptr) const
    {
        std::array<std::uint8_t, Nonce::size> nonce{};
        nonce[0] = ++nonces_;
        Operation operation;
        operation.kind = kind;
        operation.card_id = id();
        operation.sequence = last_.sequence + 1;
        operation.amount = Amount::minor_units(amount);
        operation.unit = unit_;
        operation.nonce = Nonce(nonce);
        if (account != nullptr) operation.account = AccountId::parse(std::string_view(account));
        return operation;
    }

    Receipt sign(const CardResult& result) const
    {
        return {result, signer_->sign_result(result).value()};
    }

private:
    static NonceSecret nonce_secret()
    {
        std::array<std::uint8_t, NonceSecret::size> bytes{};
        return NonceSecret(bytes);
    }

    std::shared_ptr<CardSigner> signer_;
    Certificate certificate_;
    Unit unit_;
    CardResult last_;
    mutable std::uint8_t nonces_ = 0;
};

}  // namespace tallycard::test
