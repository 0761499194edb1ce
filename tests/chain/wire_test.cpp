// SPDX-License-Identifier: Apache-2.0
// What nodes and signers say, byte for byte. No node is needed.
#include <catch2/catch.hpp>

#include "evm/abi.hpp"
#include "evm/rpc.hpp"
#include "evm/transaction.hpp"
#include "https/endpoint.hpp"

using namespace tallycard;
using namespace tallycard::evm;

namespace {

// Signed by anvil: nonce 0, 2 gwei, 21000 gas, to the sender itself, on chain 31337.
constexpr auto signed_by_anvil =
    "0xf86580847735940082520894f39fd6e51aad88f6f4ce6ab8827279cfffb92266808082f4f5a00836ceeb1e9741bd"
    "bcac06c892715b2865396d82a734f7f4fc67540973edfcfba04e1d85c5f5c5e28200ba533aa395cb7bf51d21be1e73"
    "d573f87c4c28582978a0";

Errc answered(std::string_view body, std::string* words = nullptr)
{
    std::string said;
    const auto answer = parse_answer(body, 7, said);
    if (words != nullptr) *words = said;
    return answer ? Errc{} : answer.error().code;
}

}  // namespace

TEST_CASE("numbers are hex without leading zeros, bytes are two digits each")
{
    REQUIRE(quantity(0) == "0x0");
    REQUIRE(quantity(31337) == "0x7a69");
    REQUIRE(parse_quantity("0x0") == 0U);
    REQUIRE(parse_quantity("0xffffffffffffffff") == ~std::uint64_t{0});
    for (const auto* wrong : {"", "0x", "7", "0x01", "0x1g", "-0x1", "0x10000000000000000", " 0x1"})
        REQUIRE(!parse_quantity(wrong));
    REQUIRE(parse_data("0x") == Bytes{});
    REQUIRE(parse_data("0x00fF") == Bytes{0, 255});
    for (const auto* wrong : {"", "00", "0x0", "0xgg", "0X00"}) REQUIRE(!parse_data(wrong));
}

TEST_CASE("a signed transaction is read whole, or not at all")
{
    const auto raw = parse_data(signed_by_anvil).value();
    const auto read = read_transaction(raw).value();
    REQUIRE(read.chain_id == 31337);
    REQUIRE(read.nonce == 0);
    REQUIRE(read.gas_price == 2'000'000'000);
    REQUIRE(read.gas == 21000);
    REQUIRE(to_data(read.to->bytes()) == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    REQUIRE(read.data.empty());
    for (std::size_t size = 0; size < raw.size(); ++size)
        REQUIRE(!read_transaction(std::span(raw).first(size)));
    auto longer = raw;
    longer.push_back(0);
    REQUIRE(!read_transaction(longer));
    // Value that moves.
    auto changed = raw;
    changed[32] = 0x01;
    REQUIRE(!read_transaction(changed));
    // A nonce with a leading zero.
    changed = raw;
    changed[2] = 0x00;
    REQUIRE(!read_transaction(changed));
    // A signature that names no chain.
    changed = raw;
    changed[34] = 0x1B;
    changed.erase(changed.begin() + 35, changed.begin() + 37);
    changed[1] = static_cast<std::uint8_t>(changed[1] - 2);
    REQUIRE(!read_transaction(changed));
}

TEST_CASE("an answer is to this request, and a result or a refusal")
{
    std::string words;
    REQUIRE(answered(R"({"jsonrpc":"2.0","id":7,"result":null})") == Errc{});
    REQUIRE(answered(R"({"jsonrpc":"2.0","id":7,"result":"0x1","error":null})") == Errc{});
    REQUIRE(answered(R"({"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"execution reverted",
        "data":"0x751a1cd0"}})",
                     &words) == Errc::chain_refused);
    REQUIRE(words == "execution reverted (NotWriter)");
    REQUIRE(answered("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":3,\"message\":\"a\\u0007" +
                         std::string(300, 'x') + "\"}}",
                     &words) == Errc::chain_refused);
    REQUIRE(words == "a?" + std::string(198, 'x'));
    for (const auto* wrong :
         {"", "[]", "null", R"({"jsonrpc":"2.0","id":8,"result":1})",
          R"({"jsonrpc":"2.0","id":"7","result":1})", R"({"jsonrpc":"1.0","id":7,"result":1})",
          R"({"id":7,"result":1})", R"({"jsonrpc":"2.0","id":7})",
          R"({"jsonrpc":"2.0","id":7,"result":1,"result":2})",
          R"({"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1,"message":"x"}})",
          R"({"jsonrpc":"2.0","id":7,"error":"no"})",
          R"({"jsonrpc":"2.0","id":7,"error":{"code":"1","message":"x"}})"})
        REQUIRE(answered(wrong) == Errc::chain_failed);
}

TEST_CASE("a call is written in words of 32 bytes, as the contract reads it")
{
    const std::vector<Digest> leaves{abi::word_of(1), abi::word_of(2)};
    const std::vector<Bytes> bodies{{0xAA}, Bytes(32, 0xBB)};
    const auto call = abi::record(5, leaves, bodies);
    REQUIRE(call.size() == 4 + 13 * 32);
    const auto word = [&](std::size_t n) {
        return abi::number_in(Digest(std::span(call).subspan(4 + n * 32).first<32>()));
    };
    const std::vector<std::uint64_t> numbers{5, 96, 192, 2, 1, 2, 2, 64, 128, 1};
    for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE(word(i) == numbers[i]);
    REQUIRE(call[4 + 10 * 32] == 0xAA);
    REQUIRE(word(11) == 32U);
    REQUIRE(call.back() == 0xBB);
    REQUIRE(abi::record(5, leaves, {}).size() == 4 + 7 * 32);
}

TEST_CASE("a node is named by http or https, with a path where it has one")
{
    const auto plain = https::parse_node_url("http://127.0.0.1:8545").value();
    REQUIRE((plain.host == "127.0.0.1" && plain.port == 8545 && !plain.tls && plain.path == "/"));
    const auto secure = https::parse_node_url("https://node.example/v3/key").value();
    REQUIRE((secure.port == 443 && secure.tls && secure.path == "/v3/key"));
    REQUIRE(https::parse_node_url("http://[::1]").value().port == 8545);
    for (const auto* wrong : {"", "127.0.0.1:8545", "ws://x", "http://", "http:///x", "http://x:0",
                              "http://x:y", "https://a b/", "https://x/\r\n", "http://u@x"})
        REQUIRE(!https::parse_node_url(wrong));
    REQUIRE(!https::parse_url("http://x"));
    REQUIRE(!https::parse_url("https://x/path"));
}
