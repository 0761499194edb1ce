// SPDX-License-Identifier: Apache-2.0
// What the feeder signs next.
#include <algorithm>

#include "feeder.hpp"

namespace tallycard::evm {

// The contract is asked first, as it is now: what it has, whoever put it there, is not sent.
Result<FeederReport> Feeder::go_on(const ChainStanding& standing)
{
    const auto ledger = platform_->ledger_head();
    if (!ledger) return ledger.error();
    const auto found = contract_.head(newest);
    if (!found) return found.error();
    if (!*found) return Error{.code = Errc::chain_foreign, .where = "contract at the address"};
    const auto& head = **found;
    const FeederReport report{.entries = ledger->size,
                              .final_entries = standing.final_entries,
                              .in_blocks = come_to(head),
                              .under_way = standing.outbox.size()};
    if (head.length > ledger->size || head.anchor.size > ledger->size)
        return Error{.code = Errc::ledger_behind, .where = "chain"};
    const bool is_waiting = std::ranges::any_of(
        standing.outbox, [](const OutboxRow& row) { return row.state == OutboxState::sent; });
    if (is_waiting || !is_due(ledger->size - report.in_blocks)) return report;
    if (const auto sent = sign_and_send(head, standing, ledger->size); !sent) return sent.error();
    return report;
}

// True where so many entries are to be written now.
bool Feeder::is_due(std::uint64_t waiting)
{
    const auto now = std::chrono::steady_clock::now();
    if (waiting == 0) waiting_since_.reset();
    if (waiting == 0 || settings_.mode != ChainMode::checkpoint) return waiting > 0;
    if (!waiting_since_) waiting_since_ = now;
    return waiting >= settings_.every_entries || now - *waiting_since_ >= settings_.every;
}

// The call for so many entries behind what the contract has.
Result<Bytes> Feeder::content(const ContractHead& head, std::uint64_t entries)
{
    if (settings_.mode != ChainMode::checkpoint) return record_call(head.length, entries);
    const auto before = platform_->ledger_root(head.anchor.size);
    if (!before) return before.error();
    if (*before != head.anchor.root)
        return Error{.code = Errc::chain_conflict, .where = "root of an anchor"};
    const auto size = head.anchor.size + entries;
    const auto after = platform_->ledger_root(size);
    if (!after) return after.error();
    return abi::anchor(head.anchor, {.size = size, .root = *after});
}

Result<Bytes> Feeder::record_call(std::uint64_t first, std::uint64_t entries)
{
    const auto ours = platform_->entries(first, entries);
    if (!ours) return ours.error();
    std::vector<Digest> leaves;
    std::vector<Bytes> bodies;
    for (const auto& entry : *ours) {
        const auto encoded = entry.encode();
        const std::span<const std::uint8_t> bytes = encoded;
        leaves.push_back(merkle::leaf_hash(bytes));
        if (settings_.mode == ChainMode::full) bodies.emplace_back(bytes.begin(), bytes.end());
    }
    return abi::record(first, leaves, bodies);
}

// The call, with gas for it: for as many entries as the limits on size and gas admit.
Result<Transaction> Feeder::priced(const ContractHead& head, std::uint64_t& entries)
{
    // Nodes pass on no transaction above 128 KiB.
    constexpr std::size_t longest_call = 100'000;
    const auto of_block = node_->block_gas_limit();
    if (!of_block) return of_block.error();
    const auto most_gas = std::min(*of_block, settings_.most_gas);
    Transaction transaction{.chain_id = settings_.name.chain_id, .to = settings_.name.contract};
    for (;; entries /= 2) {
        auto call = content(head, entries);
        if (!call) return call.error();
        transaction.data = std::move(*call);
        const bool may_be_less = entries > 1 && settings_.mode != ChainMode::checkpoint;
        if (transaction.data.size() > longest_call && may_be_less) continue;
        const auto estimate = node_->estimate_gas(settings_.account, transaction);
        // More than a block takes is refused in words that differ from node to node.
        const bool is_refused = !estimate && estimate.error().code == Errc::chain_refused;
        if (is_refused && may_be_less) continue;
        if (!estimate) return estimate.error();
        // Some more than the node thinks; after one that ran out of it, twice as much.
        transaction.gas = std::min((*estimate + *estimate / 4) << failures_, most_gas);
        if (*estimate <= most_gas) break;
        if (!may_be_less) return Error{.code = Errc::chain_refused, .where = "limit on gas"};
    }
    const auto price = node_->gas_price();
    if (!price) return price.error();
    if (*price > settings_.most_gas_price)
        return Error{.code = Errc::chain_refused, .where = "limit on the price of gas"};
    // It may rise until a block has it.
    transaction.gas_price = *price + std::min(*price, settings_.most_gas_price - *price);
    return transaction;
}

// Nonce and bytes are durable before the node sees them.
Result<void> Feeder::sign_and_send(const ContractHead& head, const ChainStanding& standing,
                                   std::uint64_t size)
{
    const bool is_anchor = settings_.mode == ChainMode::checkpoint;
    const auto first = come_to(head);
    auto entries = size - first;
    if (!is_anchor) entries = std::min(entries, settings_.batch);
    auto transaction = priced(head, entries);
    if (!transaction) return transaction.error();
    const auto nonce = node_->next_nonce(settings_.account);
    if (!nonce) return nonce.error();
    transaction->nonce = *nonce;
    for (const auto& row : standing.outbox)
        transaction->nonce = std::max(transaction->nonce, row.nonce + 1);
    auto signed_one = node_->sign(settings_.account, *transaction);
    if (!signed_one) return signed_one.error();
    const OutboxRow row{.nonce = transaction->nonce,
                        .kind = is_anchor ? OutboxKind::anchor : OutboxKind::record,
                        .state = OutboxState::sent,
                        .first = first,
                        .entries = entries,
                        .hash = signed_one->hash,
                        .raw = std::move(signed_one->raw)};
    // Under a nonce that is taken: another process writes the same ledger, and was first.
    if (const auto kept = platform_->update_chain(settings_.name, {.sent = row}); !kept)
        return kept;
    waiting_since_.reset();
    tell("sent", row);
    const auto sent = node_->send(row.raw);
    return sent ? Result<void>() : sent.error();
}

}  // namespace tallycard::evm
