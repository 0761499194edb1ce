// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/account_id.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

namespace tallycard::service {

// What a client may do; a client may have several.
namespace role {
inline constexpr unsigned terminal = 1;  // operations with its own cash, and settling
inline constexpr unsigned issuer = 2;    // "operator": cards, accounts, administrative operations
inline constexpr unsigned auditor = 4;   // looks at everything and changes nothing
inline constexpr unsigned merchant = 8;  // sees its own accounts, and hands over their orders
inline constexpr unsigned anybody = 0;   // needs no credentials
}  // namespace role

struct Client {
    std::string name;
    unsigned roles = 0;
    std::vector<AccountId> accounts;   // terminals whose cash it may move; a merchant's accounts
    std::vector<Digest> tokens;        // SHA-256 of each
    std::vector<Digest> certificates;  // likewise
    std::optional<std::uint64_t> most_at_once;  // minor units
    std::optional<std::uint64_t> most_in_a_day;
};

// Who may talk to the service. A value type.
class Clients {
public:
    // Sections "[client NAME]": docs/service.md. Errc::file_malformed at the line.
    static Result<Clients> parse(std::string_view text);

    // Null: there is none. Borrowed from this object.
    const Client* with_token(std::string_view token) const;
    const Client* with_certificate(const Digest& certificate) const;
    std::size_t size() const { return clients_.size(); }

private:
    std::vector<Client> clients_;
    std::map<Digest, std::size_t> by_token_, by_certificate_;  // where in clients_
};

// 43 random characters: 256 bits.
std::string make_token();
// What a clients file keeps of it.
Digest digest_of_token(std::string_view token);

}  // namespace tallycard::service
