// SPDX-License-Identifier: Apache-2.0
// Every call that changes a file, and every allocation, of the platform's own and of SQLite's, of
// one authorising and one settling fails at its n-th call: that one alone, or all from there on.
// The answer is an error or the truth; what was asked is asked again, and done once.
#include <sqlite3.h>

#include <cerrno>
#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

#include "shim.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using testing::shim::How;

namespace {

// Which allocation fails; none while `at` is 0.
struct Famine {
    int at = 0, calls = 0;
    bool for_good = false;
    bool strikes()
    {
        if (at == 0) return false;
        ++calls;
        return for_good ? calls >= at : calls == at;
    }
};
Famine famine;

sqlite3_mem_methods sqlite_memory;

// Before anybody uses SQLite.
const int sqlite_configured = [] {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    auto starving = sqlite_memory;
    starving.xMalloc = [](int size) -> void* {
        return famine.strikes() ? nullptr : sqlite_memory.xMalloc(size);
    };
    starving.xRealloc = [](void* memory, int size) -> void* {
        return famine.strikes() ? nullptr : sqlite_memory.xRealloc(memory, size);
    };
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &starving);
}();

// How a call ended that something failed in.
enum class End : std::uint8_t { answered, refused, threw };

struct Count {
    int answered = 0, refused = 0, threw = 0;
    void add(End end)
    {
        ++(end == End::answered ? answered : end == End::refused ? refused : threw);
    }
    int failures() const { return refused + threw; }
};

template <class Call>
End end_of(Call&& call)
{
    try {
        const auto answer = call();
        famine.at = 0;  // from here on it is the test that allocates
        if (answer) return End::answered;
        const auto code = answer.error().code;
        INFO(answer.error().message());
        CHECK((code == Errc::store_failed || code == Errc::file_in_use));
        return End::refused;
    } catch (const std::bad_alloc&) {
        famine.at = 0;
        return End::threw;
    }
}

// One top-up after the other; `fails(n, call)` calls with the n-th thing failing, and says whether
// there was an n-th.
class Desk {
public:
    template <class Fails>
    Count run(Fails fails)
    {
        Count count;
        bool authorise_failed = true, settle_failed = true;
        for (int n = 1; authorise_failed || settle_failed; ++n) {
            CAPTURE(n);
            const auto request = issuer_.request(card_, Kind::top_up, 1);
            const auto authorise = [&] { return issuer_->authorise(request); };
            if (authorise_failed)
                authorise_failed = fails(n, [&] { count.add(end_of(authorise)); });
            const auto first = issuer_->authorise(request).value().first;
            const auto receipt = card_.execute(first);
            const auto settle = [&] { return issuer_->settle(test::submission(receipt)); };
            if (settle_failed) settle_failed = fails(n, [&] { count.add(end_of(settle)); });
            const auto settlement = settle().value();
            CHECK(settlement.settled);
            CHECK(settlement.ledger_index == static_cast<std::uint64_t>(settled_));
            ++settled_;
            check_books();
            if (n % 16 == 0) issuer_.reopen();
        }
        issuer_.reopen();
        check_books();
        return count;
    }
    const test::TestIssuer& issuer() const { return issuer_; }

private:
    void check_books()
    {
        CHECK(issuer_.sum_of_books() == 0);
        CHECK(issuer_.balance(AccountKind::cash, "T1") == -settled_);
        CHECK(issuer_.reserved(AccountKind::cash, "T1") == 0);
        CHECK(issuer_->pending().value().empty());
        CHECK(issuer_->ledger_head().value().size == static_cast<std::uint64_t>(settled_));
    }

    test::TestIssuer issuer_;
    test::SimulatedCard card_ = issuer_.make_card();
    std::int64_t settled_ = 0;
};

}  // namespace

void* operator new(std::size_t size)
{
    void* memory = famine.strikes() ? nullptr : std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return famine.strikes() ? nullptr : std::malloc(size);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept
{
    std::free(memory);
}

void operator delete(void* memory) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

TEST_CASE("a platform whose disk fails at any call tells the truth, and goes on", "[kill]")
{
    const auto how = GENERATE(How::fail_once, How::fail_for_good);
    const auto error = GENERATE(EIO, ENOSPC);
    Desk desk;
    const auto count = desk.run([&](int n, auto&& call) {
        testing::shim::begin({desk.issuer().folder().file(""), how, n, error, 0});
        call();
        return testing::shim::end() >= n;
    });
    WARN("errno " << error << (how == How::fail_once ? ", once: " : ", for good: ")
                  << count.failures() << " calls failed, " << count.answered << " did not");
    CHECK(count.refused > 10);
    CHECK(count.threw == 0);
}

TEST_CASE("a platform without memory at any allocation tells the truth, and goes on", "[kill]")
{
    REQUIRE(sqlite_configured == SQLITE_OK);
    const bool for_good = GENERATE(false, true);
    Desk desk;
    const auto count = desk.run([&](int n, auto&& call) {
        famine = {.at = n, .calls = 0, .for_good = for_good};
        call();
        const int calls = std::exchange(famine, {}).calls;
        return calls >= n;
    });
    WARN((for_good ? "for good: " : "once: ") << count.refused << " refused, " << count.threw
                                              << " threw, " << count.answered << " answered");
    CHECK(count.refused > 10);
    CHECK(count.threw > 4);
}
