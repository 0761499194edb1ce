// SPDX-License-Identifier: Apache-2.0
#include "service.hpp"

#include <chrono>
#include <mutex>
#include <utility>

#include "../issuer/files.hpp"
#include "api.hpp"
#include "chain_feed.hpp"
#include "gap_closer.hpp"

namespace tallycard::service {
namespace {

constexpr std::size_t longest_clients_file = std::size_t{64} << 20;

using Clock = std::chrono::steady_clock;

Result<std::shared_ptr<const Clients>> read_clients(const std::string& path)
{
    const auto text = files::read(path, longest_clients_file);
    if (!text) {
        auto error = text.error();
        error.where = "file of the clients";
        return error;
    }
    auto clients = Clients::parse(*text);
    if (!clients) return clients.error();
    return std::make_shared<const Clients>(std::move(*clients));
}

class Implementation final : public Service, private Application {
public:
    Implementation(Platform& platform, const CheckpointKey* key, const ServiceSettings& settings,
                   EventLog& log)
        : platform_(platform),
          settings_(settings),
          log_(log),
          key_(key),
          orders_(platform, settings.settle_queue),
          checkpoints_(platform, key, std::chrono::seconds(settings.checkpoint_seconds))
    {
    }

    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;
    // All of them before one is waited for.
    ~Implementation() override
    {
        for (const auto& chain : chains_) chain->stop();
    }

    Result<void> start()
    {
        auto clients = read_clients(settings_.clients_file);
        if (!clients) return clients.error();
        clients_ = std::move(*clients);
        auto context = tls::open(settings_.tls);
        if (!context) return context.error();
        auto usage = Usage::open(settings_.usage_file);
        if (!usage) return usage.error();
        usage_ = std::move(*usage);
        auto server = HttpsServer::bind(settings_.server, std::move(*context), *this);
        if (!server) return server.error();
        server_ = std::move(*server);
        gaps_ = std::make_unique<GapCloser>(platform_, settings_.gaps_every, log_);
        if (const auto started = start_witnesses(); !started) return started;
        return start_chains();  // last: from here on something may get out
    }

    std::uint16_t port() const override { return server_->port(); }
    void run() override { server_->run(); }
    void stop() override { server_->stop(); }
    Result<void> reload() override
    {
        auto clients = read_clients(settings_.clients_file);
        if (!clients) return clients.error();
        auto context = tls::open(settings_.tls);
        if (!context) return context.error();
        server_->replace(std::move(*context));
        const std::lock_guard lock(mutex_);
        clients_ = std::move(*clients);
        return {};
    }

private:
    Result<void> start_chains()
    {
        for (const auto& chain : settings_.chains) {
            auto feed = ChainFeed::open(platform_, chain, log_);
            if (!feed) return feed.error();
            chains_.push_back(std::move(*feed));
        }
        return {};
    }
    Result<void> start_witnesses()
    {
        if (settings_.witnesses.policy_file.empty()) return {};
        if (key_ == nullptr) return Error{.code = Errc::file_missing, .where = "checkpoint key"};
        auto witnesses = Witnesses::open(platform_, checkpoints_, settings_.witnesses, log_);
        if (!witnesses) return witnesses.error();
        witnesses_ = std::move(*witnesses);
        return {};
    }

    // Who asks, or why nobody is believed.
    Result<Client> client_of(const Head& head)
    {
        const auto clients = current();
        constexpr std::string_view scheme = "Bearer ";
        const Client* found = nullptr;
        const char* where = "token";
        if (!head.authorization.empty()) {
            if (head.authorization.starts_with(scheme)) {
                found =
                    clients->with_token(std::string_view(head.authorization).substr(scheme.size()));
            }
        } else if (head.peer->certificate) {
            where = head.peer->certificate_fault != nullptr ? head.peer->certificate_fault
                                                            : "client certificate";
            if (head.peer->certificate_fault == nullptr)
                found = clients->with_certificate(*head.peer->certificate);
        }
        if (found == nullptr) return Error{.code = Errc::client_unknown, .where = where};
        return *found;
    }

