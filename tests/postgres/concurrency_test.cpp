// SPDX-License-Identifier: Apache-2.0
// Several platforms on one database, killed at any moment, while the server is restarted.
#include <catch2/catch.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <random>

#include "issuer/postgres_store.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;
using postgres::Turns;

namespace {

constexpr int workers = 4, cards_in_all = 6, rounds = 6;
constexpr int steps = cards_in_all * rounds;  // of each worker; two operations each

// What only means that it is not done yet, as far as the worker can know.
bool may_try_again(const Error& error)
{
    return error.code == Errc::store_unreachable || error.code == Errc::store_busy ||
           error.code == Errc::file_in_use;
}

// What one process does: the same operations on the same cards as all the others. Whatever it did
// before it was killed, it does again.
class Worker {
public:
    Worker(const TestIssuer& issuer, Turns turns, std::vector<SimulatedCard> cards, int report)
        : issuer_(&issuer), turns_(turns), cards_(std::move(cards)), report_(report)
    {
    }

    // Exits with 0 when everything is done.
    [[noreturn]] void work(std::size_t first)
    {
        for (std::size_t i = 0; i < cards_.size(); ++i) {
            const auto which = (first + i) % cards_.size();
            for (std::uint32_t round = 0; round < rounds; ++round) step(which, round);
        }
        ::_exit(0);
    }

private:
    void step(std::size_t which, std::uint32_t round)
    {
        auto& card = cards_[which];
        const OperationRequest request{
            .id = id_of<OperationId>(static_cast<std::uint32_t>(which) << 16 | (round + 1)),
            .card_id = card.id(),
            .kind = Kind::top_up,
            .amount = Amount::minor_units(10),
            .parameter = {},
            .terminal = account_id("T1")};
        const auto first = until_done([&] { return platform_->authorise(request); }).first;
        const auto receipt = card.execute(first);
        until_done([&] { return platform_->settle(submission(receipt)); });
        const auto payment = card.pay(3, "shop");
        until_done([&] { return platform_->settle(payment); });
        if (::write(report_, "x", 1) != 1) ::_exit(2);
    }

    template <class Call>
    auto until_done(Call&& call) -> std::decay_t<decltype(*call())>
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(100);
        while (std::chrono::steady_clock::now() < deadline) {
            if (platform_ == nullptr && !open()) continue;
            auto answer = call();
            if (answer) return *answer;
            if (!may_try_again(answer.error())) give_up(answer.error());
            platform_.reset();
        }
        ::_exit(3);
    }
    bool open()
    {
        auto store = postgres::open(issuer_->store().conninfo(), turns_);
        if (!store && !may_try_again(store.error())) give_up(store.error());
        if (!store) return false;
        auto platform = issuer_->open(std::move(*store));
        if (!platform && !may_try_again(platform.error())) give_up(platform.error());
        if (!platform) return false;
        platform_ = std::move(*platform);
        return true;
    }
    [[noreturn]] static void give_up(const Error& error)
    {
        static_cast<void>(std::fprintf(stderr, "worker: %s\n", error.message().c_str()));
        ::_exit(4);
    }

    const TestIssuer* issuer_;
    Turns turns_;
    std::vector<SimulatedCard> cards_;
    int report_;
    std::unique_ptr<Platform> platform_;
};

