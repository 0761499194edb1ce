// SPDX-License-Identifier: Apache-2.0
// What fork() copies belongs to the parent.
#include <catch2/catch.hpp>

#include <tallycard/pcsc.hpp>

#include "support/pcscd_process.hpp"
#include "support/vpcd_card.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

template <class T>
bool refused(const Result<T>& result)
{
    return !result && result.error().code == Errc::service_unavailable;
}

// Runs `body` in a child; whether it returned true.
template <class Body>
bool in_child(Body body)
{
    const pid_t child = fork();
    if (child == 0) _exit(body() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a child cannot use the parent's objects, and closes nothing of it", "[pcsc][fork]")
{
    const PcscdProcess pcscd;
    const VpcdCard card(0, t1_atr, [](auto) { return from_hex("6d00"); });
    auto driver = open_pcsc().value();
    auto reader = driver->open("Virtual PCD 00 00").value();
    REQUIRE(reader->wait_for_card(10s));
    auto link = reader->connect(Sharing::exclusive).value();
    REQUIRE(link->begin());

    CHECK(in_child([&] {
        std::array<std::uint8_t, 258> answer{};
        const Bytes command = from_hex("80ca009200");
        const bool all = refused(driver->list()) && refused(reader->card()) &&
                         refused(reader->wait_for_card(0ms)) &&
                         refused(reader->connect(Sharing::shared)) && refused(link->begin()) &&
                         refused(link->transmit(command, answer)) && refused(link->reconnect()) &&
                         refused(link->end());
        link.reset();
        reader.reset();
        driver.reset();
        return all;
    }));

    std::array<std::uint8_t, 258> answer{};
    CHECK(link->transmit(from_hex("80ca009200"), answer).value() == 2);
    CHECK(link->end());
    CHECK(reader->card());
    CHECK(driver->list().value().size() == 2);
}

TEST_CASE("a child may open the service for itself", "[pcsc][fork]")
{
    const PcscdProcess pcscd;
    auto driver = open_pcsc().value();
    CHECK(in_child([] {
        auto own = open_pcsc();
        return own && (*own)->list().value().size() == 2;
    }));
    CHECK(driver->list().value().size() == 2);
}
