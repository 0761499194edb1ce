// SPDX-License-Identifier: Apache-2.0
// tallycard-vicc --vscard and a program that plays QEMU's part: a card enters a virtual machine,
// answers, and leaves, and nothing that comes confuses it.
#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>

#include <catch2/catch.hpp>

#include "../../virtual-card/vicc/vscard_framing.hpp"
#include "support/fake_machine.hpp"
#include "support/temporary_folder.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace testing;
using chip::VscardType;

namespace {

const auto select_tpdu = from_hex("00a404000bf054414c4c594341524401");

// The program tallycard-vicc with a blank card, and what it said.
class Vicc {
public:
    explicit Vicc(std::vector<std::string> options)
    {
        const auto key = folder_.file("key");
        std::ofstream(key) << std::string(64, '7');
        std::filesystem::permissions(key, std::filesystem::perms(0600));
        options.insert(options.begin(), {"tallycard-vicc", "--image", folder_.file("card"),
                                         "--transport-key-file", key, "--no-fsync"});
        std::vector<char*> words;
        for (auto& option : options) words.push_back(option.data());
        words.push_back(nullptr);
        const auto log = folder_.file("log");
        pid_ = fork();
        if (pid_ == 0) {
            const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            dup2(file, STDOUT_FILENO);
            dup2(file, STDERR_FILENO);
            execv(TALLYCARD_VICC, words.data());
            _exit(127);
        }
    }
    explicit Vicc(const FakeMachine& machine) : Vicc({"--vscard", machine.address()}) {}
    Vicc(const Vicc&) = delete;
    Vicc& operator=(const Vicc&) = delete;
    ~Vicc()
    {
        if (pid_ <= 0) return;
        signal(SIGKILL);
        wait();
    }

