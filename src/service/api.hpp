// SPDX-License-Identifier: Apache-2.0
// The requests of the service and what they do.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/platform.hpp>

#include "../https/error_json.hpp"
#include "../https/messages.hpp"
#include "chain_feed.hpp"
#include "checkpoints.hpp"
#include "clients.hpp"
#include "gap_closer.hpp"
#include "http.hpp"
#include "metrics.hpp"
#include "order_queue.hpp"
#include "settings.hpp"
#include "usage.hpp"
#include "witnesses.hpp"

namespace tallycard::service {

// What the requests work with. Everything in it is thread-safe.
struct Works {
    Platform& platform;
    OrderQueue& orders;
    Checkpoints& checkpoints;
    const CheckpointKey* key;  // null: there are no notes
    Witnesses* witnesses;      // null: checkpoints are shown as they are
    GapCloser& gaps;
    Usage& usage;
    Metrics& metrics;
    const ServiceSettings& settings;
    const std::vector<std::unique_ptr<ChainFeed>>& chains;
    std::size_t connections = 0;  // now
};

// The newest checkpoint that may be shown: with witnesses, one that enough of them cosigned.
inline Result<std::string> published(Works& works)
{
    return works.witnesses != nullptr ? works.witnesses->newest() : works.checkpoints.newest();
}

// One request that may be answered.
struct Call {
    std::optional<Client> client;       // absent where anybody may ask
    std::vector<std::string> captured;  // what stood for the braces of the pattern
    std::multimap<std::string, std::string> parameters;
    std::string body;
};

using Handler = Answer (*)(Works& works, const Call& call);

struct Route {
    const char* method;
    // "/v1/cards/{card_id}/void"; "{...}" stands for all the rest, of which there is some
    const char* pattern;
    unsigned roles;  // one of them is needed; role::anybody: none
    Handler handler;
};

// All there are.
std::span<const Route> routes();

// The route of a path, and what it captured; null: there is none. `other_method`: there is one, for
// another method.
struct Match {
    const Route* route = nullptr;
    bool other_method = false;
    std::vector<std::string> captured;
};
Match find_route(std::string_view method, std::string_view path);

namespace api {

Answer refusal(const Error& error, std::string message = {});
Answer malformed(const https::Problem& problem);
inline Answer json(const https::Json& json)
{
    return {.body = json.dump(), .retry_after = {}};
}
inline Answer done()
{
    return json(https::Json::object());
}

// True where the client has one of these roles.
inline bool has(const Call& call, unsigned roles)
{
    return (call.client->roles & roles) != 0;
}
inline Error not_permitted(const char* where)
{
    return {.code = Errc::not_permitted, .where = where};
}
// Refuses an account, or a terminal, that is none of the client's.
inline Result<void> check_own(const Call& call, const AccountId& account, const char* where)
{
    const auto& accounts = call.client->accounts;
    const bool own = std::ranges::find(accounts, account) != accounts.end();
    return own ? Result<void>() : not_permitted(where);
}

// A value as JSON, or the error.
template <class T>
Answer answer(const Result<T>& result)
{
    if (!result) return refusal(result.error());
    return json(https::to_json(*result));
}
inline Answer answer(const Result<void>& result)
{
    return result ? done() : refusal(result.error());
}

// Hands what a capture or a body is to `then`, or says what is wrong with it.
template <class T, class Then>
Answer with(const char* name, std::string_view text, Then&& then)
{
    const auto value = T::parse(text);
    if (value) return then(*value);
    https::Problem problem;
    problem.refuse(name, "not of the form that is wanted");
    return malformed(problem);
}
template <class Read, class Then>
Answer with_body(const std::string& body, Read&& read, Then&& then)
{
    https::Problem problem;
    const auto json = https::parse_object(body, problem);
    if (!json) return malformed(problem);
    const auto value = read(*json, problem);
    if (!value || problem.found()) return malformed(problem);
    return then(*value);
}

// The body of a request that says everything in its path: an empty object.
template <class Then>
Answer with_empty_body(const std::string& body, Then&& then)
{
    const auto read = [](const https::Json& json, https::Problem& problem) -> std::optional<bool> {
        if (!https::Fields(json, problem).finish()) return std::nullopt;
        return true;
    };
    return with_body(body, read, [&](bool) { return then(); });
}

// The parameters behind the question mark: each is a whole number or a word, none is unknown.
class Parameters {
public:
    explicit Parameters(const Call& call) : call_(&call) {}
    std::optional<std::string> word(const char* name);
    std::optional<std::uint64_t> number(const char* name, std::uint64_t most);
    // How many rows a page may have: at least one.
    std::uint64_t limit(std::uint64_t most, std::uint64_t usual)
    {
        return std::max<std::uint64_t>(number("limit", most).value_or(usual), 1);
    }
    void refuse(const char* name, const char* why) { problem_.refuse(name, why); }
    bool finish();
    const https::Problem& problem() const { return problem_; }

private:
    const Call* call_;
    https::Problem problem_;
    std::vector<std::string> taken_;
};

// Rows as {"cards": [...], "next": "..."}; `next` where there may be more.
template <class Row, class NameOf>
Answer page(const char* name, const Result<std::vector<Row>>& rows, std::uint64_t limit,
            NameOf&& name_of)
{
    if (!rows) return refusal(rows.error());
    auto list = https::Json::array();
    for (const auto& row : *rows) list.push_back(https::to_json(row));
    https::Json page;
    page[name] = std::move(list);
    if (rows->size() == limit) page["next"] = name_of(rows->back());
    return json(page);
}

Answer issuer(Works& works, const Call& call);
Answer standing(Works& works, const Call& call);
Answer authorise(Works& works, const Call& call);
Answer authorise_transfer(Works& works, const Call& call);
Answer status(Works& works, const Call& call);
Answer void_pending(Works& works, const Call& call);
Answer settle(Works& works, const Call& call);

Answer register_card(Works& works, const Call& call);
Answer confirm_card(Works& works, const Call& call);
Answer card_of_transport_key(Works& works, const Call& call);
Answer card(Works& works, const Call& call);
Answer cards(Works& works, const Call& call);
Answer deny(Works& works, const Call& call);
Answer undeny(Works& works, const Call& call);
Answer lost(Works& works, const Call& call);
Answer recoverable(Works& works, const Call& call);
Answer evidence(Works& works, const Call& call);
Answer deny_list(Works& works, const Call& call);

Answer accounts(Works& works, const Call& call);
Answer account_standing(Works& works, const Call& call);
Answer orders(Works& works, const Call& call);
Answer statement(Works& works, const Call& call);
Answer balance(Works& works, const Call& call);

Answer kept(Works& works, const Call& call);
Answer gaps(Works& works, const Call& call);
Answer close_gaps(Works& works, const Call& call);

Answer checkpoint(Works& works, const Call& call);
Answer entries(Works& works, const Call& call);
Answer inclusion(Works& works, const Call& call);
Answer consistency(Works& works, const Call& call);
Answer tlog_checkpoint(Works& works, const Call& call);
Answer tlog_tile(Works& works, const Call& call);
Answer tlog_entries(Works& works, const Call& call);

Answer health(Works& works, const Call& call);
Answer metrics(Works& works, const Call& call);
Answer openapi(Works& works, const Call& call);

}  // namespace api
}  // namespace tallycard::service
