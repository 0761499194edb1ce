// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/apdu.hpp>
#include <tallycard/card_info.hpp>
#include <tallycard/export.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/observer.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>
#include <tallycard/state_statement.hpp>

namespace tallycard {

namespace detail {
struct CommandRule;
}

// A payment that the card is asked to make (command PAY).
struct PaymentOrder {
    Amount amount;  // below zero: it leaves the card
    Unit unit;
    Nonce nonce;  // the same order with the same nonce answers the same receipt
    AccountId payee;
};

// Exclusive use of one card of one issuer: a transaction in which the application is selected.
// Every command of docs/protocol.md, section 5, as a typed call; only a session can transmit.
//
// Whatever comes back signed has been verified before it is returned: against the card's public
// key, which is derived from `card_root` and the certificate in the FCI. What is signed and does
// not verify is Errc::bad_signature. When a call that can move value, or change the PIN or the
// keys, fails with Effect::unknown, the card may have done it: see Terminal::resolve.
//
// Hold it for the commands only, never while a person or a network is waited for. Not
// thread-safe. The link and the observer must outlive it.
class TALLYCARD_EXPORT CardSession {
public:
    // Begins a transaction and selects; after a reset by another program it reconnects first, once.
    // Errc::foreign_card when the application is not there, or its certificate cannot be of this
    // issuer; another issuer's card may show only when it signs (authenticate()). A blank card is
    // not an error: info().state says so, and what needs its key is Errc::blank_card.
    static Result<CardSession> begin(CardLink& link, const PublicKey& card_root,
                                     Observer* observer = nullptr);

    CardSession(CardSession&& other) noexcept;
    CardSession(const CardSession&) = delete;
    CardSession& operator=(const CardSession&) = delete;
    CardSession& operator=(CardSession&&) = delete;
    ~CardSession();  // ends the transaction and drops any error; call end() to see it
    Result<void> end();

    const CardInfo& info() const { return info_; }               // as of the last select()
    const PublicKey& public_key() const { return public_key_; }  // zeros for a blank card
    Result<void> select();                                       // ends the PIN's verified status

    Result<void> challenge(std::span<std::uint8_t> random);  // fills it; 1 to 256 bytes
    // Errc::foreign_card when the signature is not of a card of this issuer; bad_signature when the
    // card did sign it, and for something else.
    Result<StateStatement> authenticate(const Challenge& challenge);
    Result<LimitsUse> limits();

    Result<void> verify_pin(const PinBlock& pin);  // Errc::wrong_pin: see Error::sw.tries_left()
    Result<void> change_pin(const PinBlock& old_pin, const PinBlock& new_pin);
    // After Kind::open_pin; Errc::not_in_this_state where the card waits for no PIN.
    Result<void> set_pin(const PinBlock& new_pin);
    // The first two, typed at the reader. Errc::cancelled: the holder pressed the cancel key, or
    // the new PINs differ (SW 6402) or are of a wrong length (SW 6403); Errc::timed_out: nothing
    // was typed. Require the link's has_pin_pad().
    Result<void> verify_pin_at_reader();
    Result<void> change_pin_at_reader();
    // Tries left, or empty when the PIN stands verified.
    Result<std::optional<unsigned>> pin_tries_left();

    // Asks for an operation, of which the card signs that it wants it. Requires
    // needs_request(kind); the sign of `amount` is the kind's; `account` is field 87.
    Result<SecondInstruction> request(Kind kind, Amount amount, Unit unit,
                                      const AccountId& account);
    Result<Receipt> execute(const FirstInstruction& first);
    Result<Receipt> pay(const PaymentOrder& order);

    Result<Receipt> result(std::uint32_t sequence);  // Errc::not_in_log
    // Likewise. Its issuer's signature is not verified, and the card signs no more than the digest
    // in result(sequence).
    Result<ExecutedOperation> operation(std::uint32_t sequence);

    // `sealed` is the command data of PERSONALISE. Call select() next: info() is the blank card's.
    Result<void> personalise(std::span<const std::uint8_t> sealed);

private:
    CardSession(CardLink& link, const PublicKey& card_root, Observer* observer)
        : link_(&link), card_root_(card_root), observer_(observer)
    {
    }
    Result<apdu::Response> exchange(const apdu::Command& command, const detail::CommandRule& rule);
    Result<void> exchange_at_reader(PinEntry entry, const apdu::Command& command,
                                    const detail::CommandRule& rule);
    Result<Receipt> receipt(const apdu::Command& command, const detail::CommandRule& rule);
    Result<void> not_blank(const detail::CommandRule& rule) const;

    CardLink* link_;  // null once ended or moved from
    PublicKey card_root_;
    Observer* observer_;
    CardInfo info_;
    PublicKey public_key_;
    std::array<std::uint8_t, apdu::Response::max_size> answer_{};
};

}  // namespace tallycard