class Crowd {
public:
    Crowd(const TestIssuer& issuer, Turns turns, const std::vector<SimulatedCard>& cards)
        : issuer_(&issuer), turns_(turns), cards_(&cards)
    {
        REQUIRE(::pipe(pipe_.data()) == 0);
        for (int i = 0; i < workers; ++i) start();
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd()
    {
        for (const auto process : running_) ::kill(process, SIGKILL);
        for (const auto process : running_) ::waitpid(process, nullptr, 0);
        for (const int file : pipe_) ::close(file);
    }

    // Waits for a step of anyone; false when all are done.
    bool step()
    {
        for (;;) {
            pollfd reports{.fd = pipe_[0], .events = POLLIN, .revents = 0};
            if (::poll(&reports, 1, 100) == 1) {
                char byte = 0;
                return ::read(pipe_[0], &byte, 1) == 1;
            }
            if (!is_anyone_at_work()) return false;
        }
    }
    void kill_one(std::size_t which)
    {
        if (running_.empty()) return;
        const auto process = running_.at(which % running_.size());
        ::kill(process, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(process, &status, 0) == process);
        std::erase(running_, process);
        // It may have been done already.
        if (WIFSIGNALED(status)) start();
    }
    void wait()
    {
        for (const auto process : std::exchange(running_, {})) {
            int status = -1;
            REQUIRE(::waitpid(process, &status, 0) == process);
            CHECK(status == 0);
        }
    }

private:
    // A worker that gave up is the test's failure.
    bool is_anyone_at_work()
    {
        std::erase_if(running_, [](pid_t process) {
            int status = 0;
            if (::waitpid(process, &status, WNOHANG) != process) return false;
            CHECK(status == 0);
            return true;
        });
        return !running_.empty();
    }
    void start()
    {
        const auto process = ::fork();
        REQUIRE(process >= 0);
        if (process == 0) Worker(*issuer_, turns_, *cards_, pipe_[1]).work(started_);
        ++started_;
        running_.push_back(process);
    }
    const TestIssuer* issuer_;
    Turns turns_;
    const std::vector<SimulatedCard>* cards_;
    std::array<int, 2> pipe_{};
    std::vector<pid_t> running_;
    std::size_t started_ = 0;
};

void restart_server(const char* mode)
{
    const auto command = std::getenv("TALLYCARD_TEST_POSTGRES_CONTROL") + std::string(" ") + mode;
    REQUIRE(std::system(command.c_str()) == 0);
}

void require_everything_once(TestIssuer& issuer, const std::vector<SimulatedCard>& cards)
{
    issuer.reopen();
    REQUIRE(issuer->ledger_head().value().size == 2 * steps);
    REQUIRE(issuer.sum_of_books() == 0);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -10 * steps);
    REQUIRE(issuer.reserved(AccountKind::cash, "T1") == 0);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 3 * steps);
    REQUIRE(issuer->evidence().value().empty());
    REQUIRE(issuer->pending().value().empty());
    std::map<std::string, std::uint32_t> settled;
    for (const auto& entry : issuer->entries(0, 2 * steps).value()) {
        const auto& result = entry.record()->receipt.result;
        REQUIRE(result.sequence == ++settled[result.card_id.to_string()]);
    }
    for (const auto& card : cards) {
        REQUIRE(settled[card.id().to_string()] == 2 * rounds);
        REQUIRE(issuer->standing(card.id(), std::nullopt).value().balance ==
                Balance::minor_units(7U * rounds));
    }
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();
    if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
    REQUIRE(!report.fault);
}

}  // namespace

TEST_CASE("platforms that are killed, over a server that is restarted, lose and double nothing")
{
    const auto turns = GENERATE(Turns::queue, Turns::optimistic);
    TestIssuer issuer;
    std::vector<SimulatedCard> cards;
    for (int i = 0; i < cards_in_all; ++i) cards.push_back(issuer.make_card());
    issuer.close();
    std::minstd_rand random(7);
    Crowd crowd(issuer, turns, cards);
    // Every eighth step of the least that there are, one is killed; three times the server goes.
    int seen = 0;
    for (; seen < workers * steps / 2; ++seen) {
        if (!crowd.step()) break;
        if (seen % 8 == 7) crowd.kill_one(random());
        if (seen == 10 || seen == 40) restart_server("immediate");
        if (seen == 25) restart_server("fast");
    }
    REQUIRE(seen > 48);  // all that was planned has happened
    crowd.wait();
    require_everything_once(issuer, cards);
}
