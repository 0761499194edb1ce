// SPDX-License-Identifier: Apache-2.0
// Everything has a bound: what is beyond is refused by name, and nothing is lost.
#include <atomic>

#include <catch2/catch.hpp>

#include "service/order_queue.hpp"
#include "support/https_request.hpp"
#include "support/test_issuer.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::string head(const ServiceHost& host, const std::string& more)
{
    return "POST /v1/settlements HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + host.token +
           "\r\nContent-Type: application/json\r\n" + more + "\r\n";
}

std::string status_line(const std::string& answer)
{
    return answer.substr(0, answer.find("\r\n"));
}

// Settling waits for this: a store that is busy as long as one likes.
class SlowStore final : public Store {
public:
    SlowStore(const TestIssuer& issuer, std::atomic<bool>& busy, std::atomic<int>& waiting)
        : below_(open_sqlite_store(issuer.store_file()).value()), busy_(busy), waiting_(waiting)
    {
    }
    Result<std::unique_ptr<StoreTransaction>> write() override
    {
        ++waiting_;
        while (busy_) std::this_thread::yield();
        --waiting_;
        return below_->write();
    }
    Result<std::unique_ptr<StoreTransaction>> read() override { return below_->read(); }

private:
    std::unique_ptr<Store> below_;
    std::atomic<bool>& busy_;
    std::atomic<int>& waiting_;
};

}  // namespace

TEST_CASE("a body that is too long is refused before it is read", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    RawConnection announced(host);
    REQUIRE(announced.send(head(host, "Content-Length: 16385\r\n")));
    const auto answer = announced.read_all();
    CHECK(status_line(answer).find("413") != std::string::npos);
    CHECK(answer.find("the request is too long") != std::string::npos);

    RawConnection huge(host);
    REQUIRE(huge.send(head(host, "Content-Length: 99999999999999999999999\r\n")));
    CHECK(status_line(huge.read_all()).find("413") != std::string::npos);

    CHECK(WebClient(host, host.token).post("/v1/settlements", std::string(20000, ' ')).status ==
          413);
    CHECK(WebClient(host, host.token).post("/v1/settlements", std::string(16384, ' ')).code() ==
          "malformed");
}

TEST_CASE("requests that are not plain HTTP with JSON are refused by name", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto answer_to = [&](const std::string& bytes) {
        RawConnection raw(host);
        REQUIRE(raw.send(bytes));
        return raw.read_all();
    };
    CHECK(answer_to(head(host, "Transfer-Encoding: chunked\r\n")).find("HTTP/1.1 411") == 0);
    CHECK(answer_to(head(host, "")).find("HTTP/1.1 411") == 0);
    CHECK(answer_to(head(host, "Content-Length: 2\r\nContent-Encoding: gzip\r\n") + "xx")
              .find("HTTP/1.1 411") == 0);
    CHECK(answer_to(head(host, "Content-Length: 2\r\nContent-Length: 3\r\n") + "xx")
              .find("HTTP/1.1 411") == 0);
    CHECK(answer_to(head(host, "Content-Length: -1\r\n")).find("HTTP/1.1 400") == 0);
    CHECK(answer_to("GET /v1/issuer HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")
              .find("HTTP/1.1 400") == 0);
    CHECK(answer_to("DELETE /v1/issuer HTTP/1.1\r\n\r\n").find("HTTP/1.1 405") == 0);
    CHECK(answer_to("GET /" + std::string(300, 'a') + " HTTP/1.1\r\n\r\n").find("HTTP/1.1 414") ==
          0);
    CHECK(answer_to("nonsense\r\n\r\n").find("HTTP/1.1 400") == 0);
    CHECK(WebClient(host, host.token).post("/v1/settlements", "{}", "text/plain").status == 415);
    CHECK(WebClient(host, host.token).get("/v1/issuer").status == 200);
}

