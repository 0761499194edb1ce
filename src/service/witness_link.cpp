// SPDX-License-Identifier: Apache-2.0
#include "witness_link.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "../issuer/add_checkpoint.hpp"
#include "../issuer/signed_note.hpp"

namespace tallycard::service {
namespace {

constexpr std::chrono::milliseconds connect_within{3000}, answer_within{5000};
constexpr unsigned most_doublings = 6;  // 64 seconds

struct Place {
    std::string url, path;
};

// "https://HOST[:PORT][/PREFIX]": the prefix goes before the call.
Place place_of(const std::string& url)
{
    constexpr std::string_view scheme = "https://";
    const auto slash = url.find('/', std::min(scheme.size(), url.size()));
    std::string prefix = slash == std::string::npos ? "" : url.substr(slash);
    while (prefix.ends_with('/')) prefix.pop_back();
    return {.url = url.substr(0, slash), .path = prefix + "/add-checkpoint"};
}

bool is_path(std::string_view path)
{
    return std::ranges::all_of(
        path, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '"'; });
}

std::string reason_of(int status)
{
    switch (status) {
    case 400: return "it takes our request for malformed (400)";
    case 403: return "it has another key for this log (403): give it what 'ledger key' prints";
    case 404: return "it does not know this log (404): have it added there";
    case 409: return "it has seen another tree of this size (409): a fork";
    case 422: return "the ledger does not continue what it has seen (422): a fork";
    default: return "it answered with HTTP status " + std::to_string(status);
    }
}

}  // namespace

Result<WitnessLink> WitnessLink::open(const WitnessPolicy::Witness& witness,
                                      const std::string& authority)
{
    auto [url, path] = place_of(witness.url);
    const Error no_url{.code = Errc::malformed,
                       .where = "URL of a witness (https://HOST[:PORT]/...)"};
    if (!is_path(path)) return no_url;
    auto connection = https::Connection::open({.url = url,
                                               .ca_file = authority,
                                               .token_file = {},
                                               .certificate_file = {},
                                               .key_file = {},
                                               .connect_within = connect_within,
                                               .answer_within = answer_within});
    if (!connection)
        return connection.error().code == Errc::malformed ? no_url : connection.error();
    return WitnessLink(witness, std::move(*connection), std::move(path));
}

std::string WitnessLink::ask(Platform& platform, const std::string& note, const merkle::Head& head)
{
    constexpr int most_tries = 3;  // it may have been told of more by another service meanwhile
    for (int i = 0; i < most_tries; ++i) {
        auto line = ask_once(platform, note, head);
        if (!line) continue;
        if (!line->empty()) {
            known_ = head.size;
            failures_ = 0;
            fault_.clear();
        }
        return std::move(*line);
    }
    return fail("it knows another size each time");
}

std::string WitnessLink::fail(std::string why)
{
    const auto seconds = std::chrono::seconds(1U << std::min(failures_++, most_doublings));
    not_before_ = Clock::now() + seconds;
    fault_ = std::move(why);
    return {};
}

std::optional<std::string> WitnessLink::ask_once(Platform& platform, const std::string& note,
                                                 const merkle::Head& head)
{
    AddCheckpoint request{.old_size = known_, .proof = {}, .note = note};
    if (known_ > 0) {
        auto proof = platform.prove_consistency(known_, head.size);
        if (!proof) return fail(proof.error().message());
        request.proof = std::move(*proof);
    }
    const auto reply = connection_.post(path_, request.to_text(), "text/plain");
    if (!reply) return fail(std::string("it cannot be reached: ") + reply.error().where);
    if (reply->status == 409) return conflict(reply->body, head, request.old_size);
    if (reply->status != 200) return fail(reason_of(reply->status));
    const auto text = SignedNote::parse(note);
    const auto lines = parse_signatures(reply->body);
    if (!text || !lines) return fail("its answer is no signature");
    for (const auto& line : *lines)
        if (open_cosignature(line, witness_.key, text->text).valid) return std::string(line.line);
    return fail("its signature is not by the key of the policy");
}

// It says what it knows.
std::optional<std::string> WitnessLink::conflict(const std::string& body, const merkle::Head& head,
                                                 std::uint64_t asked_from)
{
    std::uint64_t size = 0;
    const auto* last = body.data() + body.size();
    const auto [end, code] = std::from_chars(body.data(), last, size);
    if (code != std::errc{} || (end != last && *end != '\n'))
        return fail("it answered 409 and no size");
    if (size == asked_from) return fail(reason_of(409));
    // Another service before the same store was faster: the next checkpoint is for us.
    if (size > head.size) return std::string();
    known_ = size;
    return std::nullopt;
}

}  // namespace tallycard::service
