// SPDX-License-Identifier: Apache-2.0
#include "clients.hpp"

#include <algorithm>
#include <array>

#include <sodium.h>

#include "../protocol/digest.hpp"
#include "ini.hpp"

namespace tallycard::service {
namespace {

constexpr std::uint64_t largest_amount = 0x7FFFFFFFFFFFFFFF;

using Refusal = const char*;

// The words of a list, with spaces between them.
std::vector<std::string_view> words_of(std::string_view text)
{
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

Refusal add_roles(Client& client, std::string_view value)
{
    for (const auto word : words_of(value)) {
        if (word == "terminal") {
            client.roles |= role::terminal;
        } else if (word == "operator") {
            client.roles |= role::issuer;
        } else if (word == "auditor") {
            client.roles |= role::auditor;
        } else if (word == "merchant") {
            client.roles |= role::merchant;
        } else {
            return "terminal, merchant, operator or auditor is wanted";
        }
    }
    return nullptr;
}

Refusal add_digests(std::vector<Digest>& digests, std::string_view value)
{
    for (const auto word : words_of(value)) {
        const auto digest = Digest::parse(word);
        if (!digest) return "SHA-256 as 64 lower-case hex digits is wanted";
        digests.push_back(*digest);
    }
    return nullptr;
}

Refusal set_amount(std::optional<std::uint64_t>& amount, std::string_view value)
{
    amount = ini::number(value, 0, largest_amount);
    return amount ? nullptr : "a whole number of minor units is wanted";
}

Refusal set_accounts(Client& client, std::string_view value)
{
    client.accounts.clear();  // its own name, until now
    for (const auto word : words_of(value)) {
        const auto account = AccountId::parse(word);
        if (!account) return "names of 1 to 34 printable characters are wanted";
        client.accounts.push_back(*account);
    }
    return nullptr;
}

Refusal set(Client& client, const ini::Entry& entry)
{
    const auto& [line, name, value] = entry;
    if (name == "roles") return add_roles(client, value);
    if (name == "token-sha256") return add_digests(client.tokens, value);
    if (name == "certificate-sha256") return add_digests(client.certificates, value);
    if (name == "amount-per-operation") return set_amount(client.most_at_once, value);
    if (name == "amount-per-day") return set_amount(client.most_in_a_day, value);
    if (name == "accounts") return set_accounts(client, value);
    return "no such setting of a client";
}

Result<Client> client_of(const ini::Section& section)
{
    if (section.kind != "client") return ini::refused(section.line, "[client NAME] is wanted");
    const auto name = AccountId::parse(std::string_view(section.name));
    if (!name)
        return ini::refused(section.line, "a name of 1 to 34 printable characters is wanted");
    Client client{.name = section.name,
                  .roles = 0,
                  .accounts = {*name},
                  .tokens = {},
                  .certificates = {},
                  .most_at_once = {},
                  .most_in_a_day = {}};
    for (const auto& entry : section.entries)
        if (const auto* why = set(client, entry)) return ini::refused(entry.line, why);
    if (client.roles == 0) return ini::refused(section.line, "a client needs 'roles'");
    return client;
}

}  // namespace

Result<Clients> Clients::parse(std::string_view text)
{
    const auto sections = ini::parse(text);
    if (!sections) return sections.error();
    if (!sections->front().entries.empty())
        return ini::refused(sections->front().entries.front().line, "[client NAME] is wanted");
    Clients clients;
    for (std::size_t i = 1; i < sections->size(); ++i) {
        auto client = client_of((*sections)[i]);
        if (!client) return client.error();
        const auto number = clients.clients_.size();
        bool fresh = true;
        for (const auto& digest : client->tokens)
            fresh = clients.by_token_.emplace(digest, number).second && fresh;
        for (const auto& digest : client->certificates)
            fresh = clients.by_certificate_.emplace(digest, number).second && fresh;
        if (!fresh)
            return ini::refused((*sections)[i].line, "this credential is in the file already");
        clients.clients_.push_back(std::move(*client));
    }
    return clients;
}

// The digest is looked up, not the token: how long that takes says nothing of any token.
const Client* Clients::with_token(std::string_view token) const
{
    const auto found = by_token_.find(digest_of_token(token));
    return found == by_token_.end() ? nullptr : &clients_[found->second];
}

const Client* Clients::with_certificate(const Digest& certificate) const
{
    const auto found = by_certificate_.find(certificate);
    return found == by_certificate_.end() ? nullptr : &clients_[found->second];
}

std::string make_token()
{
    std::array<std::uint8_t, 32> random{};
    randombytes_buf(random.data(), random.size());
    std::array<char, 64> text{};
    sodium_bin2base64(text.data(), text.size(), random.data(), random.size(),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text.data();
}

Digest digest_of_token(std::string_view token)
{
    return sha256({reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
}

}  // namespace tallycard::service
