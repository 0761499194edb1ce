// SPDX-License-Identifier: Apache-2.0
// The record of a session: all that happened is in it, and no secret.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include <tallycard/fault_reader.hpp>
#include <tallycard/replay_reader.hpp>
#include <tallycard/trace_reader.hpp>

#include "../../readers/trace/masking.hpp"
#include "support/paper_issuer.hpp"
#include "support/scripted_reader.hpp"
#include "support/temporary_folder.hpp"

using namespace tallycard;
using namespace testing;
using Bytes = std::vector<std::uint8_t>;

namespace {

std::string text_of(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Without the times.
std::vector<std::string> lines_of(const std::string& path)
{
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line.starts_with("tally") ? line : line.substr(line.find(' ') + 1));
    return lines;
}

struct Bench {
    explicit Bench(const std::string& plan = "")
    {
        auto inner = open_faulty(std::make_unique<ScriptedDriver>(card),
                                 FaultPlan::parse("tallycard-faults 1\n" + plan).value());
        driver = open_traced(std::move(inner), path).value();
    }
    test::TemporaryFolder folder;
    std::string path = folder.file("record");
    std::shared_ptr<ScriptedState> card = std::make_shared<ScriptedState>();
    std::unique_ptr<ReaderDriver> driver;
    std::array<std::uint8_t, 258> answer{};
};

bool occurs(const std::string& text, const Bytes& secret)
{
    auto low = to_hex(secret);
    auto high = low;
    std::ranges::transform(high, high.begin(), [](char c) { return c >= 'a' ? char(c - 32) : c; });
    const std::string raw(secret.begin(), secret.end());
    return text.find(low) != std::string::npos || text.find(high) != std::string::npos ||
           text.find(raw) != std::string::npos;
}

Bytes command_of(Bytes header, const Bytes& data, bool with_le = false)
{
    header.push_back(static_cast<std::uint8_t>(data.size()));
    header.insert(header.end(), data.begin(), data.end());
    if (with_le) header.push_back(0);
    return header;
}

}  // namespace

TEST_CASE("a record tells every call and how it ended", "[trace]")
{
    Bench bench("at 2 remove-after");
    bench.card->has_pin_pad = true;
    (void)bench.driver->list();
    CHECK_FALSE(bench.driver->open("no \"such\""));
    {
        const auto reader = bench.driver->open("one").value();
        CHECK(reader->card());
        CHECK(reader->wait_for_card(std::chrono::seconds(20)));
        CHECK_FALSE(reader->wait_for_removal(std::chrono::milliseconds(0)));
        const auto link = reader->connect(Sharing::exclusive).value();
        CHECK(link->begin());
        const Bytes challenge = {0x00, 0x84, 0x00, 0x00, 0x08};
        CHECK(link->transmit(challenge, bench.answer));
        CHECK_FALSE(link->transmit(challenge, bench.answer));
        CHECK_FALSE(link->end());
        CHECK_FALSE(link->reconnect());
        CHECK_FALSE(reader->card());
        CHECK_FALSE(reader->connect(Sharing::shared));
        const auto monitor = bench.driver->monitor({}).value();
        CHECK(monitor->wait(std::chrono::seconds(20)));
        CHECK(monitor->wait(std::chrono::seconds(20)));
    }
    CHECK(lines_of(bench.path) ==
          std::vector<std::string>{"tallycard-trace 1",
                                   R"(reader 1 "one")",
                                   "list > 1",
                                   R"(reader 2 "no \"such\"")",
                                   "open 2 > ! reader_unavailable none 00000000",
                                   "open 1 > ok",
                                   "card 1 > 3b00",
                                   "wait_for_card 1 > 3b00",
                                   "wait_for_removal 1 > ! timed_out none 00000000",
                                   "connect 1 exclusive > 1 t1 3b00 pin_pad",
                                   "begin 1 > ok",
                                   "transmit 1 0084000008 > 01010101010101019000",
                                   "transmit 1 0084000008 > ! card_removed unknown 00000000",
                                   "end 1 > ! card_removed none 00000000",
                                   "reconnect 1 > ! card_removed none 00000000",
                                   "card 1 > ! no_card none 00000000",
                                   "connect 1 shared > ! no_card none 00000000",
                                   "event service_up",
                                   "event reader_arrived 1",
                                   "close 1"});
    CHECK(open_replay(bench.path));
}

