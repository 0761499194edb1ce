// SPDX-License-Identifier: Apache-2.0
// What fork() copies belongs to the parent.
#include "child.hpp"
#include "stand.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

template <class T>
bool refused(const Result<T>& result)
{
    return !result && result.error().code == Errc::service_unavailable;
}

}  // namespace

TEST_CASE("a child cannot use the parent's objects, and closes nothing of it", "[service]")
{
    Stand stand;
    const auto card = stand.insert();
    auto driver = open_pcsc().value();
    auto reader = driver->open(stand.name()).value();
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
    CHECK(driver->list().value() == stand.names());
}

TEST_CASE("a child may open the service for itself", "[service]")
{
    const Stand stand;
    auto driver = open_pcsc().value();
    CHECK(in_child([&] {
        auto own = open_pcsc();
        return own && (*own)->list().value() == stand.names();
    }));
    CHECK(driver->list().value() == stand.names());
}
