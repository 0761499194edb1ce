// SPDX-License-Identifier: Apache-2.0
// A node of a chain that answers anything: the first byte says what it is asked, the second whether
// the rest is its whole answer or the result in one.
#include <string>

#include "evm/contract.hpp"
#include "fuzz.hpp"
#include "https/endpoint.hpp"
#include "input.hpp"

using namespace tallycard;
using namespace tallycard::evm;

namespace {

class AnyAnswer final : public Transport {
public:
    AnyAnswer(bool whole, std::string text) : whole_(whole), text_(std::move(text)) {}
    Result<std::string> post(const std::string&) override
    {
        ++id_;
        if (whole_) return text_;
        return R"({"jsonrpc":"2.0","id":)" + std::to_string(id_) + R"(,"result":)" + text_ + "}";
    }
    void interrupt() override {}

private:
    bool whole_;
    std::string text_;
    std::uint64_t id_ = 0;
};

void check(const auto& result)
{
    if (result) return;
    const auto code = result.error().code;
    FUZZ_CHECK(code == Errc::chain_failed || code == Errc::chain_refused ||
               code == Errc::chain_foreign);
}

void ask(Node& node, unsigned what)
{
    const ChainName name{.chain_id = 1, .contract = {}};
    Contract contract(node, name);
    switch (what % 13) {
    case 0: return check(node.chain_id());
    case 1: return check(node.finalized_block());
    case 2: return check(node.code(name.contract));
    case 3: return check(node.estimate_gas({}, {}));
    case 4: return check(node.sign({}, {.chain_id = 1, .nonce = 1}));
    case 5: return check(node.send({1, 2, 3}));
    case 6: return check(node.knows({}));
    case 7: return check(node.receipt({}));
    case 8: return check(node.logs({}, {}, 0, 1));
    case 9: return check(contract.head(newest));
    case 10: return check(contract.leaves(0, 2, newest));
    case 11: return check(contract.is_writer({}));
    default: return check(contract.check({}));
    }
}

void read_bytes(std::span<const std::uint8_t> bytes)
{
    if (const auto transaction = read_transaction(bytes))
        FUZZ_CHECK(transaction->data.size() < bytes.size() && transaction->chain_id > 0);
    if (const auto body = abi::read_body(bytes)) FUZZ_CHECK(body->size() + 64 <= bytes.size());
    if (const auto head = abi::read_head(bytes)) FUZZ_CHECK(bytes.size() == 96);
    if (const auto leaves = abi::read_leaves(bytes, 2)) FUZZ_CHECK(leaves->size() == 2);
    if (const auto word = abi::read_word(bytes)) FUZZ_CHECK(bytes.size() == 32);
    if (abi::read_flag(bytes)) FUZZ_CHECK(bytes.size() == 32 && bytes[31] <= 1);
    (void)abi::name_of_error(bytes);
    if (const auto node = https::parse_node_url(fuzz::text(bytes))) {
        FUZZ_CHECK(!node->host.empty() && node->port != 0 && node->path.front() == '/');
        FUZZ_CHECK(https::is_confidential(*node) || !node->tls);
    }
}

// Whatever is recorded, a call is its selector and whole words.
void write_calls(const Bytes& body)
{
    const std::vector<Digest> leaves(1 + body.size() % 3);
    const std::vector<Bytes> bodies(leaves.size(), body);
    for (const auto& call :
         {abi::record(body.size(), leaves, bodies), abi::record(0, leaves, {}), abi::anchor({}, {}),
          abi::set_writer({}, body.empty()), abi::is_writer({}), abi::owner()})
        FUZZ_CHECK(call.size() % 32 == 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input({data, size});
    const auto what = input.byte();
    const bool is_whole = input.byte() % 2 == 0;
    const auto rest = input.rest();
    read_bytes(rest);
    write_calls({rest.begin(), rest.end()});
    AnyAnswer transport(is_whole, std::string(fuzz::text(rest)));
    Rpc rpc(transport);
    Node node(rpc, rpc);
    ask(node, what);
    FUZZ_CHECK(rpc.said().size() <= 300);
    return 0;
}
