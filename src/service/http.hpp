// SPDX-License-Identifier: Apache-2.0
// What the server of HTTPS and the application behind it say to each other.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include <tallycard/fixed_bytes.hpp>

namespace tallycard::service {

// Who is at the other end of a connection, as far as TLS knows.
struct Peer {
    std::string address;
    std::optional<Digest> certificate;        // SHA-256 of it; the peer has shown its key
    const char* certificate_fault = nullptr;  // why it may not be believed, where so
};

// A request, before its body is read.
struct Head {
    const Peer* peer = nullptr;
    std::string method, path;
    std::multimap<std::string, std::string> parameters;  // behind the question mark
    std::string authorization, content_type;
    std::optional<std::string> content_length;
    bool has_encoding = false;  // Transfer-Encoding, Content-Encoding, or two lengths
};

struct Answer {
    int status = 200;
    std::string body;
    std::string type = "application/json";
    std::optional<unsigned> retry_after;  // seconds
};

// Answers once the body is there.
using Work = std::function<Answer(const std::string& body)>;

// Called from many threads at once. Nothing here may throw.
class Application {
public:
    virtual ~Application() = default;
    // An answer at once, and the body is not read; or what answers when it is there.
    virtual std::variant<Answer, Work> admit(const Head& head) = 0;
    // More connections than there may be: the answer to whatever is asked there.
    virtual Answer overloaded() = 0;
    // A request that is no HTTP, or that broke off.
    virtual Answer malformed(int status) = 0;
};

}  // namespace tallycard::service
