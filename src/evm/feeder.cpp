// SPDX-License-Identifier: Apache-2.0
#include "feeder.hpp"

#include <algorithm>

namespace tallycard::evm {
namespace {

Error conflict(const char* where)
{
    return {.code = Errc::chain_conflict, .where = where};
}

}  // namespace

Result<FeederReport> Feeder::step()
{
    auto report = try_step();
    if (!report) checked_ = false;
    return report;
}

Result<FeederReport> Feeder::try_step()
{
    constexpr unsigned most_failures = 3;
    if (!checked_) {
        const auto ours = contract_.check(platform_->issuer().card_root);
        if (!ours) return ours.error();
        checked_ = true;
    }
    const auto final = final_block();
    if (!final) return final.error();
    auto standing = platform_->chain(settings_.name);
    if (!standing) return standing.error();
    const auto followed = follow(*standing, *final);
    if (*final) {
        const auto confirmed = confirm(*standing, **final);
        if (!confirmed) return confirmed.error();
    }
    if (!followed) return followed.error();
    if (failures_ >= most_failures)
        return Error{.code = Errc::chain_refused, .where = "three transactions failed in a row"};
    return go_on(*standing);
}

Result<Feeder::FinalBlock> Feeder::final_block()
{
    if (!settings_.depth) {
        const auto block = node_->finalized_block();
        if (!block) return block.error();
        return FinalBlock(*block);
    }
    const auto block = node_->newest_block();
    if (!block) return block.error();
    if (*block < *settings_.depth) return FinalBlock();
    return FinalBlock(*block - *settings_.depth);
}

// What became of the transactions that are under way, in the order of their nonces. What was found
// out before something broke is kept.
Result<void> Feeder::follow(ChainStanding& standing, FinalBlock final)
{
    ChainChange change;
    std::optional<Error> broke;
    std::vector<OutboxRow> left;
    for (auto& row : standing.outbox) {
        const auto before = row;
        const auto done = broke ? Result<bool>(false) : follow_one(row, final);
        if (!done) broke = done.error();
        if (done && *done) {
            change.dropped.push_back(row.nonce);
            continue;
        }
        if (row != before) change.changed.push_back(row);
        left.push_back(row);
    }
    standing.outbox = std::move(left);
    if (!change.changed.empty() || !change.dropped.empty())
        if (const auto kept = platform_->update_chain(settings_.name, change); !kept) return kept;
    if (broke) return *broke;
    return {};
}

// Whether nothing more has to be known of it.
Result<bool> Feeder::follow_one(OutboxRow& row, FinalBlock final)
{
    const auto found = node_->receipt(row.hash);
    if (!found) return found.error();
    if (!*found) {
        if (row.state != OutboxState::sent) tell("vanished", row);
        row.state = OutboxState::sent;
        row.block = 0;
        return send_again(row, final);
    }
    const auto& receipt = **found;
    const auto state = did_its_work(row, receipt) ? OutboxState::included : OutboxState::failed;
    if (row.state != state) {
        row.state = state;
        // One that did nothing, since its entries were there already, says nothing against the
        // next.
        if (!receipt.success) {
            ++failures_;
        } else if (state == OutboxState::included) {
            failures_ = 0;
        }
        tell(state == OutboxState::failed ? "failed" : "included", row);
    }
    row.block = receipt.block;
    return final && receipt.block <= *final;
}

// The same bytes, where the node does not have them. One whose nonce another transaction has used,
// in a block that is final, is over: whether its work is done the contract will say.
Result<bool> Feeder::send_again(const OutboxRow& row, FinalBlock final)
{
    if (final) {
        const auto used = node_->nonce(settings_.account, *final);
        if (!used) return used.error();
        if (*used > row.nonce) {
            tell("replaced", row);
            return true;
        }
    }
    const auto known = node_->knows(row.hash);
    if (!known) return known.error();
    if (*known) return false;
    const auto sent = node_->send(row.raw);
    if (!sent) return sent.error();
    return false;
}

// Status 1 is not enough: the contract's own event has to be there, for the last of its entries.
bool Feeder::did_its_work(const OutboxRow& row, const TransactionReceipt& receipt) const
{
    const auto end = row.first + row.entries;
    const bool is_record = row.kind == OutboxKind::record;
    const auto& topic = is_record ? abi::recorded_topic() : abi::anchored_topic();
    const auto subject = abi::word_of(is_record ? end - 1 : end);
    return receipt.success && std::ranges::any_of(receipt.logs, [&](const Log& log) {
               return log.address == settings_.name.contract && log.topics.size() == 3 &&
                      log.topics[0] == topic && log.topics[1] == subject;
           });
}

// Reads back what the contract has as of a block that stays.
Result<void> Feeder::confirm(ChainStanding& standing, std::uint64_t final)
{
    const auto found = contract_.head(final);
    if (!found) return found.error();
    const auto from = standing.final_entries;
    if ((*found ? come_to(**found) : 0) < from) return check_not_lost(from);
    if (!*found || come_to(**found) == from) return {};
    const auto& head = **found;
    const auto confirmed = settings_.mode == ChainMode::checkpoint
                               ? confirmed_anchor(head.anchor)
                               : confirmed_entries(from, head.length, final);
    if (!confirmed) return confirmed.error();
    const ChainChange change{.final_entries = *confirmed};
    if (const auto kept = platform_->update_chain(settings_.name, change); !kept) return kept;
    standing.final_entries = *confirmed;
    tell_({.what = "final", .nonce = 0, .first = from, .entries = *confirmed - from});
    return {};
}

// As of an old block the contract has less than it had: a node that lags behind the one that was
// asked before, unless the newest block does not have it either.
Result<void> Feeder::check_not_lost(std::uint64_t entries)
{
    const auto found = contract_.head(newest);
    if (!found) return found.error();
    if (!*found || come_to(**found) < entries) return conflict("what was final is gone");
    return {};
}

// Some at a time: a step does not take long. How far they are ours.
Result<std::uint64_t> Feeder::confirmed_entries(std::uint64_t from, std::uint64_t length,
                                                std::uint64_t block)
{
    constexpr std::uint64_t at_once = 256;
    const auto count = std::min(length - from, at_once);
    const auto entries = platform_->entries(from, count);
    if (!entries) return entries.error();
    if (entries->size() < count) return Error{.code = Errc::ledger_behind, .where = "chain"};
    const auto leaves = contract_.leaves(from, count, block);
    if (!leaves) return leaves.error();
    for (std::size_t i = 0; i < count; ++i) {
        // No leaf below the length: two answers about one block that do not agree. A node that is
        // just making the next one gives such, and several nodes behind one address.
        if ((*leaves)[i] == Digest{})
            return Error{.code = Errc::chain_failed, .where = "answers of the contract"};
        if (merkle::leaf_hash((*entries)[i].encode()) != (*leaves)[i])
            return conflict("leaf of an entry");
    }
    return from + count;
}

Result<std::uint64_t> Feeder::confirmed_anchor(const merkle::Head& anchor)
{
    const auto root = platform_->ledger_root(anchor.size);
    if (!root && root.error().code == Errc::unknown_operation)
        return Error{.code = Errc::ledger_behind, .where = "chain"};
    if (!root) return root.error();
    if (*root != anchor.root) return conflict("root of an anchor");
    return anchor.size;
}

}  // namespace tallycard::evm
