// SPDX-License-Identifier: Apache-2.0
// service_bench [--json] [TERMINALS...]: one tallycard-issuerd over SQLite with every write
// durable, and terminals at it over HTTPS that keep their connections. What is counted are settled
// operations: payments, whose receipts were signed beforehand, one request each; and top-ups, two
// requests each, between which the card signs. Beside the bare cryptography of those operations on
// one processor, and beside commits of one row on the same disk.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <vector>

#include <sqlite3.h>

#include <tallycard/verify.hpp>

#include "service_tills.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;
using Clock = std::chrono::steady_clock;

constexpr std::size_t idle_connections = 1000;

// A row of its own in a file beside the store, updated and committed as durably as the store is.
class Commits {
public:
    explicit Commits(const std::string& path)
    {
        sqlite3_open(path.c_str(), &database_);
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (n INTEGER);"
            "INSERT INTO t VALUES (0)");
    }
    Commits(const Commits&) = delete;
    Commits& operator=(const Commits&) = delete;
    ~Commits() { sqlite3_close(database_); }
    void run(std::size_t times)
    {
        for (; times > 0; --times) run("UPDATE t SET n = n + 1");
    }

private:
    void run(const char* sql)
    {
        if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
            throw std::runtime_error(sqlite3_errmsg(database_));
    }
    sqlite3* database_ = nullptr;
};

void compare(Report& report, Service& service, Commits& commits, std::size_t tills)
{
    service.open(tills);
    auto floor = service.floor();
    const std::string who = std::to_string(tills) + (tills == 1 ? " terminal" : " terminals");
    const Work payments{.run = [&](std::size_t) { service.settle_payments(); },
                        .prepare = [&](std::size_t n) { service.sign_payments(n); }};
    const Work top_ups{.run = [&](std::size_t n) { service.top_up(n); }};
    const Work verifying{.run = [&](std::size_t n) { floor.settle(n); }};
    const Work signing{.run = [&](std::size_t n) { floor.sign_and_settle(n); }};
    const Work disk{.run = [&](std::size_t n) { commits.run(n); }};
    const auto beside = [&](const char* what, const Work& bare, const Work& ours) {
        const auto times = std::min<std::size_t>(128 * tills, 2048);
        report.compare({.name = what + who + ": bare cryptography",
                        .rounds = 7,
                        .times = times,
                        .floor = bare,
                        .ours = ours,
                        .aim = {.ratio = 2.0, .added_us = {}, .allocations = {}}});
        report.compare({.name = what + who + ": commits of one row",
                        .rounds = 7,
                        .times = std::min<std::size_t>(times, 256),
                        .floor = disk,
                        .ours = ours,
                        .aim = {.ratio = 1.0, .added_us = {}, .allocations = {}}});
    };
    beside("payments, ", verifying, payments);
    beside("top-ups, ", signing, top_ups);
}

// Waiting for the disk or for a processor is not in it, nor are the terminals.
void show_processor_time(Service& service, SettleFloor floor)
{
    constexpr std::size_t times = 8192;
    service.open(64);
    service.sign_payments(times);
    const auto before = service.process().processor_us();
    service.settle_payments();
    const auto used = (service.process().processor_us() - before) / times;
    const auto start = std::clock();
    floor.settle(times);
    const auto bare = static_cast<double>(std::clock() - start) * 1e6 / CLOCKS_PER_SEC / times;
    std::printf(
        "64 terminals: %.0f us of the processors for a payment, %.1f of them cryptography\n", used,
        bare);
}

// At half of what eight terminals have settled just before.
void show_latency(Service& service)
{
    constexpr std::size_t times = 2048;
    service.open(8);
    service.sign_payments(times);
    const auto begin = Clock::now();
    service.settle_payments();
    const std::chrono::duration<double> took = Clock::now() - begin;
    const double half = times / took.count() / 2;
    service.sign_payments(times);
    const auto all = service.settle_payments_at(half);
    std::printf("8 terminals, %.0f payments a second (half load): p50 %.2f ms, p99 %.2f ms\n", half,
                all[all.size() / 2], all[all.size() * 99 / 100]);
}

void show_memory(const Service& service)
{
    const auto before = service.process().memory();
    std::deque<Line> lines;
    for (std::size_t i = 0; i < idle_connections; ++i)
        lines.emplace_back(service.process().port()).ask("GET /v1/health HTTP/1.1\r\n\r\n");
    const auto after = service.process().memory();
    std::printf("%zu idle connections: %ld KiB resident, %.1f KiB for each\n", idle_connections,
                after, static_cast<double>(after - before) / idle_connections);
}

// At most as many as there are cards.
std::vector<std::size_t> numbers_of_terminals(int argc, char** argv)
{
    std::vector<std::size_t> numbers;
    for (int i = 1; i < argc; ++i) {
        const auto number = std::strtoul(argv[i], nullptr, 10);
        if (number > 0) numbers.push_back(std::min<std::size_t>(number, cards_in_all));
    }
    return numbers.empty() ? std::vector<std::size_t>{1, 8, 64} : numbers;
}

}  // namespace

int main(int argc, char** argv)
{
    Report report(argc, argv);
    self_test().value();
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const test::TemporaryFolder folder;
    Service service(folder);
    Commits commits(folder.file("commits"));
    for (const auto tills : numbers_of_terminals(argc, argv))
        compare(report, service, commits, tills);
    report.print();
    show_processor_time(service, service.floor());
    show_latency(service);
    show_memory(service);
}
