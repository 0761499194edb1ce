// SPDX-License-Identifier: Apache-2.0
// Whole cards in our driver: images that it runs itself, and tallycard-vicc at a slot.
#include <fcntl.h>
#include <sys/file.h>

#include <catch2/catch.hpp>

#include "support/ifd_world.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const auto transport = secret_of<TransportKey>(7);

std::string image_lines(const test::TemporaryFolder& folder, const char* protocol)
{
    return "[slot 1]\nimage = " + (folder.file("card")) +
           "\ntransport-key-file = " + make_key_file(folder) + "\nprotocol = " + protocol +
           "\nfsync = no\n";
}

std::string contents(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a card whose image the driver runs is issued and used", "[pcsc][ifd]")
{
    const auto* protocol = GENERATE("t1", "t0");
    const test::TemporaryFolder folder;
    PaperIssuer issuer;
    const auto card_id = bytes_value<CardId>(0xC1);
    const auto& root = issuer.root.public_key();
    IfdWorld world(image_lines(folder, protocol), 1);
    REQUIRE(world.reader->wait_for_card(10s));
    const auto link = world.reader->connect(Sharing::shared).value();
    auto blank = CardSession::begin(*link, root).value();
    REQUIRE(blank.personalise(issuer.personalisation_of(card_id, transport)));
    REQUIRE(blank.select());
    CHECK(blank.execute(issuer.sign(card_id, 1, Kind::top_up, 5000)));
    std::string digits = "4711";
    REQUIRE(blank.verify_pin(make_pin_block(digits).value()));
    (void)blank.end();

    // A reset loses the PIN, and nothing else.
    REQUIRE(PlainCard(slot_name(1)).reconnect_with_reset() == SCARD_S_SUCCESS);
    auto session = CardSession::begin(*link, root).value();
    CHECK(session.info().balance == Balance::minor_units(5000));
    const auto debit =
        session.request(Kind::cash_out, Amount::minor_units(-3000), issuer.currency.unit,
                        *AccountId::parse(std::string_view("T1")));
    REQUIRE(!debit);
    CHECK(debit.error().code == Errc::pin_needed);
}

TEST_CASE("an image that is in use is waited for, and the log says so", "[pcsc][ifd]")
{
    const test::TemporaryFolder folder;
    const auto log = folder.file("log");
    const int other = open((folder.file("card")).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(flock(other, LOCK_EX | LOCK_NB) == 0);
    IfdWorld world(image_lines(folder, "t1"), 1, log);
    CHECK(world.reader->card().error().code == Errc::no_card);
    wait_until("the log says so", [&] {
        return contents(log).find("slot 1: " + (folder.file("card")) + ": ") != std::string::npos;
    });
    CHECK(contents(log).find("another process is using the file") != std::string::npos);
    REQUIRE(unlink((folder.file("card")).c_str()) == 0);
    close(other);
    REQUIRE(world.reader->wait_for_card(10s));
}

TEST_CASE("tallycard-vicc sits in a slot, and comes back", "[pcsc][ifd]")
{
    const test::TemporaryFolder folder;
    const auto key = make_key_file(folder), image = folder.file("card"), socket = slot_socket(0);
    IfdWorld world;
    const auto insert = [&] {
        const auto pid = fork();
        if (pid == 0) {
            const int log = open("/dev/null", O_WRONLY);
            dup2(log, STDOUT_FILENO);
            execl(TALLYCARD_VICC, "tallycard-vicc", "--image", image.c_str(),
                  "--transport-key-file", key.c_str(), "--socket", socket.c_str(), "--no-fsync",
                  nullptr);
            _exit(127);
        }
        return pid;
    };
    const auto remove = [](pid_t pid) {
        int status = 0;
        kill(pid, SIGTERM);
        waitpid(pid, &status, 0);
        return status;
    };
    for (int time = 0; time < 2; ++time) {
        const auto pid = insert();
        REQUIRE(world.reader->wait_for_card(10s));
        CHECK(PlainCard(slot_name(0)).transmit(from_hex("0084000008")).bytes.size() == 10);
        CHECK(remove(pid) == 0);
        REQUIRE(world.reader->wait_for_removal(10s));
    }
}

TEST_CASE("a wrong configuration is refused, and the log says where", "[pcsc][ifd]")
{
    const test::TemporaryFolder folder;
    const auto log = folder.file("log");
    struct Case {
        const char *lines, *says;
    };
    // The lines come after two that are right.
    const auto [lines, says] =
        GENERATE(Case{"slots = 17\n", "tallycard.conf:3: a number from 1 to 16 is wanted"},
                 Case{"# fine\n\nsolts = 3\n", "tallycard.conf:5: no such setting"},
                 Case{"[slot 4]\nimage = /x\n", "tallycard.conf:3: there is no such slot"},
                 Case{"owner = nobody-of-this-name\n", "no such user"},
                 Case{"pin-pipe = /dev/null\n", "/dev/null: pin-pipe is no pipe"});
    const auto path = configure_driver(lines);
    const PcscdProcess pcscd(PcscdProcess::Readers::tallycard, log);
    INFO(contents(log));
    CHECK(contents(log).find(says) != std::string::npos);
    CHECK(open_pcsc().value()->list().value().empty());
}

TEST_CASE("a configuration that others may write is refused", "[pcsc][ifd]")
{
    const test::TemporaryFolder folder;
    const auto log = folder.file("log");
    REQUIRE(chmod(configure_driver().c_str(), 0622) == 0);
    const PcscdProcess pcscd(PcscdProcess::Readers::tallycard, log);
    CHECK(contents(log).find("chmod go-w") != std::string::npos);
    CHECK(open_pcsc().value()->list().value().empty());
}

TEST_CASE("a socket that is somebody else's is left alone", "[pcsc][ifd]")
{
    const test::TemporaryFolder folder;
    const auto log = folder.file("log"), path = slot_socket(0);
    std::filesystem::create_directories(std::getenv("TALLYCARD_SLOTS"));
    std::ofstream(path) << "somebody's";
    configure_driver();
    {
        const PcscdProcess pcscd(PcscdProcess::Readers::tallycard, log);
        CHECK(contents(log).find(path + ": socket: something is there already") !=
              std::string::npos);
    }
    CHECK(contents(path) == "somebody's");
    REQUIRE(unlink(path.c_str()) == 0);
}
