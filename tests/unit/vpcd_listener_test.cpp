// SPDX-License-Identifier: Apache-2.0
// A slot: who may sit in it, and where its socket may be.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "../../readers/vpcd/vpcd_listener.hpp"
#include "support/card_program.hpp"
#include "support/temporary_folder.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;
using vpcd::Listener;

namespace {

// As a reader does it: waits for a change, until the slot is as asked for.
Listener::State state_when(Listener& listener, const auto& holds)
{
    const auto end = std::chrono::steady_clock::now() + 10s;
    auto state = listener.update();
    while (!holds(state)) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        (void)listener.wait(100ms);
        state = listener.update();
    }
    return state;
}

bool is_in(const Listener::State& state)
{
    return state.card != nullptr;
}

bool is_empty(const Listener::State& state)
{
    return state.card == nullptr;
}

mode_t mode_of(const std::string& path)
{
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("a card comes, sits alone, and leaves", "[vpcd]")
{
    const test::TemporaryFolder folder;
    const auto path = folder.file("slot");
    const bool tcp = GENERATE(false, true);
    auto made = tcp ? Listener::on_loopback(0) : Listener::on_unix_socket(path);
    REQUIRE(made);
    auto& listener = **made;
    CHECK((listener.port() != 0) == tcp);
    const auto come = [&] {
        return tcp ? CardProgram::at(listener.port()) : CardProgram::at(path);
    };
    CHECK(!listener.update().card);

    auto first = come();
    CHECK(listener.wait(10s) == Listener::Wake::changed);
    const auto card = state_when(listener, is_in).card;
    const auto second = come();
    CHECK(state_when(listener, [](const auto& s) { return s.refused == 1; }).card == card);
    second.wait_for_hang_up();
    CHECK(!card->is_gone());

    first.leave();
    CHECK(listener.wait(10s) == Listener::Wake::changed);
    state_when(listener, is_empty);
    const auto third = come();
    const auto state = state_when(listener, is_in);
    CHECK(state.card != card);
    CHECK(state.arrivals == 2);
    CHECK(listener.wait(1ms) == Listener::Wake::timed_out);
}

TEST_CASE("a card that was hung up on wakes who waits, and makes room", "[vpcd]")
{
    auto listener = Listener::on_loopback(0).value();
    const auto far = CardProgram::at(listener->port());
    const auto card = state_when(*listener, is_in).card;
    std::thread other([&] { card->hang_up(); });
    CHECK(listener->wait(10s) == Listener::Wake::changed);
    other.join();
    CHECK(is_empty(listener->update()));
    far.wait_for_hang_up();
}

TEST_CASE("a wait ends when it is interrupted", "[vpcd]")
{
    auto listener = Listener::on_loopback(0).value();
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const Descriptor reading(ends[0]), writing(ends[1]);
    CHECK(listener->wait(1ms, reading.number()) == Listener::Wake::timed_out);
    REQUIRE(::write(writing.number(), "x", 1) == 1);
    CHECK(listener->wait(10s, reading.number()) == Listener::Wake::interrupted);
}

TEST_CASE("a socket is for its owner, and goes with its slot", "[vpcd]")
{
    const test::TemporaryFolder folder;
    const auto path = folder.file("slot");
    const auto mask = ::umask(0);
    auto listener = Listener::on_unix_socket(path).value();
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(path + ".lock") == 0600);
    ::umask(mask);
    listener.reset();
    CHECK(::access(path.c_str(), F_OK) != 0);
    CHECK(Listener::on_unix_socket(path));
}

TEST_CASE("a dead socket is replaced, and nothing else is", "[vpcd]")
{
    const test::TemporaryFolder folder;
    const auto path = folder.file("slot");
    const auto code = [&] { return Listener::on_unix_socket(path).error().code; };
    const auto listener = Listener::on_unix_socket(path).value();
    CHECK(code() == Errc::file_in_use);
    REQUIRE(::unlink((path + ".lock").c_str()) == 0);  // as somebody's who locks nothing
    CHECK(code() == Errc::file_in_use);

    const auto file = folder.file("file");
    std::ofstream(file) << "somebody's";
    CHECK(Listener::on_unix_socket(file).error().code == Errc::file_exists);
    const auto link = folder.file("link");
    REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
    CHECK(Listener::on_unix_socket(link).error().code == Errc::file_exists);

    const auto dead = folder.file("dead");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    dead.copy(address.sun_path, sizeof address.sun_path - 1);
    {
        const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        REQUIRE(::bind(socket.number(), generic, sizeof address) == 0);
    }
    CHECK(Listener::on_unix_socket(dead));
}

TEST_CASE("a socket that cannot be made is refused with its cause", "[vpcd]")
{
    const test::TemporaryFolder folder;
    const auto nowhere = Listener::on_unix_socket(folder.file("no/such/folder"));
    REQUIRE(!nowhere);
    CHECK(nowhere.error().code == Errc::file_rejected);
    CHECK(nowhere.error().detail == ENOENT);
    const auto longest = Listener::on_unix_socket(folder.file(std::string(200, 'x').c_str()));
    REQUIRE(!longest);
    CHECK(longest.error().detail == ENAMETOOLONG);
    const auto listener = Listener::on_loopback(0).value();
    const auto taken = Listener::on_loopback(listener->port());
    REQUIRE(!taken);
    CHECK(taken.error().detail == EADDRINUSE);
}
