// SPDX-License-Identifier: Apache-2.0
// Signing operations (docs/protocol.md, section 8) within one transaction of the store.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include <tallycard/issuer_client.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

using Signers = std::span<const std::shared_ptr<OperationSigner>>;

// The operations that were signed for the card's next sequence.
struct PendingOperations {
    std::optional<OperationRow> pending, voiding;
};
Result<PendingOperations> pending_operations(StoreTransaction& store, const CardRow& card);

// True where this terminal may not see, and so not deliver, what is pending: a debit concerns
// the terminal that asked for it.
bool is_withheld(const OperationRow& row, const std::optional<AccountId>& terminal);

// How an operation that was signed stands.
Result<OperationStatus> status_of(StoreTransaction& store, const OperationRow& row);

class Authoriser {
public:
    Authoriser(StoreTransaction& transaction, const PlatformSettings& settings)
        : store_(&transaction),
          issuer_(&settings.issuer),
          unit_(settings.issuer.currency.unit),
          signers_(settings.signers)
    {
    }

    // All checks come before the first write: a refusal has written nothing.
    Result<OperationStatus> authorise(const OperationRequest& request);
    Result<OperationStatus> authorise_transfer(const TransferRequest& request);
    Result<FirstInstruction> void_pending(const CardId& card_id);

    // Whether an error of the calls above is the store's: the transaction is lost. An id that was
    // used before is a refusal, though a constraint of the store has the same code.
    static bool has_lost(const Error& error);

private:
    // What an id was used for before, if it was: its status, or Errc::conflict.
    Result<std::optional<OperationStatus>> known(const OperationId& id, const Digest& request);
    // Refuses a transfer in that the giving account has a word in, and has not said.
    Result<void> check_owner(const TransferRequest& request);
    Result<void> check_refund(const TransferRequest& request);
    // The card, where a new operation of this kind may be signed for it.
    Result<CardRow> ready_card(const CardId& card_id, Kind kind);
    Result<OperationSigner*> signer_for(const PublicKey& key);
    Result<FirstInstruction> sign(const CardRow& card, const Operation& operation);
    Result<OperationStatus> sign_and_store(const CardRow& card, const Operation& operation,
                                           OperationRow& row);

    StoreTransaction* store_;
    const IssuerDescription* issuer_;
    Unit unit_;
    Signers signers_;
};

}  // namespace tallycard
