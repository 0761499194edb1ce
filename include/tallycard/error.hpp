// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/status_word.hpp>

namespace tallycard {

// What went wrong, grouped by who can help.
enum class Errc : std::uint8_t {
    // The machine and its reader.
    service_unavailable,  // pcscd is not running, or stopped
    access_denied,        // pcscd refuses this user
    reader_unavailable,   // no such reader, or it was unplugged
    no_card,              // the reader is empty
    card_removed,         // the card left during the operation
    card_reset,           // another program reset the card: begin again
    card_shared,          // another program holds the card
    timed_out,            // the deadline passed
    cancelled,            // another thread asked to stop waiting
    link_failed,          // reader or card spoke nonsense, or nothing
    // The card refused, and nothing changed.
    foreign_card,       // not a tallycard, or of another issuer
    blank_card,         // not personalised yet
    balance_too_low,    // 9401
    balance_limit,      // 9402
    amount_limit,       // 9403
    wrong_sequence,     // 9404
    wrong_unit,         // 9405
    wrong_card,         // 9406
    offline_limit,      // 9407
    no_such_request,    // 9408
    pin_needed,         // 6982
    wrong_pin,          // 63Cx: see Error::sw.tries_left()
    pin_blocked,        // 6983
    no_pin,             // 6984
    not_in_this_state,  // 6985
    not_authentic,      // 6988
    not_in_log,         // 6A88
    memory_failure,     // 6581
    unexpected_status,  // a status word that the protocol does not give for this command
    // Bytes, whoever sent them.
    malformed,      // they do not follow the protocol; Error::detail is the byte offset
    bad_signature,  // they are well formed and not authentic
    // The issuer's platform refused, and nothing changed.
    issuer_unreachable,  // no way to the platform now
    unknown_card,        // never issued here
    card_denied,         // on the deny list
    card_state,          // the card's state does not admit the operation
    card_behind,         // the card is older than what has settled: rolled back, or a copy
    unsettled,           // settle what the card holds first
    operation_pending,   // another operation is pending for the card: deliver it first
    operation_ended,     // the operation was voided
    unknown_operation,   // the platform knows no such operation, and none was sent along
    unknown_account,     // open it first
    account_state,       // the account's state does not admit it: closed, unclaimed, reserved
    not_the_owner,       // nobody owns the account but another card, or nobody
    consent_needed,      // the account's owner has to sign the operation
    wrong_order_number,  // not the account's next order; Error::detail is the next number
    refund_limit,        // more than the payment, less what was refunded of it before
    clock_wrong,         // the platform's clock is behind the ledger's last entry
    insufficient_funds,  // the account does not hold that much
    conflict,            // the id is in use for something else
    transport_key_used,  // a card was made with this transport key already
    evidence,            // the card is cloned, rolled back or broken; it is denied now
    bad_amount,          // zero, of the wrong sign, or with too many decimals
    client_unknown,      // the service knows no such client: no token, a revoked or foreign one
    not_permitted,       // the client's role does not admit it
    client_limit,        // above what this client may move, at once or in a day
    overloaded,          // the service has too much to do now
    // Files.
    wrong_passphrase,  // or a damaged key file: the two look the same
    file_missing,
    file_exists,
    file_in_use,
    file_damaged,       // does not read back as what it should be
    file_malformed,     // a text that does not read; Error::detail is the line, column the column
    file_rejected,      // the operating system refused; Error::detail is errno
    store_failed,       // SQLite or PostgreSQL failed; Error::detail is its code
    store_older,        // an edition before this one wrote the store; Error::detail likewise
    store_newer,        // a newer version wrote the store; Error::detail is the store's version
    store_busy,         // other processes were first, again and again
    store_unreachable,  // the database server cannot be reached, or ended the session
    ledger_behind,      // the store is older than a checkpoint that is known: an old copy?
    witnesses_missing,  // too few of the policy's witnesses have cosigned the checkpoint
    unsafe_library,     // the libsodium in use fails the self-test
    // Keys in a token (PKCS#11).
    token_missing,      // the module shows no such token, or more than one; or it was taken out
    token_failed,       // the module failed; Error::detail is its CKR_ code
    token_pin_wrong,    // the token refused the PIN; it is not shown to it again
    token_pin_locked,   // no try is left, or one, which is never used up here
    token_key_missing,  // the token has no such key, or more than one
    token_key_unfit,    // the key cannot sign with Ed25519, or its public key is another's
    // The ledger on a chain.
    chain_unreachable,  // the node does not answer; Error::detail is its HTTP status, where it gave
                        // one
    chain_failed,       // the node answers nonsense
    chain_refused,      // the node, the signer or the contract refuses
    chain_foreign,      // another chain than is configured, or another contract at the address
    chain_conflict,     // the chain holds another ledger than the store
};

// Whether the operation that failed may still have changed the card.
enum class Effect : std::uint8_t {
    none,     // nothing changed; trying again is safe
    unknown,  // it may have been applied; resolve before trying again
};

// Why an operation failed. Small and trivially copyable: no allocation, no hierarchy.
// New fields may be added; construct it with designated initializers.
struct Error {
    Errc code{};
    Effect effect = Effect::none;
    StatusWord sw{};           // what the card said, if it spoke
    std::uint32_t detail = 0;  // PC/SC code, byte offset, errno: see Errc
    std::uint32_t column = 0;  // from 1, where `detail` is the line of a text
    std::uint32_t holder = 0;  // process id of the program that holds the card; 0: not known
    const char* where = "";    // the operation, a string literal: "EXECUTE", "SCardTransmit"

    // One line that names cause and remedy:
    // "EXECUTE: not enough value on the card (SW 9401)".
    TALLYCARD_EXPORT std::string message() const;
};

// The name of a code as written above: "balance_too_low". For JSON and logs.
TALLYCARD_EXPORT const char* name(Errc code) noexcept;

}  // namespace tallycard