TEST_CASE("a trace file is new, and its owner's alone", "[trace]")
{
    Bench bench;
    struct stat status {};
    REQUIRE(stat(bench.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    const auto before = text_of(bench.path);
    CHECK(open_traced(std::make_unique<ScriptedDriver>(bench.card), bench.path).error().code ==
          Errc::file_exists);
    CHECK(text_of(bench.path) == before);
    CHECK(
        open_traced(std::make_unique<ScriptedDriver>(bench.card), "/nowhere/record").error().code ==
        Errc::file_missing);
}

TEST_CASE("commands of the protocol that carry no secret are public, in their own form only",
          "[trace]")
{
    PaperIssuer issuer;
    const auto first = issuer.sign(bytes_value<CardId>(1), 1, Kind::top_up, 100).encode();
    const Bytes execute_data(first.bytes().begin(), first.bytes().end());
    const Bytes aid = {0xF0, 'T', 'A', 'L', 'L', 'Y', 'C', 'A', 'R', 'D', 0x01};
    Bytes pay_data = {0x84, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0x85, 2, 3, 0xD2, 0x86, 16};
    pay_data.resize(pay_data.size() + 16, 0x5E);
    pay_data.insert(pay_data.end(), {0x87, 2, 'S', '1'});
    Bytes request_data(pay_data.begin(), pay_data.begin() + 14);
    request_data.insert(request_data.end(), {0x87, 2, 'S', '1'});
    const std::vector<Bytes> commands = {
        command_of({0x00, 0xA4, 0x04, 0x00}, aid, true),
        {0x00, 0x84, 0x00, 0x00, 0x08},
        command_of({0x00, 0x88, 0x00, 0x00}, Bytes(16, 7), true),
        {0x00, 0xC0, 0x00, 0x00, 0x00},
        {0x80, 0xCA, 0x00, 0x92, 0x34},
        command_of({0x80, 0x30, 0x03, 0x00}, request_data, true),
        command_of({0x80, 0x32, 0x00, 0x00}, execute_data),
        command_of({0x80, 0x34, 0x00, 0x00}, pay_data, true),
        command_of({0x80, 0x36, 0x00, 0x00}, {0, 0, 0, 1}),
        command_of({0x80, 0x36, 0x01, 0x00}, {0, 0, 0, 1}, true),
    };
    std::size_t changed = 0;
    for (const auto& command : commands) {
        CAPTURE(to_hex(command));
        CHECK(trace::is_public(command));
        CHECK(trace::command_text(command, true) == to_hex(command));
        for (const std::size_t at : {0u, 1u, 3u}) {  // another class, instruction, P2
            auto other = command;
            other[at] ^= 0x08;
            CHECK_FALSE(trace::is_public(other));
            ++changed;
        }
        auto longer = command;
        longer.insert(longer.end(), {1, 2});
        CHECK_FALSE(trace::is_public(longer));
        if (command.size() > 5) {
            auto shorter = command;
            shorter[4] = static_cast<std::uint8_t>(shorter[4] - 1);
            shorter.erase(shorter.begin() + 5);
            CHECK(trace::is_public(shorter) == false);
        }
    }
    CHECK(changed == 3 * commands.size());
}

TEST_CASE("planted PINs and keys are not in the record, under any instruction", "[trace]")
{
    const Bytes pin = {0x24, 0x47, 0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const Bytes digits = {'7', '3', '9', '1', '6', '4', '0', '8'};
    Bytes key(32), sealed(28 + 40);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(0xA0 + i);
    std::ranges::copy(key, sealed.begin() + 12);
    auto both = pin;
    both.insert(both.end(), digits.begin(), digits.end());

    Bench bench;
    bench.card->has_pin_pad = true;
    const auto reader = bench.driver->open("one").value();
    auto link = reader->connect(Sharing::shared).value();
    const auto send = [&](const Bytes& command) { CHECK(link->transmit(command, bench.answer)); };
    send(command_of({0x00, 0x20, 0x00, 0x01}, pin));
    send(command_of({0x00, 0x24, 0x00, 0x01}, both));
    send(command_of({0x80, 0xE2, 0x00, 0x00}, sealed));
    CHECK(link->transmit_with_pin(PinEntry::verify, command_of({0x00, 0x20, 0x00, 0x01}, pin),
                                  bench.answer));
    // Smuggled: every instruction of every class that we have, and more of them.
    std::size_t tried = 0;
    for (const std::uint8_t cla : Bytes{0x00, 0x80, 0x0C, 0x10, 0xFF}) {
        for (unsigned ins = 0; ins <= 0xFF; ++ins) {
            for (const auto& secret : {pin, digits, key, both}) {
                // A challenge is 16 bytes of anything.
                if (cla == 0 && ins == 0x88 && secret == both) continue;
                send(command_of({cla, static_cast<std::uint8_t>(ins), 0x00, 0x00}, secret, true));
                send(command_of({cla, static_cast<std::uint8_t>(ins), 0x04, 0x00}, secret));
                ++tried;
            }
        }
    }
    CHECK(tried == 5 * 256 * 4 - 1);
    Bytes extended = {0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0x08};
    extended.insert(extended.end(), pin.begin(), pin.end());
    send(extended);
    send({0x47, 0x11});  // too short to have a header
    link.reset();

    const auto text = text_of(bench.path);
    CHECK_FALSE(occurs(text, pin));
    CHECK_FALSE(occurs(text, Bytes(pin.begin(), pin.begin() + 4)));
    CHECK_FALSE(occurs(text, digits));
    CHECK_FALSE(occurs(text, key));
    CHECK_FALSE(occurs(text, Bytes(key.begin() + 8, key.begin() + 16)));
    const auto lines = lines_of(bench.path);
    const auto has = [&](const std::string& line) { return std::ranges::count(lines, line) == 1; };
    CHECK(has("transmit 1 00200001.................. > ................9000"));
    CHECK(has("type_pin 1 00200001.................. > ................9000"));
    CHECK(has("transmit 1 .... > ................9000"));
}

TEST_CASE("what GET RESPONSE fetches is as secret as the command before it", "[trace]")
{
    Bench bench;
    const auto reader = bench.driver->open("one").value();
    const auto link = reader->connect(Sharing::shared).value();
    const auto other = reader->connect(Sharing::shared).value();
    const Bytes challenge = {0x00, 0x84, 0x00, 0x00, 0x08};
    const Bytes get_response = {0x00, 0xC0, 0x00, 0x00, 0x08};
    const Bytes unknown = {0x00, 0xB0, 0x00, 0x00, 0x08};
    for (const auto& command : {challenge, get_response, unknown, get_response, get_response})
        CHECK(link->transmit(command, bench.answer));
    CHECK(other->transmit(get_response, bench.answer));  // the same card
    const auto lines = lines_of(bench.path);
    std::vector<std::string> sent;
    std::ranges::copy_if(lines, std::back_inserter(sent),
                         [](const std::string& line) { return line.starts_with("transmit"); });
    CHECK(sent == std::vector<std::string>{"transmit 1 0084000008 > 01010101010101019000",
                                           "transmit 1 00c0000008 > 02020202020202029000",
                                           "transmit 1 00b00000.. > ................9000",
                                           "transmit 1 00c0000008 > ................9000",
                                           "transmit 1 00c0000008 > ................9000",
                                           "transmit 2 00c0000008 > ................9000"});
}
