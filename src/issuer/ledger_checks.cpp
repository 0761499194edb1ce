// SPDX-License-Identifier: Apache-2.0
#include "ledger_checks.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <tallycard/verify.hpp>

namespace tallycard {
namespace {

// True where any operation key of the issuer has signed this.
template <class T>
bool is_signed(const T& object, const IssuerDescription& issuer)
{
    return std::ranges::any_of(issuer.operation_keys, [&](const PublicKey& key) {
        return verify(object, key).has_value();
    });
}

bool is_owners(const Record& record, const OwnerKeys& owner, const PublicKey& card_root)
{
    const auto verifies = [&](const PublicKey& key) {
        return verify_consent(record.operation, *record.consent, card_root, key).has_value();
    };
    return verifies(owner.key) || (owner.replaced && verifies(*owner.replaced));
}

Objection make(const LedgerCheck::Key& key, const IssuerDescription& issuer)
{
    const auto derived = derive_card_public_key(issuer.card_root, key.card, key.certificate);
    if (!derived) return "the card's certificate gives no valid key";
    *key.card_key = *derived;
    return nullptr;
}

Objection make(const LedgerCheck::Signatures& signatures, const IssuerDescription& issuer)
{
    const auto& [record, card_key, operation_key, owner] = signatures;
    if (record.issuer_signature) {
        const FirstInstruction first{record.operation, *record.issuer_signature};
        if (!verify(first, operation_key))
            return "the issuer's signature does not verify under the card's operation key";
    }
    if (record.consent && (!owner || !is_owners(record, *owner, issuer.card_root)))
        return "the consent does not verify under the account's key";
    if (!verify(record.receipt, card_key)) return "the card's signature does not verify";
    return nullptr;
}

Objection make(const LedgerCheck::Order& check, const IssuerDescription& issuer)
{
    const auto& [record, owner_key] = check;
    if (record.owner_signature &&
        (!owner_key ||
         !verify_owner(record.order, *record.owner_signature, issuer.card_root, *owner_key)))
        return "the owner's signature does not verify under the account's key";
    if (!is_signed(record, issuer)) return "the issuer's signature of the order does not verify";
    return nullptr;
}

Objection make(const Gap& gap, const IssuerDescription& issuer)
{
    return is_signed(gap, issuer) ? nullptr : "the issuer's signature of the gap does not verify";
}

LedgerFault fault_of(const LedgerCheck& check, Objection what)
{
    LedgerFault fault{.line = check.line, .what = what};
    if (const auto* key = std::get_if<LedgerCheck::Key>(&check.what)) fault.card = key->card;
    if (const auto* signatures = std::get_if<LedgerCheck::Signatures>(&check.what)) {
        fault.card = signatures->record.receipt.result.card_id;
        fault.sequence = signatures->record.receipt.result.sequence;
    }
    if (const auto* order = std::get_if<LedgerCheck::Order>(&check.what))
        fault.account = order->record.order.account;
    if (const auto* gap = std::get_if<Gap>(&check.what)) {
        fault.card = gap->card_id;
        fault.sequence = gap->last;
    }
    return fault;
}

}  // namespace

class LedgerChecks::Batch final : public OrderedWork::Piece {
public:
    Batch(const IssuerDescription& issuer, std::size_t size) : issuer_(&issuer)
    {
        checks_.reserve(size);
    }

    void add(const LedgerCheck& check) { checks_.push_back(check); }
    std::size_t size() const { return checks_.size(); }

    void run() override
    {
        for (const auto& check : checks_) {
            const auto wrong =
                std::visit([&](const auto& what) { return make(what, *issuer_); }, check.what);
            if (wrong == nullptr) continue;
            fault_ = fault_of(check, wrong);
            return;
        }
    }
    const std::optional<LedgerFault>& fault() const { return fault_; }

private:
    const IssuerDescription* issuer_;
    std::vector<LedgerCheck> checks_;
    std::optional<LedgerFault> fault_;
};

// A batch takes some milliseconds, changing threads some microseconds.
LedgerChecks::LedgerChecks(const IssuerDescription& issuer, unsigned threads)
    : issuer_(&issuer), batch_size_(threads == 1 ? 1 : 64), work_(threads)
{
}

LedgerChecks::~LedgerChecks() = default;

void LedgerChecks::add(const LedgerCheck& check)
{
    if (fault_) return;
    if (!filling_) filling_ = std::make_unique<Batch>(*issuer_, batch_size_);
    filling_->add(check);
    if (filling_->size() < batch_size_) return;
    work_.put(std::move(filling_));
    while (work_.full()) take_batch();
}

void LedgerChecks::finish()
{
    if (filling_) work_.put(std::move(filling_));
    while (take_batch()) {
    }
}

bool LedgerChecks::take_batch()
{
    const auto piece = work_.take();
    if (!piece) return false;
    if (!fault_) fault_ = static_cast<const Batch&>(*piece).fault();
    return true;
}

}  // namespace tallycard
