// SPDX-License-Identifier: Apache-2.0
#include "authorisation.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <sodium/randombytes.h>

#include <tallycard/verify.hpp>

#include "../protocol/digest.hpp"
#include "books.hpp"
#include "settlement.hpp"

namespace tallycard {
namespace {

constexpr auto here = "authorise";

Error refusal(Errc code)
{
    return Error{.code = code, .where = here};
}

Nonce random_nonce()
{
    std::array<std::uint8_t, Nonce::size> bytes;
    randombytes_buf(bytes.data(), bytes.size());
    return Nonce(bytes);
}

// An operation with everything that a request fixes; the rest is zeros.
Operation requested(const OperationRequest& request, Unit unit)
{
    const auto account =
        request.kind == Kind::top_up ? std::optional(request.terminal) : std::optional<AccountId>();
    return {.kind = request.kind,
            .card_id = request.card_id,
            .sequence = 0,
            .amount = request.amount,
            .unit = unit,
            .nonce = {},
            .account = account,
            .parameter = request.parameter};
}

// What must be the same when an id is used again.
Digest digest_of(const Operation& requested, const AccountId& terminal,
                 const std::optional<PaymentName>& refunded = std::nullopt)
{
    Encoded<Operation::max_encoded + AccountId::max_size + CardId::size + 4> bytes(
        requested.encode());
    bytes.append(terminal.bytes());
    if (refunded) {
        bytes.append(refunded->card_id.bytes());
        std::array<std::uint8_t, 4> sequence;
        for (std::size_t i = 0; i < sequence.size(); ++i)
            sequence[i] = static_cast<std::uint8_t>(refunded->sequence >> (24 - 8 * i));
        bytes.append(sequence);
    }
    return sha256(bytes);
}

// Refuses as the card would by check 7 of EXECUTE, as it stands when all has settled.
Result<void> check_value(const CardRow& card, const Operation& operation)
{
    const auto [kind, amount] = std::pair(operation.kind, operation.amount);
    if (amount.magnitude() > card.limits.maximum_amount.to_minor_units())
        return refusal(Errc::amount_limit);
    const auto after = checked_add(card.balance, amount);
    if (is_debit(kind) && !after) return refusal(Errc::balance_too_low);
    if (is_credit(kind) && (!after || *after > card.limits.maximum_balance))
        return refusal(Errc::balance_limit);
    return {};
}

}  // namespace

Result<PendingOperations> pending_operations(StoreTransaction& store, const CardRow& card)
{
    PendingOperations found;
    if (card.settled == 0xFFFFFFFF) return found;
    const auto rows = store.operations(card.card_id, card.settled + 1);
    if (!rows) return rows.error();
    for (const auto& row : *rows)
        (row.as == SignedAs::beside ? found.voiding : found.pending) = row;
    return found;
}

bool is_withheld(const OperationRow& row, const std::optional<AccountId>& terminal)
{
    return is_debit(row.first.operation.kind) && (!terminal || row.terminal != terminal);
}

Result<OperationStatus> status_of(StoreTransaction& store, const OperationRow& row)
{
    const auto& operation = row.first.operation;
    OperationStatus status{.progress = Progress::pending, .first = row.first, .receipt = {}};
    const auto index = store.record_index(operation.card_id, operation.sequence);
    if (!index) return index.error();
    if (!*index) return status;
    const auto entry = store.entry(**index);
    if (!entry) return entry.error();
    const auto* record = *entry ? (*entry)->record() : nullptr;
    if (record == nullptr) return Error{.code = Errc::file_damaged, .where = "ledger"};
    const auto& receipt = record->receipt;
    const bool own = receipt.result.operation == operation.digest();
    status.progress = own ? Progress::settled : Progress::voided;
    if (own) status.receipt = receipt;
    return status;
}

bool Authoriser::has_lost(const Error& error)
{
    return is_store_error(error) && std::string_view(error.where) != here;
}

Result<std::optional<OperationStatus>> Authoriser::known(const OperationId& id,
                                                         const Digest& request)
{
    const auto row = store_->operation(id);
    if (!row) return row.error();
    if (!*row) return std::optional<OperationStatus>();
    if ((*row)->request != request) return refusal(Errc::conflict);
    const auto status = status_of(*store_, **row);
    if (!status) return status.error();
    return std::optional(*status);
}

Result<CardRow> Authoriser::ready_card(const CardId& card_id, Kind kind)
{
    const auto card = store_->card(card_id);
    if (!card) return card.error();
    if (!*card) return refusal(Errc::unknown_card);
    if ((*card)->denied && kind != Kind::terminate) return refusal(Errc::card_denied);
    if (!admits((*card)->state, kind) || (*card)->settled == 0xFFFFFFFF)
        return refusal(Errc::card_state);
    const auto busy = pending_operations(*store_, **card);
    if (!busy) return busy.error();
    if (busy->pending) return refusal(Errc::operation_pending);
    return **card;
}

Result<OperationSigner*> Authoriser::signer_for(const PublicKey& key)
{
    for (const auto& signer : signers_)
        if (signer->public_key() == key) return signer.get();
    return Error{.code = Errc::file_missing, .where = "operation key of this card"};
}

Result<FirstInstruction> Authoriser::sign(const CardRow& card, const Operation& operation)
{
    const auto signer = signer_for(card.operation_key);
    if (!signer) return signer.error();
    // A card must never get a key that we cannot sign with.
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter))
        if (const auto next = signer_for(*key); !next) return next.error();
    const auto signature = (*signer)->sign(operation);
    if (!signature) return signature.error();
    return FirstInstruction{operation, *signature};
}

