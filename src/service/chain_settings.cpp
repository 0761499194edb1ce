// SPDX-License-Identifier: Apache-2.0
#include "chain_settings.hpp"

#include <algorithm>
#include <array>

#include "../https/endpoint.hpp"

namespace tallycard::service {
namespace {

using ini::Refusal;
using ini::set_number;

Refusal set_url(const std::string& value, std::string& target)
{
    if (!https::parse_node_url(value)) return "http[s]://HOST[:PORT][/PATH] is wanted";
    target = value;
    return nullptr;
}

Refusal set_address(std::string_view value, ChainAddress& target)
{
    const auto address = evm::parse_bytes<ChainAddress>(value);
    if (!address) return "an address, 0x and 40 digits, is wanted";
    target = *address;
    return nullptr;
}

Refusal set_mode(std::string_view value, evm::ChainMode& target)
{
    using Mode = evm::ChainMode;
    constexpr std::array<std::pair<std::string_view, Mode>, 3> modes{
        {{"full", Mode::full}, {"hash", Mode::hash}, {"checkpoint", Mode::checkpoint}}};
    const auto* const found =
        std::ranges::find(modes, value, [](const auto& m) { return m.first; });
    if (found == modes.end()) return "full, hash or checkpoint is wanted";
    target = found->second;
    return nullptr;
}

Refusal set_final(std::string_view value, std::optional<std::uint64_t>& target)
{
    if (value == "finalized") return target.reset(), nullptr;
    const auto depth = ini::number(value, 0, 1'000'000);
    if (!depth) return "'finalized' or a number of blocks is wanted";
    target = *depth;
    return nullptr;
}

Refusal set_seconds(std::string_view value, std::chrono::seconds& target)
{
    std::uint64_t seconds = 0;
    const auto* const why = set_number(value, 1, 31'536'000, seconds);
    target = std::chrono::seconds(seconds);
    return why;
}

Refusal set_price(std::string_view value, std::uint64_t& target)
{
    constexpr std::uint64_t gwei = 1'000'000'000;
    const auto* const why = set_number(value, 1, 1'000'000, target);
    target *= gwei;
    return why;
}

bool is_name(std::string_view text)
{
    return text.size() <= 32 && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-';
           });
}

Refusal set(ChainSettings& chain, const std::string& name, const std::string& value)
{
    constexpr auto largest_id = std::uint64_t{1} << 52;
    auto& feeder = chain.feeder;
    if (name == "url") return set_url(value, chain.node.url);
    if (name == "signer") return set_url(value, chain.signer_url);
    if (name == "ca") return chain.node.ca_file = value, nullptr;
    if (name == "token-file") return chain.node.token_file = value, nullptr;
    if (name == "chain-id") return set_number(value, 1, largest_id, feeder.name.chain_id);
    if (name == "contract") return set_address(value, feeder.name.contract);
    if (name == "account") return set_address(value, feeder.account);
    if (name == "mode") return set_mode(value, feeder.mode);
    if (name == "every-entries") return set_number(value, 1, 1U << 30, feeder.every_entries);
    if (name == "every-seconds") return set_seconds(value, feeder.every);
    if (name == "final") return set_final(value, feeder.depth);
    if (name == "batch") return set_number(value, 1, 500, feeder.batch);
    if (name == "most-gas") return set_number(value, 100'000, 100'000'000, feeder.most_gas);
    if (name == "most-gwei") return set_price(value, feeder.most_gas_price);
    if (name == "poll-seconds") return set_number(value, 1, 3600, chain.poll_seconds);
    return "no such setting of a chain";
}

}  // namespace

Result<ChainSettings> read_chain(const ini::Section& section)
{
    ChainSettings chain;
    chain.name = section.name;
    if (!is_name(section.name))
        return ini::refused(section.line, "a name of 1 to 32 letters, digits and - is wanted");
    const auto is_given = [&](const char* name) {
        return std::ranges::any_of(section.entries,
                                   [&](const ini::Entry& entry) { return entry.name == name; });
    };
    for (const auto* name : {"url", "chain-id", "contract", "account"}) {
        if (!is_given(name))
            return ini::refused(section.line, "url, chain-id, contract and account are wanted");
    }
    for (const auto& entry : section.entries) {
        if (const auto* why = set(chain, entry.name, entry.value))
            return ini::refused(entry.line, why);
    }
    if (!chain.node.token_file.empty() &&
        !https::is_confidential(*https::parse_node_url(chain.node.url)))
        return ini::refused(section.line, "a token goes over https only: url, or token-file");
    return chain;
}

}  // namespace tallycard::service
