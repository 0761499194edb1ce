// SPDX-License-Identifier: Apache-2.0
#include "node.hpp"

#include <algorithm>
#include <array>

namespace tallycard::evm {
namespace {

Error nonsense()
{
    return {.code = Errc::chain_failed, .effect = Effect::unknown, .where = "answer of the node"};
}

Json block_name(Block block)
{
    return block ? Json(quantity(*block)) : Json("latest");
}

// A field of an object that a node answered; empty where it is missing or no string.
std::string_view text_in(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return {};
    return found->get_ref<const std::string&>();
}

std::optional<Log> read_log(const Json& json)
{
    if (!json.is_object()) return std::nullopt;
    const auto address = parse_bytes<ChainAddress>(text_in(json, "address"));
    auto content = parse_data(text_in(json, "data"));
    const auto topics = json.find("topics");
    if (!address || !content || topics == json.end() || !topics->is_array()) return std::nullopt;
    Log log{.address = *address, .topics = {}, .data = std::move(*content)};
    for (const auto& topic : *topics) {
        if (!topic.is_string()) return std::nullopt;
        const auto word = parse_bytes<Digest>(topic.get_ref<const std::string&>());
        if (!word) return std::nullopt;
        log.topics.push_back(*word);
    }
    return log;
}

std::optional<std::vector<Log>> read_logs(const Json& json)
{
    if (!json.is_array()) return std::nullopt;
    std::vector<Log> logs;
    for (const auto& item : json) {
        auto log = read_log(item);
        if (!log) return std::nullopt;
        logs.push_back(std::move(*log));
    }
    return logs;
}

std::optional<TransactionReceipt> read_receipt(const Json& json, const Digest& hash)
{
    if (!json.is_object()) return std::nullopt;
    if (parse_bytes<Digest>(text_in(json, "transactionHash")) != hash) return std::nullopt;
    const auto block = parse_quantity(text_in(json, "blockNumber"));
    const auto status = parse_quantity(text_in(json, "status"));
    const auto logs = json.find("logs");
    auto read = logs == json.end() ? std::nullopt : read_logs(*logs);
    if (!block || !status || *status > 1 || !read) return std::nullopt;
    return TransactionReceipt{
        .success = *status == 1,
        .block = *block,
        .created = parse_bytes<ChainAddress>(text_in(json, "contractAddress")),
        .logs = std::move(*read)};
}

// What a signer answered: the bytes, or an object that has them as "raw".
std::optional<Bytes> read_signed(const Json& json)
{
    if (json.is_string()) return parse_data(json.get_ref<const std::string&>());
    return json.is_object() ? parse_data(text_in(json, "raw")) : std::nullopt;
}

Json call_object(const ChainAddress& from, const Transaction& transaction)
{
    Json object{{"from", to_data(from.bytes())}};
    if (transaction.to) object["to"] = to_data(transaction.to->bytes());
    object["data"] = to_data(transaction.data);
    return object;
}

// Words of nodes for a transaction that they have, and for one whose nonce is used.
bool says(std::string text, const auto& words)
{
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return std::ranges::any_of(
        words, [&](const char* word) { return text.find(word) != std::string::npos; });
}

}  // namespace

Result<std::uint64_t> Node::number(const char* method, Json parameters)
{
    const auto result = rpc_->call(method, std::move(parameters));
    if (!result) return result.error();
    const auto number =
        result->is_string() ? parse_quantity(result->get_ref<const std::string&>()) : std::nullopt;
    if (!number) return nonsense();
    return *number;
}

Result<Bytes> Node::bytes(const char* method, Json parameters)
{
    const auto result = rpc_->call(method, std::move(parameters));
    if (!result) return result.error();
    auto content =
        result->is_string() ? parse_data(result->get_ref<const std::string&>()) : std::nullopt;
    if (!content) return nonsense();
    return std::move(*content);
}

Result<std::uint64_t> Node::chain_id()
{
    return number("eth_chainId", Json::array());
}

Result<std::uint64_t> Node::newest_block()
{
    return number("eth_blockNumber", Json::array());
}

Result<std::uint64_t> Node::of_block(const char* name, const char* field)
{
    const auto block = rpc_->call("eth_getBlockByNumber", {name, false});
    if (!block) return block.error();
    const auto number = block->is_object() ? parse_quantity(text_in(*block, field)) : std::nullopt;
    if (!number) return nonsense();
    return *number;
}

Result<std::uint64_t> Node::finalized_block()
{
    return of_block("finalized", "number");
}

Result<std::uint64_t> Node::block_gas_limit()
{
    return of_block("latest", "gasLimit");
}

Result<Bytes> Node::code(const ChainAddress& at)
{
    return bytes("eth_getCode", {to_data(at.bytes()), "latest"});
}

Result<Bytes> Node::call(const ChainAddress& contract, const Bytes& content, Block block)
{
    const Json what{{"to", to_data(contract.bytes())}, {"data", to_data(content)}};
    return bytes("eth_call", Json::array({what, block_name(block)}));
}

Result<std::uint64_t> Node::nonce(const ChainAddress& account, Block block)
{
    return number("eth_getTransactionCount",
                  Json::array({to_data(account.bytes()), block_name(block)}));
}

Result<std::uint64_t> Node::next_nonce(const ChainAddress& account)
{
    return number("eth_getTransactionCount", {to_data(account.bytes()), "pending"});
}

Result<std::uint64_t> Node::gas_price()
{
    return number("eth_gasPrice", Json::array());
}

Result<std::uint64_t> Node::estimate_gas(const ChainAddress& from, const Transaction& transaction)
{
    return number("eth_estimateGas", Json::array({call_object(from, transaction)}));
}

Result<SignedTransaction> Node::sign(const ChainAddress& from, const Transaction& transaction)
{
    auto wanted = call_object(from, transaction);
    wanted["nonce"] = quantity(transaction.nonce);
    wanted["gas"] = quantity(transaction.gas);
    wanted["gasPrice"] = quantity(transaction.gas_price);
    wanted["value"] = quantity(0);
    wanted["chainId"] = quantity(transaction.chain_id);
    const auto answer = signer_->call("eth_signTransaction", Json::array({std::move(wanted)}));
    if (!answer) return answer.error();
    auto raw = read_signed(*answer);
    if (!raw) return nonsense();
    if (read_transaction(*raw) != transaction)
        return Error{.code = Errc::chain_refused, .where = "signer signed something else"};
    const auto digest = bytes("web3_sha3", Json::array({to_data(*raw)}));
    if (!digest) return digest.error();
    if (digest->size() != Digest::size) return nonsense();
    return SignedTransaction{.raw = std::move(*raw),
                             .hash = Digest(std::span(*digest).first<Digest::size>())};
}

Result<Sending> Node::send(const Bytes& raw)
{
    const auto answer = rpc_->call("eth_sendRawTransaction", Json::array({to_data(raw)}));
    if (answer) return Sending::taken;
    if (answer.error().code != Errc::chain_refused) return answer.error();
    if (says(rpc_->said(), std::array{"already", "known transaction:"})) return Sending::taken;
    if (says(rpc_->said(), std::array{"nonce too low", "old nonce", "nonce is too low"}))
        return Sending::stale;
    return answer.error();
}

Result<bool> Node::knows(const Digest& hash)
{
    const auto answer =
        rpc_->call("eth_getTransactionByHash", Json::array({to_data(hash.bytes())}));
    if (!answer) return answer.error();
    return !answer->is_null();
}

Result<std::optional<TransactionReceipt>> Node::receipt(const Digest& hash)
{
    const auto answer =
        rpc_->call("eth_getTransactionReceipt", Json::array({to_data(hash.bytes())}));
    if (!answer) return answer.error();
    if (answer->is_null()) return std::optional<TransactionReceipt>();
    auto receipt = read_receipt(*answer, hash);
    if (!receipt) return nonsense();
    return receipt;
}

Result<std::vector<Log>> Node::logs(const ChainAddress& contract, const Digest& topic,
                                    std::uint64_t from, std::uint64_t to)
{
    const Json filter{{"address", to_data(contract.bytes())},
                      {"topics", Json::array({to_data(topic.bytes())})},
                      {"fromBlock", quantity(from)},
                      {"toBlock", quantity(to)}};
    const auto answer = rpc_->call("eth_getLogs", Json::array({filter}));
    if (!answer) return answer.error();
    auto logs = read_logs(*answer);
    if (!logs) return nonsense();
    return std::move(*logs);
}

}  // namespace tallycard::evm