TEST_CASE("a peer that is slow, or never stops, loses its connection", "[service]")
{
    TestIssuer issuer;
    service::ServiceSettings settings;
    settings.server.request_seconds = 1;
    settings.server.idle_seconds = 1;
    ServiceHost host(*issuer, nullptr, settings);
    RawConnection half(host), idle(host), endless(host);
    REQUIRE(half.send("POST /v1/settlements HTTP/1.1\r\nHost: a\r\n"));
    REQUIRE(endless.send("GET /v1/issuer HTTP/1.1\r\n"));
    const std::string line = "X-More: " + std::string(1000, 'x') + "\r\n";
    int sent = 0;
    while (sent < 100'000 && endless.send(line)) ++sent;
    CHECK(sent < 100'000);

    // One byte at a time does not help: the time is the request's.
    RawConnection dripping(host);
    testing::wait_until("it is cut off", [&] { return !dripping.send("x"); });
    CHECK(half.read_all().find("HTTP/1.1 408") == 0);
    CHECK(idle.read_all().empty());
    CHECK(WebClient(host, host.token).get("/v1/issuer").status == 200);
}

TEST_CASE("more connections than there may be are told to come again", "[service]")
{
    TestIssuer issuer;
    service::ServiceSettings settings;
    settings.server.most_connections = 2;
    ServiceHost host(*issuer, nullptr, settings);
    auto first = std::make_unique<WebClient>(host, host.token);
    WebClient second(host, host.token);
    REQUIRE(first->get("/v1/issuer").status == 200);
    REQUIRE(second.get("/v1/issuer").status == 200);
    const auto refused = WebClient(host, host.token).get("/v1/issuer");
    CHECK(refused.status == 503);
    CHECK(refused.code() == "overloaded");
    CHECK(refused.retry_after == "1");
    CHECK(second.get("/v1/issuer").status == 200);

    // Our client comes again by itself.
    std::thread leaves([&] { first.reset(); });
    CHECK(host.client()->description());
    leaves.join();
}

TEST_CASE("receipts settle together; those that find the queue full are settled when sent again",
          "[service]")
{
    TestIssuer issuer;
    std::vector<Submission> submissions;
    for (int i = 0; i < 6; ++i) {
        auto card = issuer.make_card();
        const auto first = issuer.authorise(card, Kind::top_up, 100).value().first;
        submissions.push_back(submission(card.execute(first)));
    }
    issuer.close();
    std::atomic<bool> busy = false;
    std::atomic<int> waiting = 0;
    const auto platform = issuer.open(std::make_unique<SlowStore>(issuer, busy, waiting)).value();
    service::OrderQueue queue(*platform, 4);
    std::atomic<int> settled = 0, overloaded = 0;
    std::vector<std::thread> threads;
    const auto settle = [&](std::size_t i) {
        const auto answer = queue.settle(submissions[i]);
        if (answer && answer->settled) ++settled;
        if (!answer && answer.error().code == Errc::overloaded) ++overloaded;
    };
    busy = true;
    threads.emplace_back(settle, 0);
    testing::wait_until("the worker has the first", [&] { return waiting == 1; });
    for (std::size_t i = 1; i < 5; ++i) threads.emplace_back(settle, i);
    testing::wait_until("the queue is full", [&] { return queue.counts().waiting == 4; });
    settle(5);
    CHECK(overloaded == 1);
    busy = false;
    for (auto& thread : threads) thread.join();
    CHECK(settled == 5);
    CHECK(queue.counts().batches == 2);
    settle(5);
    CHECK(settled == 6);
    CHECK(platform->ledger_head().value().size == 6);
}

TEST_CASE("a service whose socket fails listens again", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    WebClient client(host, host.token);
    REQUIRE(client.get("/v1/issuer").status == 200);
    int failed = 0;
    for (int file = 3; file < 1024; ++file) {
        int listens = 0;
        socklen_t size = sizeof listens;
        sockaddr_in address{};
        socklen_t length = sizeof address;
        const bool ours =
            ::getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1 &&
            ::getsockname(file, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
            ntohs(address.sin_port) == host.service->port();
        if (ours && ::shutdown(file, SHUT_RDWR) == 0) ++failed;
    }
    REQUIRE(failed == 1);
    testing::wait_until("it serves again", [&] {
        return WebClient(host, host.token).get("/v1/issuer").status == 200;
    });
}

TEST_CASE("a service that stops answers what it has taken, and then takes no more", "[service]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 100).value().first;
    issuer.close();
    std::atomic<bool> busy = false;
    std::atomic<int> waiting = 0;
    const auto platform = issuer.open(std::make_unique<SlowStore>(issuer, busy, waiting)).value();
    ServiceHost host(*platform);
    WebClient idle(host, host.token);
    REQUIRE(idle.get("/v1/issuer").status == 200);
    const auto client = host.client();
    REQUIRE(client->description());
    busy = true;
    std::atomic<bool> answered = false;
    std::thread asking(
        [&] { answered = client->settle(submission(card.execute(first))).has_value(); });
    testing::wait_until("the request is in the store", [&] { return waiting == 1; });
    std::thread stopping([&] { host.stop(); });
    testing::wait_until("nothing is taken any more", [&] {
        return WebClient(host, host.token).get("/v1/openapi.json").status == 0;
    });
    busy = false;
    asking.join();
    stopping.join();
    CHECK(platform->ledger_head().value().size == 1);
    CHECK(answered);
}
