// SPDX-License-Identifier: Apache-2.0
#include "ledger_checks.hpp"

#include <utility>
#include <vector>

#include <tallycard/verify.hpp>

namespace tallycard {
namespace {

Objection make(const LedgerCheck& check, const LedgerCheck::Key& key)
{
    const auto derived = derive_card_public_key(key.card_root, check.card, key.certificate);
    if (!derived) return "the card's certificate gives no valid key";
    *key.card_key = *derived;
    return nullptr;
}

Objection make(const LedgerCheck& /*check*/, const LedgerCheck::Signatures& signatures)
{
    const auto& [record, card_key, operation_key] = signatures;
    if (record.issuer_signature) {
        const FirstInstruction first{record.operation, *record.issuer_signature};
        if (!verify(first, operation_key))
            return "the issuer's signature does not verify under the card's operation key";
    }
    if (!verify(record.receipt, card_key)) return "the card's signature does not verify";
    return nullptr;
}

}  // namespace

class LedgerChecks::Batch final : public OrderedWork::Piece {
public:
    explicit Batch(std::size_t size) { checks_.reserve(size); }

    void add(const LedgerCheck& check) { checks_.push_back(check); }
    std::size_t size() const { return checks_.size(); }

    void run() override
    {
        for (const auto& check : checks_) {
            const auto wrong =
                std::visit([&](const auto& what) { return make(check, what); }, check.what);
            if (wrong == nullptr) continue;
            fault_ = LedgerFault{
                .line = check.line, .card = check.card, .sequence = check.sequence, .what = wrong};
            return;
        }
    }
    const std::optional<LedgerFault>& fault() const { return fault_; }

private:
    std::vector<LedgerCheck> checks_;
    std::optional<LedgerFault> fault_;
};

// A batch takes some milliseconds, changing threads some microseconds.
LedgerChecks::LedgerChecks(unsigned threads) : batch_size_(threads == 1 ? 1 : 64), work_(threads) {}

LedgerChecks::~LedgerChecks() = default;

void LedgerChecks::add(const LedgerCheck& check)
{
    if (fault_) return;
    if (!filling_) filling_ = std::make_unique<Batch>(batch_size_);
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
