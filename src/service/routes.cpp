// SPDX-License-Identifier: Apache-2.0
#include "api.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tallycard::service {
namespace {

constexpr unsigned lookers = role::issuer | role::auditor;
constexpr unsigned of_cards = role::terminal | lookers;
constexpr unsigned any_role = role::merchant | of_cards;

constexpr std::array<Route, 36> table = {{
    {"GET", "/v1/health", role::anybody, api::health},
    {"GET", "/v1/openapi.json", role::anybody, api::openapi},
    {"GET", "/v1/issuer", any_role, api::issuer},
    {"GET", "/v1/cards/{card_id}/standing", of_cards, api::standing},
    {"POST", "/v1/operations", role::terminal | role::issuer, api::authorise},
    {"POST", "/v1/transfers", role::terminal, api::authorise_transfer},
    {"GET", "/v1/operations/{id}", of_cards, api::status},
    {"POST", "/v1/cards/{card_id}/void", role::terminal | role::issuer, api::void_pending},
    {"POST", "/v1/settlements", role::terminal | role::issuer, api::settle},
    {"POST", "/v1/cards", role::issuer, api::register_card},
    {"GET", "/v1/cards", lookers, api::cards},
    {"GET", "/v1/cards/{card_id}", lookers, api::card},
    {"POST", "/v1/cards/{card_id}/confirm", role::issuer, api::confirm_card},
    {"POST", "/v1/cards/{card_id}/deny", role::issuer, api::deny},
    {"POST", "/v1/cards/{card_id}/undeny", role::issuer, api::undeny},
    {"POST", "/v1/cards/{card_id}/lost", role::issuer, api::lost},
    {"GET", "/v1/cards/{card_id}/recoverable", lookers, api::recoverable},
    {"GET", "/v1/cards/{card_id}/gaps", lookers, api::gaps},
    {"GET", "/v1/transport-keys/{digest}", role::issuer, api::card_of_transport_key},
    {"GET", "/v1/accounts", lookers, api::accounts},
    {"GET", "/v1/accounts/{...}", role::merchant | lookers, api::account_standing},
    {"POST", "/v1/orders", role::merchant | role::issuer, api::orders},
    {"GET", "/v1/statement", role::merchant | lookers, api::statement},
    {"GET", "/v1/balance", role::merchant | lookers, api::balance},
    {"GET", "/v1/kept", lookers, api::kept},
    {"POST", "/v1/gaps", role::issuer, api::close_gaps},
    {"GET", "/v1/deny-list", any_role, api::deny_list},
    {"GET", "/v1/evidence", lookers, api::evidence},
    {"GET", "/v1/ledger/checkpoint", lookers, api::checkpoint},
    {"GET", "/v1/ledger/entries", lookers, api::entries},
    {"GET", "/v1/ledger/proofs/inclusion", lookers, api::inclusion},
    {"GET", "/v1/ledger/proofs/consistency", lookers, api::consistency},
    {"GET", "/tlog/checkpoint", lookers, api::tlog_checkpoint},
    {"GET", "/tlog/tile/entries/{...}", lookers, api::tlog_entries},
    {"GET", "/tlog/tile/{...}", lookers, api::tlog_tile},
    {"GET", "/metrics", lookers, api::metrics},
}};

std::string_view next_segment(std::string_view& path)
{
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return segment;
}

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path)
{
    std::vector<std::string> captured;
    if (path.ends_with('/') && !pattern.ends_with("{...}")) return std::nullopt;
    while (!pattern.empty()) {
        const auto wanted = next_segment(pattern);
        if (wanted == "{...}") {
            if (path.empty()) return std::nullopt;
            captured.emplace_back(path);
            return captured;
        }
        if (path.empty() && !wanted.empty()) return std::nullopt;
        const auto segment = next_segment(path);
        if (wanted.starts_with('{')) {
            captured.emplace_back(segment);
        } else if (wanted != segment) {
            return std::nullopt;
        }
    }
    if (!path.empty()) return std::nullopt;
    return captured;
}

}  // namespace

std::span<const Route> routes()
{
    return table;
}

Match find_route(std::string_view method, std::string_view path)
{
    Match found;
    for (const auto& route : table) {
        auto captured = match(route.pattern, path);
        if (!captured) continue;
        if (method == route.method)
            return {.route = &route, .other_method = false, .captured = std::move(*captured)};
        found.other_method = true;
    }
    return found;
}

namespace api {

Answer refusal(const Error& error, std::string message)
{
    Answer answer;
    answer.status = https::status_of(error);
    answer.body = https::to_json(error, std::move(message)).dump();
    if (answer.status == 503) answer.retry_after = 1;
    return answer;
}

Answer malformed(const https::Problem& problem)
{
    return refusal({.code = Errc::malformed, .where = "request"}, problem.text());
}

std::optional<std::string> Parameters::word(const char* name)
{
    const auto [first, last] = call_->parameters.equal_range(name);
    if (first == last) return std::nullopt;
    if (std::next(first) != last) problem_.refuse(name, "given twice");
    taken_.emplace_back(name);
    return first->second;
}

std::optional<std::uint64_t> Parameters::number(const char* name, std::uint64_t most)
{
    const auto text = word(name);
    if (!text) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (code != std::errc{} || end != text->data() + text->size() || number > most)
        problem_.refuse(name, "a whole number that is not too large is wanted");
    return number;
}

bool Parameters::finish()
{
    for (const auto& [name, value] : call_->parameters) {
        if (std::ranges::find(taken_, name) == taken_.end())
            problem_.refuse(name, "no such parameter");
    }
    return !problem_.found();
}

}  // namespace api
}  // namespace tallycard::service
