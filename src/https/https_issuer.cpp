// SPDX-License-Identifier: Apache-2.0
#include <tallycard/https_issuer.hpp>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <mutex>
#include <thread>

#include "connection.hpp"
#include "error_json.hpp"
#include "messages.hpp"

namespace tallycard {

HttpsIssuer::~HttpsIssuer() = default;

namespace https {
namespace {

using Clock = std::chrono::steady_clock;

Error no_answer()
{
    return {.code = Errc::issuer_unreachable,
            .effect = Effect::unknown,
            .where = "answer of the service"};
}

// What `read` makes of an answer; an answer that makes no sense is none.
template <class Read>
auto answer_of(const Result<Reply>& reply, Read&& read)
    -> Result<typename std::invoke_result_t<Read, const Json&, Problem&>::value_type>
{
    if (!reply) return reply.error();
    Problem problem;
    const auto json = parse_object(reply->body, problem);
    if (!json) return no_answer();
    auto value = read(*json, problem);
    if (!value || problem.found()) return no_answer();
    return std::move(*value);
}

// In a query: the characters that RFC 3986 does not reserve stand for themselves.
std::string percent_encoded(std::string_view text)
{
    constexpr auto digits = "0123456789ABCDEF";
    std::string encoded;
    for (const auto c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

std::string as_seen_by(const std::optional<AccountId>& terminal)
{
    return terminal ? "?terminal=" + percent_encoded(terminal->text()) : std::string();
}

// The rows of one page, and where the next one begins: empty after the last.
template <class Row>
struct Page {
    std::vector<Row> rows;
    std::string next;
};

template <class Row, class ReadRow>
std::optional<Page<Row>> read_page(const Json& json, Problem& problem, const char* name,
                                   ReadRow&& read_row)
{
    Fields fields(json, problem);
    Page<Row> page;
    const auto* rows = fields.value(name);
    if (rows == nullptr || !rows->is_array()) return std::nullopt;
    for (const auto& item : *rows)
        if (auto row = read_row(item, problem)) page.rows.push_back(std::move(*row));
    if (fields.has("next")) page.next = fields.text("next");
    if (!fields.finish()) return std::nullopt;
    return page;
}

class Client final : public HttpsIssuer {
public:
    Client(Connection connection, std::chrono::milliseconds patience)
        : connection_(std::move(connection)), patience_(patience)
    {
    }

    Result<CardStanding> standing(const CardId& card_id,
                                  const std::optional<AccountId>& terminal) override
    {
        return answer_of(
            get("/v1/cards/" + card_id.to_string() + "/standing" + as_seen_by(terminal)),
            read_standing);
    }
    Result<OperationStatus> authorise(const OperationRequest& request) override
    {
        return answer_of(post("/v1/operations", to_json(request)), read_status);
    }
    Result<OperationStatus> authorise_transfer(const TransferRequest& request) override
    {
        if (!request.second.operation.valid())
            return Error{.code = Errc::malformed, .where = "authorise"};
        return answer_of(post("/v1/transfers", to_json(request)), read_status);
    }
    Result<OperationStatus> status(const OperationId& id,
                                   const std::optional<AccountId>& terminal) override
    {
        return answer_of(get("/v1/operations/" + id.to_string() + as_seen_by(terminal)),
                         read_status);
    }
    Result<FirstInstruction> void_pending(const CardId& card_id) override
    {
        return answer_of(
            post("/v1/cards/" + card_id.to_string() + "/void", Json::object()),
            [](const Json& json, Problem& problem) { return read_first(json, problem, {}); });
    }
    Result<Settlement> settle(const Submission& submission) override
    {
        const auto& executed = submission.executed;
        if (!submission.receipt.result.valid() || (executed && !executed->valid()))
            return Error{.code = Errc::malformed, .where = "settle"};
        return answer_of(post("/v1/settlements", to_json(submission)), read_settlement);
    }
    Result<AccountStanding> account_standing(const AccountId& account) override
    {
        return answer_of(get("/v1/accounts/" + percent_encoded(account.text())),
                         read_account_standing);
    }
    Result<ExecutedOrder> execute(const SignedOrder& order) override
    {
        if (!order.order.valid()) return Error{.code = Errc::malformed, .where = "account order"};
        return answer_of(post("/v1/orders", to_json(order)), read_executed_order);
    }

    Result<IssuerDescription> description() override
    {
        return answer_of(get("/v1/issuer"), read_issuer);
    }
    Result<void> register_card(const NewCard& card) override
    {
        return done(post("/v1/cards", to_json(card)));
    }
    Result<void> confirm_card(const CardId& card_id) override { return change(card_id, "confirm"); }
    Result<std::optional<RegisteredCard>> card_of_transport_key(const Digest& digest) override
    {
        auto card = answer_of(get("/v1/transport-keys/" + digest.to_string()), read_registered);
        if (!card && card.error().code == Errc::unknown_card)
            return std::optional<RegisteredCard>();
        if (!card) return card.error();
        return std::optional(*card);
    }

    Result<void> deny(const CardId& card_id) override { return change(card_id, "deny"); }
    Result<void> undeny(const CardId& card_id) override { return change(card_id, "undeny"); }
    Result<void> declare_lost(const CardId& card_id) override { return change(card_id, "lost"); }
    Result<std::size_t> close_gaps() override
    {
        return answer_of(post("/v1/gaps", Json::object()),
                         [](const Json& json, Problem& problem) -> std::optional<std::size_t> {
                             Fields fields(json, problem);
                             const auto made = fields.number("made", ~std::uint64_t{0});
                             if (!fields.finish()) return std::nullopt;
                             return made;
                         });
    }

    Result<std::vector<CardRow>> cards() override
    {
        return all_pages<CardRow>("/v1/cards", "cards", read_card);
    }
    Result<std::vector<AccountRow>> accounts() override
    {
        return all_pages<AccountRow>("/v1/accounts", "accounts", read_account);
    }
    Result<Recoverable> recoverable(const CardId& card_id) override
    {
        return answer_of(get("/v1/cards/" + card_id.to_string() + "/recoverable"),
                         read_recoverable);
    }
    Result<std::vector<KeptRow>> kept() override
    {
        auto cards = all_pages<KeptResults>("/v1/kept", "cards", read_kept);
        if (!cards) return cards.error();
        std::vector<KeptRow> rows;
        for (auto& card : *cards) std::ranges::move(card.rows, std::back_inserter(rows));
        return rows;
    }
    Result<std::vector<GapRow>> gaps(const CardId& card_id) override
    {
        return all_pages<GapRow>("/v1/cards/" + card_id.to_string() + "/gaps", "gaps", read_gap);
    }
    // A part that does not go on where the one before ended is no answer.
    Result<DenyListUpdate> deny_list(std::uint64_t from) override
    {
        DenyListUpdate update;
        for (std::optional next = from; next;) {
            const auto at = *next;
            auto part = answer_of(get("/v1/deny-list?from=" + std::to_string(at)), read_deny_list);
            if (!part) return part.error();
            const auto& lines = part->update.lines;
            if (part->next && (lines.empty() || *part->next != at + lines.size()))
                return no_answer();
            std::ranges::copy(lines, std::back_inserter(update.lines));
            update.note = std::move(part->update.note);
            next = part->next;
        }
        return update;
    }
    Result<StatementPage> statement(const StatementQuery& query) override
    {
        std::string path = "/v1/statement?from=" + std::to_string(query.from) +
                           "&limit=" + std::to_string(std::clamp<std::size_t>(query.limit, 1, 256));
        const auto add = [&](const char* name, const std::string& value) {
            path += std::string("&") + name + '=' + percent_encoded(value);
        };
        const auto milliseconds = [](Time time) {
            return std::to_string(time.time_since_epoch().count());
        };
        if (query.account) add("account", text_of(*query.account));
        if (query.terminal) add("terminal", std::string(query.terminal->text()));
        if (query.since) add("since", milliseconds(*query.since));
        if (query.until) add("until", milliseconds(*query.until));
        if (!query.kind.empty()) add("kind", query.kind);
        if (query.least) add("least", std::to_string(query.least->magnitude()));
        if (query.most) add("most", std::to_string(query.most->magnitude()));
        return answer_of(get(path), read_statement);
    }
    Result<std::int64_t> balance_at(const AccountName& account, Time time) override
    {
        const auto path = "/v1/balance?account=" + percent_encoded(text_of(account)) +
                          "&time=" + std::to_string(time.time_since_epoch().count());
        return answer_of(get(path), [](const Json& json, Problem& problem) {
            Fields fields(json, problem);
            const auto balance = fields.amount("balance");
            return fields.finish() ? std::optional(balance) : std::nullopt;
        });
    }
    Result<std::string> checkpoint() override
    {
        auto reply = get("/tlog/checkpoint");
        if (!reply) return reply.error();
        return std::move(reply->body);
    }

private:
    Result<Reply> get(const std::string& path)
    {
        return patiently([&] { return connection_.get(path); });
    }
    Result<Reply> post(const std::string& path, const Json& body)
    {
        const auto text = body.dump();
        return patiently([&] { return connection_.post(path, text); });
    }

    // One request at a time. A service that is busy is asked again when it said, while there is
    // time; what it refuses otherwise is an Error.
    template <class Send>
    Result<Reply> patiently(const Send& send)
    {
        const std::lock_guard lock(mutex_);
        const auto end = Clock::now() + patience_;
        for (;;) {
            auto reply = send();
            if (!reply || reply->status == 200) return reply;
            const auto error = read_error(reply->body);
            if (!error) return no_answer();
            const auto pause = std::chrono::seconds(std::max(reply->retry_after, 1U));
            if (reply->status != 503 || Clock::now() + pause > end) return *error;
            std::this_thread::sleep_for(pause);
        }
    }

    static Result<void> done(const Result<Reply>& reply)
    {
        if (!reply) return reply.error();
        return {};
    }
    Result<void> change(const CardId& card_id, const char* what)
    {
        return done(post("/v1/cards/" + card_id.to_string() + "/" + what, Json::object()));
    }

    template <class Row, class ReadRow>
    Result<std::vector<Row>> all_pages(const std::string& path, const char* name, ReadRow read_row)
    {
        std::vector<Row> rows;
        std::string from;
        do {
            const auto page = answer_of(get(path + from), [&](const Json& json, Problem& problem) {
                return read_page<Row>(json, problem, name, read_row);
            });
            if (!page) return page.error();
            rows.insert(rows.end(), page->rows.begin(), page->rows.end());
            from = page->next.empty() ? "" : "?after=" + percent_encoded(page->next);
        } while (!from.empty());
        return rows;
    }

    std::mutex mutex_;
    Connection connection_;
    std::chrono::milliseconds patience_;
};

}  // namespace
}  // namespace https

Result<std::unique_ptr<HttpsIssuer>> open_https_issuer(const HttpsIssuerSettings& settings)
{
    auto connection = https::Connection::open(settings);
    if (!connection) return connection.error();
    return std::unique_ptr<HttpsIssuer>(
        std::make_unique<https::Client>(std::move(*connection), settings.answer_within));
}

}  // namespace tallycard
