// SPDX-License-Identifier: Apache-2.0
// The requests of the service and what they do.
#pragma once

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
    Witnesses* witnesses;  // null: checkpoints are shown as they are
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
    const char* pattern;  // "/v1/cards/{card_id}/void"; "{...}" stands for all the rest
    unsigned roles;       // one of them is needed; role::anybody: none
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

// The parameters behind the question mark: each is a whole number or a word, none is unknown.
class Parameters {
public:
    explicit Parameters(const Call& call) : call_(&call) {}
    std::optional<std::string> word(const char* name);
    std::optional<std::uint64_t> number(const char* name, std::uint64_t most);
    void refuse(const char* name, const char* why) { problem_.refuse(name, why); }
    bool finish();
    const https::Problem& problem() const { return problem_; }

private:
    const Call* call_;
    https::Problem problem_;
    std::vector<std::string> taken_;
};

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
Answer accounts(Works& works, const Call& call);
Answer open_account(Works& works, const Call& call);
Answer evidence(Works& works, const Call& call);

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
