// SPDX-License-Identifier: Apache-2.0
#include "rpc.hpp"

#include <utility>

#include "../https/connection.hpp"
#include "abi.hpp"

namespace tallycard::evm {
namespace {

class HttpTransport final : public Transport {
public:
    HttpTransport(https::Connection connection, std::string path)
        : connection_(std::move(connection)), path_(std::move(path))
    {
    }

    Result<std::string> post(const std::string& body) override
    {
        auto reply = connection_.post(path_, body);
        if (!reply) {
            auto error = reply.error();
            error.code = Errc::chain_unreachable;
            error.where =
                error.effect == Effect::none ? "connection to the node" : "answer of the node";
            return error;
        }
        // Some nodes report what they refuse with a status of its own: the body says what it is.
        if (reply->status == 200 || reply->body.starts_with('{')) return std::move(reply->body);
        return Error{.code = Errc::chain_unreachable,
                     .effect = Effect::unknown,
                     .detail = static_cast<std::uint32_t>(reply->status),
                     .where = "answer of the node"};
    }
    void interrupt() override { connection_.cancel(); }

private:
    https::Connection connection_;
    std::string path_;
};

Error nonsense()
{
    return {.code = Errc::chain_failed, .effect = Effect::unknown, .where = "answer of the node"};
}

// What the node said, as one line that may be shown.
std::string shown(std::string_view text)
{
    constexpr std::size_t longest = 200;
    std::string line(text.substr(0, longest));
    for (char& c : line)
        if (c < ' ' || c > '~') c = '?';
    return line;
}

// The contract's own word for it, where the node passes it on.
std::string reason_in(const Json& error)
{
    const auto data = error.find("data");
    if (data == error.end() || !data->is_string()) return {};
    const auto bytes = parse_data(data->get_ref<const std::string&>());
    if (!bytes) return {};
    const auto name = abi::name_of_error(*bytes);
    return name.empty() ? std::string() : " (" + std::string(name) + ")";
}

Error refusal_in(const Json& error, std::string& said)
{
    if (!error.is_object()) return nonsense();
    const auto code = error.find("code"), message = error.find("message");
    if (code == error.end() || !code->is_number_integer()) return nonsense();
    if (message == error.end() || !message->is_string()) return nonsense();
    said = shown(message->get_ref<const std::string&>()) + reason_in(error);
    return {.code = Errc::chain_refused, .where = "node"};
}

}  // namespace

Result<std::unique_ptr<Transport>> open_transport(const NodeSettings& settings)
{
    const auto endpoint = https::parse_node_url(settings.url);
    if (!endpoint) return Error{.code = Errc::malformed, .where = "URL (http[s]://HOST[:PORT])"};
    if (!settings.token_file.empty() && !https::is_confidential(*endpoint))
        return Error{.code = Errc::malformed, .where = "URL (a token goes over https only)"};
    HttpsIssuerSettings as_client;
    as_client.ca_file = settings.ca_file;
    as_client.token_file = settings.token_file;
    as_client.connect_within = settings.connect_within;
    as_client.answer_within = settings.answer_within;
    auto connection = https::Connection::open(*endpoint, as_client);
    if (!connection) return connection.error();
    return std::unique_ptr<Transport>(
        std::make_unique<HttpTransport>(std::move(*connection), endpoint->path));
}

Result<Json> parse_answer(std::string_view body, std::uint64_t id, std::string& said)
{
    https::Problem problem;
    const auto answer = https::parse_object(body, problem);
    if (!answer) return nonsense();
    const auto version = answer->find("jsonrpc"), number = answer->find("id");
    if (version == answer->end() || *version != "2.0") return nonsense();
    if (number == answer->end() || !number->is_number_unsigned() || *number != id)
        return nonsense();
    const auto result = answer->find("result"), error = answer->find("error");
    const bool has_error = error != answer->end() && !error->is_null();
    const bool has_result = result != answer->end() && !result->is_null();
    if (has_error) return has_result ? nonsense() : refusal_in(*error, said);
    if (result == answer->end()) return nonsense();
    return *result;
}

Result<Json> Rpc::call(const char* method, Json parameters)
{
    const Json request{{"jsonrpc", "2.0"},
                       {"id", ++last_id_},
                       {"method", method},
                       {"params", std::move(parameters)}};
    const auto answer = transport_->post(request.dump());
    if (!answer) return answer.error();
    said_.clear();
    return parse_answer(*answer, last_id_, said_);
}

}  // namespace tallycard::evm
