// SPDX-License-Identifier: Apache-2.0
// Tokens that go, come back and hang: what is lost is found again.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <p11-kit/pkcs11.h>

#include "support/fake_hsm.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace tallycard::test;
using namespace std::chrono_literals;

TEST_CASE("sessions that are closed, a module that is finalised and a token that is back are found")
{
    Fake fake;
    const auto signer = Fake::open().value();
    const auto root = open_pkcs11_card_root(Fake::uri(), Fake::pin()).value();
    const auto works = [&] {
        CHECK(signer->sign(operation()).value() == expected);
        CHECK(root->derive(id_of<CardId>(1)));
    };
    {
        const std::lock_guard lock(fake.token.mutex);
        fake.token.sessions.clear();
        fake.token.is_logged_in = false;
    }
    works();
    {
        const std::lock_guard lock(fake.token.mutex);
        fake.token.sessions.clear();
        fake.token.is_logged_in = fake.token.is_initialised = false;
    }
    works();
    for (const bool sees : {true, false}) {
        {
            const std::lock_guard lock(fake.token.mutex);
            fake.token.is_present = false;
            fake.token.sees_new_tokens = sees;
        }
        CHECK(signer->sign(operation()).error().code == Errc::token_missing);
        CHECK(root->derive(id_of<CardId>(1)).error().code == Errc::token_missing);
        {
            const std::lock_guard lock(fake.token.mutex);
            fake.token.is_present = true;
            fake.token.sees_new_tokens = sees;
            fake.token.sessions.clear();
            fake.token.is_logged_in = false;
        }
        works();
    }
}

TEST_CASE("a token that comes back with another key is refused")
{
    Fake fake;
    const auto signer = Fake::open().value();
    fake.token.seed = fake.token.claimed_seed = 3;
    fake.fail("C_SignInit", CKR_SESSION_CLOSED);
    CHECK(signer->sign(operation()).error().code == Errc::token_key_unfit);
    fake.token.seed = fake.token.claimed_seed = 1;
    CHECK(signer->sign(operation()).value() == expected);
}

TEST_CASE("a token that hangs holds nobody up, and signs again when it goes on")
{
    Fake fake;
    const auto signer = Fake::open({.opening = 5000ms, .signing = 50ms}).value();
    fake.token.hangs = true;
    CHECK(signer->sign(operation()).error().code == Errc::timed_out);
    CHECK(signer->sign(operation()).error().code == Errc::timed_out);
    fake.token.let_go();
    testing::wait_until("it signs again", [&] { return signer->sign(operation()).has_value(); });
    CHECK(signer->sign(operation()).value() == expected);
}

TEST_CASE("a key that is closed while its token hangs leaves it behind")
{
    Fake fake;
    {
        const auto signer = Fake::open({.opening = 5000ms, .signing = 10ms}).value();
        fake.token.hangs = true;
        CHECK(signer->sign(operation()).error().code == Errc::timed_out);
    }
    fake.token.let_go();
    testing::wait_until("its session is closed", [&] {
        const std::lock_guard lock(fake.token.mutex);
        return fake.token.sessions.empty() && !fake.token.is_initialised;
    });
}

TEST_CASE("many threads sign with one key")
{
    Fake fake;
    const auto signer = Fake::open().value();
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                if (i % 10 == 0) fake.fail("C_Sign", CKR_SESSION_HANDLE_INVALID);
                const auto signature = signer->sign(operation());
                if (signature && *signature == expected) ++right;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(right > 300);
}

TEST_CASE("a child process has to open its own key, and leaves the parent's alone")
{
    Fake fake;
    auto signer = Fake::open().value();
    const pid_t child = ::fork();
    if (child == 0) {
        bool good = signer->sign(operation()).error().code == Errc::token_missing;
        signer.reset();
        fake.token.reset();  // what C_Initialize does in a child
        const auto own = Fake::open();
        good = good && own && (*own)->sign(operation()).value() == expected;
        ::_exit(good ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(signer->sign(operation()).value() == expected);
}
