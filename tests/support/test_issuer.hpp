// SPDX-License-Identifier: Apache-2.0
// An issuer in a folder of its own, with cards that are simulated.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tallycard/ledger_verifier.hpp>
#include <tallycard/platform.hpp>

#include "account_owner.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/digest.hpp"
#include "simulated_card.hpp"
#include "temporary_folder.hpp"
#include "test_store.hpp"

namespace tallycard::test {

class TestIssuer {
public:
    TestIssuer()
        : signers_{std::make_shared<SoftwareOperationSigner>(seed(1)),
                   std::make_shared<SoftwareOperationSigner>(seed(4))},
          root_(seed(2)),
          checkpoint_key_(seed(3))
    {
        issuer_.origin = "issuer.test";
        issuer_.currency = {.unit = Unit::from_code(978).value(), .exponent = 2};
        issuer_.card_root = root_.public_key();
        issuer_.checkpoint_key = checkpoint_key_.public_key();
        for (const auto& signer : signers_) issuer_.operation_keys.push_back(signer->public_key());
        platform_ = open(store_.create().value()).value();
    }

    Platform& operator*() { return *platform_; }
    Platform* operator->() { return platform_.get(); }
    const IssuerDescription& description() const { return issuer_; }
    const CheckpointKey& checkpoint_key() const { return checkpoint_key_; }
    const TemporaryFolder& folder() const { return folder_; }
    const TestStore& store() const { return store_; }
    std::string store_file() const { return folder_.file("store"); }  // over SQLite
    std::string checkpoint_file() const { return folder_.file("checkpoint"); }

    Result<std::unique_ptr<Platform>> open(std::unique_ptr<Store> store) const
    {
        PlatformSettings settings;
        settings.issuer = issuer_;
        settings.signers.assign(signers_.begin(), signers_.end());
        settings.checkpoint_file = checkpoint_file();
        settings.clock = [this] { return clock; };
        settings.quarantine = std::chrono::days(30);
        settings.gap_after = std::chrono::days(30);
        return Platform::open(std::move(store), std::move(settings));
    }
    Result<std::unique_ptr<Platform>> open_again(StoreCheck check = StoreCheck::thorough) const
    {
        auto store = store_.open(check);
        if (!store) return store.error();
        return open(std::move(*store));
    }
    void close() { platform_.reset(); }
    void reopen(StoreCheck check = StoreCheck::thorough)
    {
        close();
        platform_ = open_again(check).value();
    }

    // Of the cards that are made from now on: none to speak of.
    Limits limits{.maximum_balance = Balance::minor_units(Balance::largest),
                  .maximum_amount = Balance::minor_units(Balance::largest),
                  .pin_above = Balance::minor_units(Balance::largest),
                  .offline_payments = 15,
                  .offline_total = Balance::minor_units(Balance::largest)};

    Time clock{std::chrono::days(20000)};  // where the platform reads the time

    SimulatedCard make_card()
    {
        const auto id = id_of<CardId>(++cards_);
        SimulatedCard card(id, root_.derive(id).value(), issuer_.currency.unit);
        platform_
            ->register_card({.card_id = id,
                             .certificate = card.certificate(),
                             .public_key = card.public_key(),
                             .transport_key = sha256(id.bytes()),
                             .limits = limits,
                             .sealed = SealedPersonalisation(id.bytes())})
            .value();
        platform_->confirm_card(id).value();
        return card;
    }

    OperationRequest request(const SimulatedCard& card, Kind kind, std::int64_t amount = 0,
                             Parameter parameter = {}, const char* terminal = "T1")
    {
        return {.id = id_of<OperationId>(++operations_),
                .card_id = card.id(),
                .kind = kind,
                .amount = Amount::minor_units(amount),
                .parameter = parameter,
                .terminal = account_id(terminal)};
    }
    OperationId next_id() { return id_of<OperationId>(++operations_); }

