// SPDX-License-Identifier: Apache-2.0
#include <tallycard/contract.hpp>
#include <tallycard/error.hpp>
#include <tallycard/result.hpp>
#include <tallycard/result_error.hpp>

#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "program_name.hpp"

namespace tallycard {
namespace {

struct Entry {
    const char* name;
    const char* text;  // the cause; and what to do, where that is not plain from it
};

Entry entry(Errc code)
{
    switch (code) {
    case Errc::service_unavailable:
        return {"service_unavailable",
                "the PC/SC service does not answer; start pcscd (systemctl start pcscd.socket)"};
    case Errc::access_denied:
        return {"access_denied",
                "pcscd refuses this user (polkit); be root, or allow "
                "org.debian.pcsc-lite.access_pcsc and access_card"};
    case Errc::reader_unavailable:
        return {"reader_unavailable",
                "there is no such reader; list them with 'tallycard readers'"};
    case Errc::no_card: return {"no_card", "there is no card in the reader; insert one"};
    case Errc::card_removed: return {"card_removed", "the card was removed; present it again"};
    case Errc::card_reset: return {"card_reset", "another program reset the card; begin again"};
    case Errc::card_shared:
        return {"card_shared", "another program holds the card; close it, or wait"};
    case Errc::timed_out: return {"timed_out", "the deadline passed"};
    case Errc::cancelled: return {"cancelled", "cancelled"};
    case Errc::link_failed:
        return {"link_failed", "the link to the card failed; present the card again"};
    case Errc::foreign_card:
        return {"foreign_card", "this is not a card of this issuer; use another card"};
    case Errc::blank_card: return {"blank_card", "the card is blank; issue it first"};
    case Errc::balance_too_low: return {"balance_too_low", "not enough value on the card"};
    case Errc::balance_limit:
        return {"balance_limit", "the card would hold more than its maximum balance"};
    case Errc::amount_limit:
        return {"amount_limit", "the amount is above the card's limit for one operation"};
    case Errc::wrong_sequence:
        return {"wrong_sequence", "not the card's next operation; resolve the card first"};
    case Errc::wrong_unit: return {"wrong_unit", "the card holds another unit"};
    case Errc::wrong_card: return {"wrong_card", "the operation is for another card"};
    case Errc::offline_limit:
        return {"offline_limit",
                "the card's offline limit is reached; go online: any operation of the issuer, once "
                "executed, starts it afresh"};
    case Errc::no_such_request:
        return {"no_such_request", "the card keeps no such request; ask for the transfer again"};
    case Errc::pin_needed: return {"pin_needed", "the PIN is needed"};
    case Errc::wrong_pin: return {"wrong_pin", "wrong PIN"};
    case Errc::pin_blocked:
        return {"pin_blocked", "the PIN is blocked; the issuer can reset its tries"};
    case Errc::no_pin: return {"no_pin", "the card has no PIN"};
    case Errc::not_in_this_state:
        return {"not_in_this_state", "the card does not do this in its present state"};
    case Errc::not_authentic:
        return {"not_authentic", "the signature or seal does not verify; wrong key, or tampering"};
    case Errc::not_in_log:
        return {"not_in_log", "the card's log does not hold this operation any more"};
    case Errc::memory_failure:
        return {"memory_failure", "the card's memory failed; nothing has changed"};
    case Errc::unexpected_status: return {"unexpected_status", "unexpected status from the card"};
    case Errc::malformed: return {"malformed", "malformed data"};
    case Errc::bad_signature:
        return {"bad_signature",
                "the signature does not verify; another issuer's card or file, or tampering"};
    case Errc::issuer_unreachable:
        return {"issuer_unreachable", "the issuer's platform cannot be reached; try again later"};
    case Errc::unknown_card: return {"unknown_card", "this issuer never issued the card"};
    case Errc::card_denied:
        return {"card_denied", "the card is on the deny list; keep it and tell the issuer"};
    case Errc::card_state:
        return {"card_state", "the card's state does not admit this (blocked or terminated?)"};
    case Errc::card_behind:
        return {"card_behind",
                "the card is behind the platform: rolled back, or an old copy; keep it and tell "
                "the issuer"};
    case Errc::unsettled: return {"unsettled", "the card holds unsettled operations; settle first"};
    case Errc::operation_pending:
        return {"operation_pending",
                "another operation is pending for the card; deliver or void it first"};
    case Errc::operation_ended: return {"operation_ended", "the operation was voided"};
    case Errc::unknown_operation:
        return {"unknown_operation", "the platform knows no such operation"};
    case Errc::unknown_account:
        return {"unknown_account", "there is no such account; open it first"};
    case Errc::account_state:
        return {"account_state",
                "the account's state does not admit this: it is open already, not opened yet, "
                "closed, a holder's, or of a denied card"};
    case Errc::not_the_owner:
        return {"not_the_owner",
                "the account is another card's, or nobody has opened it: nobody can consent"};
    case Errc::consent_needed:
        return {"consent_needed",
                "the account's owner has to sign this transfer; use the account's key"};
    case Errc::wrong_order_number:
        return {"wrong_order_number",
                "not the account's next order: another one was first; look, and order again"};
    case Errc::refund_limit:
        return {"refund_limit",
                "more than was paid, less what was refunded of that payment before"};
    case Errc::clock_wrong:
        return {"clock_wrong",
                "the platform's clock is far from the time of the ledger's last entry; set it"};
    case Errc::insufficient_funds:
        return {"insufficient_funds", "the account does not hold that much"};
    case Errc::conflict:
        return {"conflict",
                "the same id stands for something else already; take another one, or the right "
                "file"};
    case Errc::transport_key_used:
        return {"transport_key_used",
                "a card was issued with this transport key already; a blank card has one of its "
                "own: is this the right file?"};
    case Errc::evidence:
        return {"evidence",
                "the card contradicts what it signed before (cloned, rolled back or broken); it is "
                "denied and the proof is kept"};
    case Errc::bad_amount:
        return {"bad_amount",
                "not a usable amount: above zero, in digits, with no more decimals than the unit "
                "has"};
    case Errc::client_unknown:
        return {"client_unknown",
                "the service does not take this client's token or certificate: missing, foreign, "
                "expired or revoked; ask the issuer for a new one"};
    case Errc::not_permitted:
        return {"not_permitted", "the service does not let this client do that; ask the issuer"};
    case Errc::client_limit:
        return {"client_limit",
                "above what the service lets this client move, at once or in a day; ask the "
                "issuer"};
    case Errc::overloaded:
        return {"overloaded",
                "the service has too much to do; again in a moment, with the same id"};
    case Errc::wrong_passphrase:
        return {"wrong_passphrase", "wrong passphrase, or a damaged key file"};
    case Errc::file_missing:
        return {"file_missing", "there is no such file; check its name, or restore a copy"};
    case Errc::file_exists:
        return {"file_exists", "something is there already; remove it, or name another"};
    case Errc::file_in_use: return {"file_in_use", "another process is using the file"};
    case Errc::file_damaged: return {"file_damaged", "the file is damaged; restore a copy"};
    case Errc::file_malformed:
        return {"file_malformed", "the file does not follow its format; correct it"};
    case Errc::file_rejected: return {"file_rejected", "the operating system refused the file"};
    case Errc::store_failed: return {"store_failed", "the store failed; nothing was changed"};
    case Errc::ledger_behind:
        return {"ledger_behind",
                "the store is behind a checkpoint that is known: is it an old copy? Restore the "
                "newest one"};
    case Errc::witnesses_missing:
        return {"witnesses_missing",
                "too few witnesses of the policy have cosigned the checkpoint; ask them again, or "
                "see which of them is down or refuses"};
    case Errc::unsafe_library:
        return {"unsafe_library",
                "this libsodium accepts invalid points (CVE-2025-69277); upgrade it"};
    case Errc::token_missing:
        return {"token_missing",
                "the module shows no such token, or more than one; connect it, or name it by its "
                "serial"};
    case Errc::token_failed: return {"token_failed", "the PKCS#11 module failed"};
    case Errc::token_pin_wrong:
        return {"token_pin_wrong",
                "the token refused the PIN; it was tried once, since a token locks itself"};
    case Errc::token_pin_locked:
        return {"token_pin_locked",
                "the token's PIN is locked, or its last try is left: log in with the token's own "
                "tool first"};
    case Errc::token_key_missing:
        return {"token_key_missing",
                "the token has no such key, or more than one; name it by object and id"};
    case Errc::token_key_unfit:
        return {"token_key_unfit",
                "the key cannot sign with Ed25519, or is not the one of its public key"};
    case Errc::chain_unreachable:
        return {"chain_unreachable",
                "the chain's node does not answer; nothing is lost, the outbox waits: see that the "
                "node runs, and its URL"};
    case Errc::chain_failed:
        return {"chain_failed",
                "the chain's node answers what makes no sense; is the URL that of its JSON-RPC?"};
    case Errc::chain_refused:
        return {"chain_refused",
                "the node, the signer or the contract refuses it; nothing is lost: the log has its "
                "words"};
    case Errc::chain_foreign:
        return {"chain_foreign",
                "another chain, or another contract at that address; nothing was sent: correct the "
                "URL, chain id or address"};
    case Errc::chain_conflict:
        return {"chain_conflict",
                "the chain holds another ledger than the store; nothing more is sent: find out "
                "which of them is wrong"};
    case Errc::store_older:
        return {"store_older",
                "an edition of tallycard that was never released wrote this store, and it is not "
                "read any more; begin with a new store, and issue the cards anew"};
    case Errc::store_newer:
        return {"store_newer",
                "a newer version of tallycard wrote this store; use that version, or a newer one"};
    case Errc::store_busy:
        return {"store_busy",
                "other processes changed the store at the same time, again and again; try again"};
    case Errc::store_unreachable:
        return {"store_unreachable",
                "the database server cannot be reached, or ended the session; see that it runs, "
                "and try again"};
    }
    return {"unknown", "unknown error"};
}

std::string details(const Error& error)
{
    if (error.code == Errc::file_rejected && error.detail != 0)
        return " (" + std::generic_category().message(static_cast<int>(error.detail)) + ")";
    char text[64] = "";
    const auto detail = static_cast<unsigned>(error.detail);
    if (const auto tries = error.sw.tries_left()) {
        std::snprintf(text, sizeof text, "; %u tries left", *tries);
    } else if (error.sw != StatusWord{}) {
        std::snprintf(text, sizeof text, " (SW %04X)", error.sw.value());
    } else if (error.column != 0) {
        std::snprintf(text, sizeof text, " (line %u, column %u%s)", detail,
                      static_cast<unsigned>(error.column),
                      error.code == Errc::link_failed ? " of the record" : "");
    } else if (error.code == Errc::malformed || error.code == Errc::file_damaged) {
        if (detail != 0) std::snprintf(text, sizeof text, " (at byte %u)", detail);
    } else if (error.code == Errc::token_failed || error.code == Errc::token_key_unfit) {
        if (detail != 0) std::snprintf(text, sizeof text, " (CKR 0x%08X)", detail);
    } else if (error.code == Errc::store_newer || error.code == Errc::store_older) {
        std::snprintf(text, sizeof text, " (version %u)", detail);
    } else if (detail >= 0x40000000u && detail < 0x80000000u) {
        char state[6] = "";
        for (unsigned i = 0; i < 5; ++i)
            state[i] = static_cast<char>('0' + (detail >> (24 - 6 * i) & 0x3F));
        std::snprintf(text, sizeof text, " (SQLSTATE %s)", state);
    } else if (detail >= 0x80000000u) {
        std::snprintf(text, sizeof text, " (PC/SC 0x%08X)", detail);
    } else if (detail != 0) {
        std::snprintf(text, sizeof text, " (code %u)", detail);
    }
    return text;
}

// "; held by scdaemon (process 1234)"
std::string held_by(std::uint32_t process)
{
    const auto number = std::to_string(process);
    const auto program = program_name(process);
    if (program.empty()) return "; held by process " + number;
    return "; held by " + program + " (process " + number + ")";
}

}  // namespace

std::string Error::message() const
{
    std::string text = where;
    if (!text.empty()) text += ": ";
    text += entry(code).text;
    text += details(*this);
    if (holder != 0) text += held_by(holder);
    if (effect == Effect::unknown) text += "; the card may have changed: resolve it";
    return text;
}

const char* name(Errc code) noexcept
{
    return entry(code).name;
}

void raise(const Error& error)
{
#if defined(__cpp_exceptions)
    throw ResultError(error);
#else
    std::fprintf(stderr, "tallycard: %s\n", error.message().c_str());
    std::abort();
#endif
}

namespace detail {

void broken_contract(const char* promise, const char* where) noexcept
{
    std::fprintf(stderr, "tallycard: broken contract: %s (%s)\n", promise, where);
    std::abort();
}

}  // namespace detail
}  // namespace tallycard