    void signal(int number) const { kill(pid_, number); }
    // Its exit status, or the signal's number negated.
    int wait()
    {
        int status = 0;
        waitpid(std::exchange(pid_, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    std::string said() const
    {
        std::ifstream log(folder_.file("log"));
        return {std::istreambuf_iterator<char>(log), {}};
    }
    int times(const std::string& words) const
    {
        const auto text = said();
        int count = 0;
        for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
            ++count;
        return count;
    }
    void wait_for(const std::string& words, int count = 1) const
    {
        wait_until(words, [&] { return times(words) >= count; });
    }

private:
    test::TemporaryFolder folder_;
    pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a card enters a virtual machine, answers, and leaves before its program ends",
          "[vscard]")
{
    FakeMachine machine;
    Vicc vicc(machine);
    machine.take_card();
    vicc.wait_for("has the card");
    CHECK(vicc.times("\n") == 1);

    CHECK(machine.transmit(from_hex("80ca009234")) == from_hex("6985"));
    const auto selected = machine.transmit(select_tpdu);
    REQUIRE(selected.size() == 2);
    CHECK(selected[0] == 0x61);
    auto get_response = from_hex("00c0000000");
    get_response[4] = selected[1];
    CHECK(machine.transmit(get_response).size() == selected[1] + 2u);
    // The guest may send what it likes, in pieces of any size.
    CHECK(machine.transmit({}) == from_hex("6700"));
    auto longest = from_hex("0084000004");
    longest.resize(chip::VscardDecoder::max_payload);
    CHECK(machine.transmit(longest) == from_hex("6700"));
    machine.send(VscardType::apdu, from_hex("0084000008"), 1);
    CHECK(machine.expect(VscardType::apdu).size() == 10);
    // Messages that come together are answered in order.
    machine.send_bytes(
        from_hex("000000080000000000000000"
                 "000000070000000000000005"
                 "0084000004"));
    CHECK(machine.expect(VscardType::flush_complete).empty());
    CHECK(machine.expect(VscardType::apdu).size() == 6);
    machine.say_init();  // again: no harm
    CHECK(machine.transmit(from_hex("0084000008")).size() == 10);

    vicc.signal(SIGTERM);
    CHECK(machine.expect(VscardType::card_remove).empty());
    CHECK(machine.expect(VscardType::reader_remove).empty());
    CHECK(machine.hears_the_end());
    machine.hang_up();
    CHECK(vicc.wait() == 0);
}

TEST_CASE("a card comes back when its virtual machine does, without what was volatile", "[vscard]")
{
    FakeMachine machine;
    Vicc vicc(machine);
    for (int round = 1; round <= 3; ++round) {
        machine.take_card();
        vicc.wait_for("has the card", round);
        CHECK(machine.transmit(from_hex("80ca009234")) == from_hex("6985"));
        CHECK(machine.transmit(select_tpdu).at(0) == 0x61);
        if (round == 2) {  // in the middle of a message
            machine.send_bytes(from_hex("0000000700000000000000050084"));
        }
        machine.hang_up();
        if (round == 2) machine.restart();
    }
    vicc.signal(SIGTERM);
    CHECK(vicc.wait() == 0);
}

TEST_CASE("a card waits for a virtual machine that is not there, and says so once", "[vscard]")
{
    FakeMachine machine;
    machine.stop_listening();
    Vicc vicc(machine);
    vicc.wait_for("does not answer yet");
    machine.listen();
    machine.take_card();
    vicc.wait_for("has the card");
    CHECK(vicc.times("does not answer yet") == 1);
    vicc.signal(SIGINT);
    CHECK(vicc.wait() == 0);
}

TEST_CASE("what no host says ends the connection, and nothing else", "[vscard]")
{
    FakeMachine machine;
    Vicc vicc(machine);
    int refused = 0;
    for (const auto* nonsense : {
             "000000070000000000010001",                          // 64 KiB and one byte
             "0000000700000000ffffffff",                          // 4 GiB
             "000000010000000000000004",                          // init, too short
             "00000001ffffffff0000000c425343440000000200000000",  // another magic
             "000000020000000000000000",                          // an error without a code
             "00000002000000000000000400000009",                  // an error that is not known
             "000000050000000000000000",                          // what only a card says
             "0000000c0000000000000000",                          // no type
             "474554202f20485454502f312e310d0a",                  // GET / HTTP/1.1
         }) {
        machine.accept();
        machine.expect(VscardType::init);
        if (refused % 2 == 1) machine.insert();
        machine.send_bytes(from_hex(nonsense));
        CHECK(machine.hears_the_end());
        machine.hang_up();
        vicc.wait_for("does not speak VSCard", ++refused);
        // Pauses grow while nothing sensible comes: this keeps the test short.
        machine.take_card();
        machine.hang_up();
    }
    CHECK(refused == 9);
    machine.take_card();
    CHECK(machine.transmit(from_hex("0084000008")).size() == 10);
    vicc.signal(SIGTERM);
    CHECK(vicc.wait() == 0);
}

TEST_CASE("a machine that wants no card is asked again", "[vscard]")
{
    FakeMachine machine;
    Vicc vicc(machine);
    machine.accept();
    machine.expect(VscardType::init);
    machine.say_init();
    machine.expect(VscardType::reader_add);
    machine.say(chip::VscardError::cannot_add_more_readers);
    CHECK(machine.hears_the_end());
    machine.hang_up();
    vicc.wait_for("has no reader to give");
    CHECK(vicc.times("has the card") == 0);

    machine.accept();
    machine.expect(VscardType::init);
    machine.insert(chip::VscardError::card_already_inserted);
    CHECK(machine.hears_the_end());
    machine.hang_up();
    vicc.wait_for("refuses the card");

    machine.take_card();
    vicc.wait_for("has the card");
}

TEST_CASE("a command that comes before the card is in gets an error", "[vscard]")
{
    FakeMachine machine;
    Vicc vicc(machine);
    machine.accept();
    machine.expect(VscardType::init);
    machine.send(VscardType::apdu, from_hex("0084000008"));
    CHECK(machine.expect(VscardType::error) == from_hex("00000001"));
    machine.insert();
    CHECK(machine.transmit(from_hex("0084000008")).size() == 10);
}

TEST_CASE("an address that is none is wrong usage", "[vscard]")
{
    for (const auto* address : {"", ":", "127.0.0.1", "127.0.0.1:", ":35964", "127.0.0.1:0",
                                "127.0.0.1:65536", "127.0.0.1:35964x", "::1:35964", "[]:1"}) {
        Vicc vicc({"--vscard", address});
        INFO(address);
        CHECK(vicc.wait() == 64);
    }
    for (const auto* option : {"--host=127.0.0.1", "--port=1", "--protocol=t1"}) {
        Vicc vicc({"--vscard", "127.0.0.1:35964", option});
        CHECK(vicc.wait() == 64);
    }
}
