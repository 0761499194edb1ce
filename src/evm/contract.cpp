// SPDX-License-Identifier: Apache-2.0
#include "contract.hpp"

#include <algorithm>

namespace tallycard::evm {
namespace {

Error foreign(const char* where)
{
    return {.code = Errc::chain_foreign, .where = where};
}

// An answer of the contract, read; what does not read is no contract of ours.
template <class T>
Result<T> known(std::optional<T> value)
{
    if (!value) return Error{.code = Errc::chain_failed, .where = "answer of the contract"};
    return std::move(*value);
}

}  // namespace

Result<void> Contract::check(const PublicKey& issuer)
{
    const auto chain_id = node_->chain_id();
    if (!chain_id) return chain_id.error();
    if (*chain_id != name_.chain_id) return foreign("chain id");
    const auto code = node_->code(name_.contract);
    if (!code) return code.error();
    if (code->empty()) return foreign("contract: there is none at the address");
    if (!std::ranges::equal(*code, abi::runtime())) return foreign("contract at the address");
    const auto answer = ask(abi::issuer(), newest);
    if (!answer) return answer.error();
    const auto word = known(abi::read_word(*answer));
    if (!word) return word.error();
    if (!std::ranges::equal(word->bytes(), issuer.bytes()))
        return foreign("issuer of the contract");
    return {};
}

Result<std::optional<ContractHead>> Contract::head(Block block)
{
    const auto answer = ask(abi::head(), block);
    if (!answer) return answer.error();
    if (answer->empty()) return std::optional<ContractHead>();
    const auto head = known(abi::read_head(*answer));
    if (!head) return head.error();
    return std::optional(*head);
}

Result<std::vector<Digest>> Contract::leaves(std::uint64_t first, std::uint64_t count, Block block)
{
    const auto answer = ask(abi::leaves(first, count), block);
    if (!answer) return answer.error();
    return known(abi::read_leaves(*answer, count));
}

Result<bool> Contract::is_writer(const ChainAddress& account)
{
    const auto answer = ask(abi::is_writer(account), newest);
    if (!answer) return answer.error();
    return known(abi::read_flag(*answer));
}

}  // namespace tallycard::evm