    std::variant<Answer, Work> admit(const Head& head) override
    {
        const auto begin = Clock::now();
        auto match = find_route(head.method, head.path);
        if (match.route == nullptr) {
            auto answer = api::refusal(
                {.code = Errc::malformed, .where = "request"},
                match.other_method ? "this path has another method" : "there is no such path");
            answer.status = match.other_method ? 405 : 404;
            return report("none", head, nullptr, begin, std::move(answer));
        }
        const auto& route = *match.route;
        Call call{.client = {},
                  .captured = std::move(match.captured),
                  .parameters = head.parameters,
                  .body = {}};
        if (!is_open(route)) {
            auto client = client_of(head);
            if (!client)
                return report(route.pattern, head, nullptr, begin, api::refusal(client.error()));
            if ((client->roles & route.roles) == 0) {
                const Error error{.code = Errc::not_permitted, .where = "role"};
                return report(route.pattern, head, &*client, begin, api::refusal(error));
            }
            call.client = std::move(*client);
        }
        return Work([this, &route, begin, head = head,
                     call = std::move(call)](const std::string& body) mutable {
            call.body = body;
            auto works = this->works();
            auto answer = route.handler(works, call);
            return report(route.pattern, head, call.client ? &*call.client : nullptr, begin,
                          std::move(answer));
        });
    }

    Works works()
    {
        return {.platform = platform_,
                .orders = orders_,
                .checkpoints = checkpoints_,
                .key = key_,
                .witnesses = witnesses_.get(),
                .gaps = *gaps_,
                .usage = *usage_,
                .metrics = metrics_,
                .settings = settings_,
                .chains = chains_,
                .connections = server_->connections()};
    }

    Answer overloaded() override
    {
        auto answer = api::refusal({.code = Errc::overloaded, .where = "service"});
        metrics_.request("overload", answer.status, {});
        return answer;
    }

    Answer malformed(int status) override
    {
        auto answer = api::refusal({.code = Errc::malformed, .where = "request"}, reason(status));
        answer.status = status;
        metrics_.request("none", status, {});
        log_.write("malformed", {{"status", status}});
        return answer;
    }

    static const char* reason(int status)
    {
        switch (status) {
        case 405: return "GET or POST is wanted";
        case 408: return "the request took too long";
        case 411: return "a plain body with its Content-Length is wanted";
        case 413: return "the request is too long";
        case 414: return "the path is too long";
        case 415: return "Content-Type: application/json is wanted";
        case 500: return "the service failed";
        default: return "not HTTP as it should be";
        }
    }

    bool is_open(const Route& route) const
    {
        if (route.roles == role::anybody) return true;
        const std::string_view pattern = route.pattern;
        if (pattern.starts_with("/tlog/")) return settings_.ledger_public;
        return pattern == "/metrics" && settings_.metrics_public;
    }

    Answer report(const char* route, const Head& head, const Client* client,
                  Clock::time_point begin, Answer answer)
    {
        const auto took = Clock::now() - begin;
        metrics_.request(route, answer.status, took);
        if (!settings_.log_requests && answer.status < 400) return answer;
        EventLog::Json fields{{"client", client != nullptr ? client->name : ""},
                              {"address", head.peer->address},
                              {"method", head.method},
                              {"path", head.path},
                              {"status", answer.status},
                              {"ms", std::chrono::duration<double, std::milli>(took).count()}};
        if (answer.status >= 400) {
            if (const auto error = https::read_error(answer.body)) {
                fields["code"] = name(error->code);
                fields["where"] = error->where;
            }
        }
        log_.write("request", fields);
        return answer;
    }

    std::shared_ptr<const Clients> current()
    {
        const std::lock_guard lock(mutex_);
        return clients_;
    }

    Platform& platform_;
    ServiceSettings settings_;
    EventLog& log_;
    const CheckpointKey* key_;  // null: there is none
    Metrics metrics_;
    OrderQueue orders_;
    Checkpoints checkpoints_;
    std::unique_ptr<GapCloser> gaps_;
    std::unique_ptr<Witnesses> witnesses_;
    std::vector<std::unique_ptr<ChainFeed>> chains_;
    std::unique_ptr<Usage> usage_;
    std::mutex mutex_;
    std::shared_ptr<const Clients> clients_;
    std::unique_ptr<HttpsServer> server_;
};

}  // namespace

Result<std::unique_ptr<Service>> Service::open(Platform& platform, const CheckpointKey* key,
                                               const ServiceSettings& settings, EventLog& log)
{
    auto service = std::make_unique<Implementation>(platform, key, settings, log);
    if (const auto started = service->start(); !started) return started.error();
    return std::unique_ptr<Service>(std::move(service));
}

}  // namespace tallycard::service
