// SPDX-License-Identifier: Apache-2.0
#include "chain_verifier.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <vector>

#include <tallycard/entry.hpp>

namespace tallycard::evm {
namespace {

// The leaves of an exported ledger, and its roots at some sizes.
class LedgerLeaves {
public:
    explicit LedgerLeaves(const std::map<std::uint64_t, Digest>& anchors) : anchors_(&anchors) {}

    // Errc::file_damaged where it is not the ledger that `report` is about.
    Result<void> read(const std::string& path, const LedgerReport& report)
    {
        constexpr std::string_view mark = "entry ";
        std::ifstream file(path, std::ios::binary);
        if (!file) return Error{.code = Errc::file_missing, .where = "ledger"};
        note_root();
        for (std::string line; std::getline(file, line);) {
            if (!line.starts_with(mark)) continue;
            const auto bytes = parse_data("0x" + line.substr(mark.size()));
            if (!bytes) return Error{.code = Errc::file_damaged, .where = "ledger"};
            leaves_.push_back(merkle::leaf_hash(*bytes));
            tree_.append(leaves_.back());
            note_root();
        }
        const merkle::Head head{.size = tree_.size(), .root = tree_.root()};
        if (head != report.checkpoint.head)
            return Error{.code = Errc::file_damaged, .where = "ledger"};
        return {};
    }
    const std::vector<Digest>& leaves() const { return leaves_; }
    // Where a root that was asked for is another, or there are not that many entries.
    std::optional<std::uint64_t> wrong_anchor() const
    {
        for (const auto& [size, root] : *anchors_) {
            const auto found = roots_.find(size);
            if (found == roots_.end() || found->second != root) return size;
        }
        return std::nullopt;
    }

private:
    void note_root()
    {
        if (anchors_->contains(tree_.size())) roots_[tree_.size()] = tree_.root();
    }
    const std::map<std::uint64_t, Digest>* anchors_;
    std::map<std::uint64_t, Digest> roots_;
    std::vector<Digest> leaves_;
    merkle::Frontier tree_;
};

class Verifier {
public:
    Verifier(Node& node, Contract& contract) : node_(&node), contract_(&contract) {}

    Result<ChainReport> run(const PublicKey& issuer, const std::string& path,
                            const LedgerReport& report, std::uint64_t from_block)
    {
        if (const auto ours = contract_->check(issuer); !ours) return ours.error();
        const auto block = node_->newest_block();
        if (!block) return block.error();
        report_.block = *block;
        const auto head = contract_->head(*block);
        if (!head) return head.error();
        if (!*head) return Error{.code = Errc::chain_foreign, .where = "contract at the address"};
        if (const auto read = read_events(from_block); !read) return read.error();
        anchors_[(*head)->anchor.size] = (*head)->anchor.root;
        LedgerLeaves ledger(anchors_);
        if (const auto read = ledger.read(path, report); !read) return read.error();
        if (const auto compared = compare(**head, ledger); !compared) return compared.error();
        return report_;
    }

private:
    // Of so many blocks at once; of fewer where the node finds them, or we their events, too many.
    template <class Take>
    Result<void> for_each_log(const Digest& topic, std::uint64_t from, Take&& take)
    {
        std::uint64_t at_once = 5000;
        for (auto begin = from; begin <= report_.block;) {
            const auto end = std::min(begin + at_once - 1, report_.block);
            const auto logs = node_->logs(contract_->name().contract, topic, begin, end);
            if (!logs && at_once > 1) {
                at_once /= 2;
                continue;
            }
            if (!logs) return logs.error();
            begin = end + 1;
            for (const auto& log : *logs) {
                const auto subject = log.topics.size() == 3 ? abi::number_in(log.topics[1])
                                                            : std::optional<std::uint64_t>();
                if (!subject || log.address != contract_->name().contract || log.topics[0] != topic)
                    return Error{.code = Errc::chain_failed, .where = "events of the contract"};
                if (const Result<void> taken = take(log, *subject); !taken) return taken;
            }
        }
        return {};
    }

    Result<void> read_events(std::uint64_t from)
    {
        const auto recorded = for_each_log(
            abi::recorded_topic(), from, [&](const Log& log, std::uint64_t index) -> Result<void> {
                auto body = abi::read_body(log.data);
                if (!body) return Error{.code = Errc::chain_failed, .where = "event Recorded"};
                if (!body->empty()) bodies_[index] = std::move(*body);
                events_[index] = log.topics[2];
                return {};
            });
        if (!recorded) return recorded;
        return for_each_log(abi::anchored_topic(), from,
                            [&](const Log& log, std::uint64_t size) -> Result<void> {
                                anchors_[size] = log.topics[2];
                                ++report_.anchors;
                                return {};
                            });
    }

    Result<void> compare(const ContractHead& head, const LedgerLeaves& ledger)
    {
        const auto& leaves = ledger.leaves();
        report_.anchored = head.anchor.size;
        if (head.length > leaves.size()) {
            return fault("the chain has " + std::to_string(head.length) +
                         " entries: the ledger is behind it");
        }
        if (const auto size = ledger.wrong_anchor()) {
            if (*size > leaves.size()) {
                return fault("the chain has an anchor on " + std::to_string(*size) +
                             " entries, more than there are here: is this an older export?");
            }
            return fault("the root that the chain has for " + std::to_string(*size) +
                         " entries is not the ledger's");
        }
        constexpr std::uint64_t at_once = 256;
        for (std::uint64_t first = 0; first < head.length && !report_.fault; first += at_once) {
            const auto count = std::min(at_once, head.length - first);
            const auto found = contract_->leaves(first, count, report_.block);
            if (!found) return found.error();
            for (std::uint64_t i = 0; i < count; ++i)
                if (!agrees(first + i, (*found)[i], leaves[first + i])) break;
        }
        return {};
    }

    // The leaf in the contract's memory, the one in its event, and the entry there.
    bool agrees(std::uint64_t index, const Digest& in_contract, const Digest& in_ledger)
    {
        const auto entry = "entry " + std::to_string(index);
        const auto event = events_.find(index);
        if (in_contract != in_ledger || (event != events_.end() && event->second != in_ledger)) {
            report_.fault = entry + " is another on the chain";
            return false;
        }
        ++report_.leaves;
        const auto body = bodies_.find(index);
        if (body == bodies_.end()) return true;
        if (merkle::leaf_hash(body->second) != in_ledger || !Entry::decode(body->second)) {
            report_.fault = entry + " in full is another on the chain";
            return false;
        }
        ++report_.bodies;
        return true;
    }

    Result<void> fault(std::string what)
    {
        report_.fault = std::move(what);
        return {};
    }

    Node* node_;
    Contract* contract_;
    ChainReport report_;
    std::map<std::uint64_t, Digest> anchors_, events_;
    std::map<std::uint64_t, Bytes> bodies_;
};

}  // namespace

Result<ChainReport> verify_chain(Node& node, Contract& contract, const PublicKey& issuer,
                                 const std::string& path, const LedgerReport& report,
                                 std::uint64_t from_block)
{
    return Verifier(node, contract).run(issuer, path, report, from_block);
}

}  // namespace tallycard::evm
