// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <tallycard/card_session.hpp>
#include <tallycard/deny_list.hpp>
#include <tallycard/export.hpp>
#include <tallycard/holder_pin.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/operation_journal.hpp>
#include <tallycard/outcome.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/signer.hpp>

namespace tallycard {

// What resolve() found and did.
struct Resolution {
    std::size_t settled = 0;    // results of the card's log that the platform did not have
    std::size_t delivered = 0;  // pending operations that the card executed now
    std::size_t voided = 0;     // pending operations that will not be executed
    // The voided operation is a debit that another terminal asked for: only that one may deliver
    // it.
    bool of_another_terminal = false;
    CardStanding standing;  // card and platform agree on this
};

// Whether this program may have asked for the payment before.
enum class Asked : std::uint8_t { first_time, again };

// One operation of a card's log, newest first in a history.
struct HistoryEntry {
    ExecutedOperation executed;
    Receipt receipt;
};

struct TerminalSettings {
    PublicKey card_root;  // the issuer whose cards are accepted
    AccountId name;       // this terminal: whose cash account moves
    Observer* observer = nullptr;
    OperationJournal* journal = nullptr;  // where every operation is written down as it goes
    const DenyList* deny_list = nullptr;  // cards that pay() refuses, as far as is known
};

// How a card-to-card transfer stands after the call: the first half, and the second where the first
// applied. Where the second is missing or not applied, the value waits in holder_account(to).
struct CardToCard {
    Outcome out;
    std::optional<Outcome> in;
};

// An open entry of the journal, after drain().
struct Drained {
    JournalEntry entry;                    // as it stands now
    std::optional<Settlement> settlement;  // of its receipt; not settled: kept by the platform
    // Why it is still open, or was not applied. It may be open without: it waits for its card.
    std::optional<Error> reason;
};

// The ids of the two halves of a card-to-card transfer.
struct CardToCardIds {
    OperationId out, in;
};
TALLYCARD_EXPORT CardToCardIds card_to_card_ids(const OperationId& id);

// Whole business operations: card, platform and recovery together.
//
// Every operation takes an id that the caller chose and keeps: a program that was killed and
// started again asks with the same id and learns how that operation ended. Every online operation
// resolves first when the card and the platform disagree. The issuer's signature is fetched before
// the card's transaction, which then lasts for a few commands only.
//
// `pin` is given to the card before the value command, where it is given. A block is tried before
// the issuer's signature is fetched, too, so that a wrong PIN leaves nothing pending. At the reader
// it is typed when the card needs it: once, for a cash-out or transfer out twice; a wrong one
// leaves an online operation pending, which goes on when it is asked for again.
//
// With a journal, each operation is written down before the platform is asked, before the card is
// told, when its receipt is here and when that has settled. What cannot be written down is not
// begun. At each contact, and after an outage, drain().
//
// Not thread-safe. The client, the journal and the links must outlive the call.
class TALLYCARD_EXPORT Terminal {
public:
    Terminal(IssuerClient& issuer, const TerminalSettings& settings)
        : issuer_(&issuer), settings_(settings)
    {
    }