Result<OperationStatus> Authoriser::sign_and_store(const CardRow& card, const Operation& operation,
                                                   OperationRow& row)
{
    if (const auto taken = check_value(card, operation); !taken) return taken.error();
    const auto first = sign(card, operation);
    if (!first) return first.error();
    if (const auto done = Books(*store_).reserve(operation); !done) return done.error();
    row.first = *first;
    if (const auto done = store_->insert_operation(row); !done) return done.error();
    return OperationStatus{.progress = Progress::pending, .first = *first, .receipt = {}};
}

Result<OperationStatus> Authoriser::authorise(const OperationRequest& request)
{
    auto operation = requested(request, unit_);
    if (needs_request(request.kind)) return refusal(Errc::no_such_request);
    if (request.kind == Kind::payment) return refusal(Errc::malformed);
    if (!sign_fits(request.kind, request.amount)) return refusal(Errc::bad_amount);
    if (!operation.valid()) return refusal(Errc::malformed);
    const auto digest = digest_of(operation, request.terminal);
    const auto before = known(request.id, digest);
    if (!before) return before.error();
    if (*before) return **before;

    const auto card = ready_card(request.card_id, request.kind);
    if (!card) return card.error();
    operation.sequence = card->settled + 1;
    operation.nonce = random_nonce();
    OperationRow row;
    row.id = request.id;
    row.request = digest;
    row.terminal = request.terminal;
    return sign_and_store(*card, operation, row);
}

Result<OperationStatus> Authoriser::authorise_transfer(const TransferRequest& request)
{
    const auto& operation = request.second.operation;
    if (!operation.valid() || !needs_request(operation.kind)) return refusal(Errc::malformed);
    if (operation.kind == Kind::cash_out && operation.account != request.terminal)
        return Error{.code = Errc::not_permitted, .where = "cash of another terminal"};
    const auto digest = digest_of(operation, request.terminal, request.refunds);
    const auto before = known(request.id, digest);
    if (!before) return before.error();
    if (*before) return **before;

    const auto asking = store_->card(operation.card_id);
    if (!asking) return asking.error();
    if (!*asking) return refusal(Errc::unknown_card);
    if (const auto genuine = verify(request.second, (*asking)->public_key); !genuine)
        return genuine.error();
    const auto card = ready_card(operation.card_id, operation.kind);
    if (!card) return card.error();
    if (operation.unit != unit_) return refusal(Errc::wrong_unit);
    if (operation.sequence <= card->settled) return refusal(Errc::wrong_sequence);
    if (operation.sequence > card->settled + 1) return refusal(Errc::unsettled);
    if (const auto word = check_owner(request); !word) return word.error();
    if (const auto within = check_refund(request); !within) return within.error();
    OperationRow row;
    row.id = request.id;
    row.request = digest;
    row.terminal = request.terminal;
    row.consent = request.consent;
    row.refunds = request.refunds;
    return sign_and_store(*card, operation, row);
}

Result<void> Authoriser::check_owner(const TransferRequest& request)
{
    const auto& operation = request.second.operation;
    if (!needs_consent(operation))
        return request.consent ? refusal(Errc::malformed) : Result<void>();
    const auto account = store_->account(associated_account(*operation.account));
    if (!account) return account.error();
    if (is_reserved(*operation.account) || !*account || !(*account)->key)
        return refusal(Errc::not_the_owner);
    if (!request.consent) return refusal(Errc::consent_needed);
    return verify_consent(operation, *request.consent, issuer_->card_root, *(*account)->key);
}

// Refunds of one payment never exceed it: those that wait for their card count as well.
Result<void> Authoriser::check_refund(const TransferRequest& request)
{
    if (!request.refunds) return {};
    const auto& operation = request.second.operation;
    if (!needs_consent(operation)) return refusal(Errc::malformed);
    const auto index = store_->record_index(request.refunds->card_id, request.refunds->sequence);
    if (!index) return index.error();
    const auto entry = *index ? store_->entry(**index) : Result(std::optional<Entry>());
    if (!entry) return entry.error();
    const auto* paid = *entry ? (*entry)->record() : nullptr;
    if (paid == nullptr || paid->operation.kind != Kind::payment ||
        paid->operation.account != operation.account)
        return Error{.code = Errc::unknown_operation, .where = "payment to refund"};

    const auto refunds = store_->refunds(*request.refunds);
    if (!refunds) return refunds.error();
    auto left = paid->operation.amount.magnitude();
    for (const auto& row : *refunds) {
        const auto status = status_of(*store_, row);
        if (!status) return status.error();
        if (status->progress != Progress::voided) left -= row.first.operation.amount.magnitude();
    }
    return operation.amount.magnitude() <= left ? Result<void>() : refusal(Errc::refund_limit);
}

Result<FirstInstruction> Authoriser::void_pending(const CardId& card_id)
{
    const auto card = store_->card(card_id);
    if (!card) return card.error();
    if (!*card) return refusal(Errc::unknown_card);
    const auto busy = pending_operations(*store_, **card);
    if (!busy) return busy.error();
    if (!busy->pending) return refusal(Errc::unknown_operation);
    if (busy->voiding) return busy->voiding->first;
    const auto& pending = busy->pending->first;
    if (pending.operation.kind == Kind::cancel) return pending;

    const Operation operation{.kind = Kind::cancel,
                              .card_id = card_id,
                              .sequence = pending.operation.sequence,
                              .amount = {},
                              .unit = unit_,
                              .nonce = random_nonce(),
                              .account = std::nullopt,
                              .parameter = {}};
    const auto first = sign(**card, operation);
    if (!first) return first.error();
    OperationRow row;
    row.request = operation.digest();
    row.first = *first;
    row.as = SignedAs::beside;
    if (const auto done = store_->insert_operation(row); !done) return done.error();
    return *first;
}

}  // namespace tallycard