    Result<OperationStatus> authorise(const SimulatedCard& card, Kind kind, std::int64_t amount = 0,
                                      Parameter parameter = {})
    {
        if (needs_request(kind)) return transfer_status(card, kind, amount, "T1");
        return platform_->authorise(request(card, kind, amount, parameter));
    }
    // What the card asks for at terminal T1.
    Result<OperationStatus> transfer_status(const SimulatedCard& card, Kind kind,
                                            std::int64_t amount, const char* account)
    {
        return platform_->authorise_transfer(transfer_request(card.request(kind, amount, account)));
    }
    // With the owner's consent where it needs one.
    TransferRequest transfer_request(const SecondInstruction& second, const char* terminal = "T1")
    {
        TransferRequest request{
            .id = next_id(), .second = second, .terminal = account_id(terminal)};
        const auto& operation = second.operation;
        if (operation.valid() && needs_consent(operation) && !is_reserved(*operation.account))
            request.consent = account_owner().consent(issuer_.card_root, operation).value();
        return request;
    }
    Result<ExecutedOrder> open_account(const AccountId& account)
    {
        return test::open_account(*platform_, issuer_, account);
    }
    SignedOrder order(OrderKind kind, const char* account, std::int64_t amount = 0,
                      const char* other = nullptr)
    {
        auto made = account_order(*platform_, issuer_, kind, account_id(account), amount, other);
        if (kind != OrderKind::hand_in) return made;
        const auto till = platform_->account(cash_account(account_id(account))).value();
        made.order.number = (till ? till->number : 0) + 1;
        return made;
    }
    Result<ExecutedOrder> execute(OrderKind kind, const char* account, std::int64_t amount = 0,
                                  const char* other = nullptr)
    {
        return platform_->execute(order(kind, account, amount, other));
    }
    // Signs, executes and settles.
    Settlement run(SimulatedCard& card, Kind kind, std::int64_t amount = 0,
                   Parameter parameter = {})
    {
        const auto first = authorise(card, kind, amount, parameter).value().first;
        return platform_->settle(submission(card.execute(first))).value();
    }
    Settlement transfer(SimulatedCard& card, Kind kind, std::int64_t amount, const char* account)
    {
        const auto first = transfer_status(card, kind, amount, account).value().first;
        return platform_->settle(submission(card.execute(first))).value();
    }
    Result<Settlement> settle(const Submission& submitted) { return platform_->settle(submitted); }
    // The findings of an auditor in the ledger as it is now.
    LedgerReport audit()
    {
        const auto path = folder_.file("audited");
        platform_->export_ledger(path, checkpoint_key_).value();
        return verify_ledger(path, issuer_).value();
    }

    std::int64_t balance(AccountKind kind, const char* name)
    {
        const auto row = platform_->account({.kind = kind, .id = account_id(name)}).value();
        return row.has_value() ? row->balance : 0;
    }
    std::int64_t reserved(AccountKind kind, const char* name)
    {
        const auto row = platform_->account({.kind = kind, .id = account_id(name)}).value();
        return row.has_value() ? row->reserved : 0;
    }
    // What the accounts and the cards' settled balances sum up to; the parts may leave 64 bits.
    std::int64_t sum_of_books()
    {
        std::uint64_t sum = 0;
        for (const auto& row : platform_->accounts().value())
            sum += static_cast<std::uint64_t>(row.balance);
        for (const auto& row : platform_->cards().value())
            sum += row.balance.to_minor_units() - static_cast<std::uint64_t>(row.recovered);
        return static_cast<std::int64_t>(sum);
    }

private:
    TemporaryFolder folder_;
    TestStore store_{store_file()};
    std::vector<std::shared_ptr<SoftwareOperationSigner>> signers_;
    SoftwareCardRoot root_;
    CheckpointKey checkpoint_key_;
    IssuerDescription issuer_;
    std::unique_ptr<Platform> platform_;
    std::uint32_t cards_ = 0, operations_ = 0;
};

}  // namespace tallycard::test