    // Amounts are above zero here; the direction is the call's.
    Outcome top_up(CardLink& card, const OperationId& id, Amount amount);
    Outcome cash_out(CardLink& card, const OperationId& id, Amount amount,
                     const HolderPin& pin = {});
    Outcome transfer_out(CardLink& card, const OperationId& id, Amount amount, const AccountId& to,
                         const HolderPin& pin = {});
    // From the card's own holder account, or with the word of another account's owner.
    // Errc::consent_needed where that is missing: nothing was signed.
    Outcome transfer_in(CardLink& card, const OperationId& id, Amount amount, const AccountId& from,
                        AccountSigner* owner = nullptr);
    // Gives back a payment to `from`, or a part of it: a transfer in to this card, which may be
    // another one than the card that paid. Errc::refund_limit for more than was paid, less what was
    // refunded before.
    Outcome refund(CardLink& card, const OperationId& id, Amount amount, const AccountId& from,
                   AccountSigner& owner, const PaymentName& payment);
    // From one card to another: transfer out to holder_account(to), then transfer in from it. The
    // receiving card proves first that it is the card that it says it is: show its id to the
    // holder, and name it as `receiver`. It does so with its holder's PIN only where its balance is
    // private. The ids of the two halves are derived from `id`, so asking again continues where it
    // broke. Errors of the second card leave the first half as it is.
    CardToCard card_to_card(CardLink& from, CardLink& to, const OperationId& id, Amount amount,
                            const HolderPin& pin = {}, const HolderPin& receiver_pin = {},
                            const std::optional<CardId>& receiver = std::nullopt);
    // Set limits, block, unblock, reset PIN tries, open PIN, replace operation key, terminate.
    Outcome administer(CardLink& card, const OperationId& id, Kind kind, Parameter parameter = {});

    // Offline: no platform is asked. Errc::card_denied for a card on the deny list; nothing was
    // sent to it but SELECT. The id is the payment's nonce. The receipt settles later, by settle()
    // or by the next resolve() of that card anywhere. A program that may have asked before (it was
    // killed) says so: the card's log, its last 16 operations, is searched first. `reference`, an
    // order number, goes into the journal and on to the platform, and never to the card.
    Outcome pay(CardLink& card, const OperationId& id, Amount amount, const AccountId& payee,
                const HolderPin& pin = {}, Asked asked = Asked::first_time,
                const std::optional<Reference>& reference = std::nullopt);
    Result<Settlement> settle(const Operation& operation, const Receipt& receipt,
                              const std::optional<Reference>& reference = std::nullopt);

    // Makes card and platform agree: settles what the card's log holds, then delivers what is
    // pending, or voids it where the card refuses it. A pending debit that another terminal asked
    // for is voided. No PIN is given for what is delivered here: what needs one is voided.
    Result<Resolution> resolve(CardLink& card);
    // The same, but what is pending is voided without being delivered.
    Result<Resolution> void_pending(CardLink& card);

    // These require a journal, and bring what is open in it to an end, by the ids that it has.
    //
    // Without a card: settles receipts, and asks the platform how the others ended. A payment that
    // was never sent to the card did not happen.
    std::vector<Drained> drain();
    // The same, and ends what is open for the card: online operations are asked for again, also
    // where the platform had not signed them yet; payments are looked for in the card's log, and
    // never made. Where the platform cannot be reached, what it has signed is executed all the
    // same. `pin` is for the oldest open debit of the card: show that one to its holder. An error
    // where the card does not say who it is.
    Result<std::vector<Drained>> drain(CardLink& card, const HolderPin& pin = {});
    // The same, but online operations that have not been executed are given up, as by
    // void_pending(), which is called first. One that the platform has not signed is not applied.
    Result<std::vector<Drained>> give_up(CardLink& card);

    // What the card says of itself. Nothing is checked but that it is a card of this issuer.
    Result<CardInfo> identify(CardLink& card);
    // The card's own word, signed and fresh: it proves that the card is genuine and here.
    Result<StateStatement> state(CardLink& card, const HolderPin& pin = {});
    // The operations still in the card's log, newest first, receipts verified. Of these two,
    // Errc::foreign_card for a card of another issuer.
    Result<std::vector<HistoryEntry>> history(CardLink& card);
    Result<void> change_pin(CardLink& card, const PinBlock& old_pin, const PinBlock& new_pin);
    // After administer(open_pin), which took the old PIN away: sets another one.
    Result<void> set_pin(CardLink& card, const PinBlock& new_pin);
    // As change_pin(), both typed at the reader. Requires card.has_pin_pad().
    Result<void> change_pin_at_reader(CardLink& card);

private:
    IssuerClient* issuer_;
    TerminalSettings settings_;
};

}  // namespace tallycard
