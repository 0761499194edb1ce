// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tallycard/result.hpp>

namespace tallycard::https {

struct Endpoint {
    std::string host;  // an IPv6 address without its brackets
    std::uint16_t port = 443;
    bool tls = true;
    std::string path = "/";
};

// "https://HOST[:PORT]" and at most one slash behind it.
std::optional<Endpoint> parse_url(std::string_view url);

// "https://HOST[:PORT][/PATH]", or the same with http, whose port is 8545 where none is named: a
// node of a chain.
std::optional<Endpoint> parse_node_url(std::string_view url);

// Whether nobody on the way reads what is sent there.
bool is_confidential(const Endpoint& endpoint);

// The first line of a file with a secret: a regular file that only its owner may read.
// Errc::file_missing; Errc::file_rejected; Errc::file_damaged where it is no token.
Result<std::string> read_token(const std::string& path);

// Tokens are 20 to 128 letters, digits and -._~ (they travel in a header).
bool is_token(std::string_view text);

}  // namespace tallycard::https
