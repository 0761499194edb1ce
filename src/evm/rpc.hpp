// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 as the nodes of EVM chains speak it. What they answer is read strictly.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tallycard/result.hpp>

#include "../https/json.hpp"

namespace tallycard::evm {

using https::Json;

struct NodeSettings {
    std::string url;           // "http://127.0.0.1:8545", "https://node.example/path"
    std::string ca_file{};     // PEM: who vouches for it; empty: whom the system trusts
    std::string token_file{};  // shown as a bearer token; 0600; empty: none
    std::chrono::milliseconds connect_within{5000};
    std::chrono::milliseconds answer_within{10000};
};

// How a request gets to a node. A seam: tests lose and change what goes over it.
class Transport {
public:
    virtual ~Transport() = default;
    // The body of the answer. Errc::chain_unreachable, with Effect::unknown where the request may
    // have got there.
    virtual Result<std::string> post(const std::string& body) = 0;
    virtual void interrupt() = 0;  // from any thread: what is under way fails
};

// Talks to nobody yet. Errc::malformed for the URL; as of files for the others.
Result<std::unique_ptr<Transport>> open_transport(const NodeSettings& settings);

// The result in an answer, null included. Errc::chain_refused for an error that the node reports,
// Errc::chain_failed for what is no answer to request number `id`. `said`: in the node's words.
Result<Json> parse_answer(std::string_view body, std::uint64_t id, std::string& said);

// One node. Not thread-safe. The transport must outlive it.
class Rpc {
public:
    explicit Rpc(Transport& transport) : transport_(&transport) {}
    Result<Json> call(const char* method, Json parameters);
    // What the node said when it last refused; for people.
    const std::string& said() const { return said_; }

private:
    Transport* transport_;
    std::uint64_t last_id_ = 0;
    std::string said_;
};

}  // namespace tallycard::evm
