// SPDX-License-Identifier: Apache-2.0
// What the driver's configuration file may say.
#include <catch2/catch.hpp>

#include <string>

#include "../../readers/ifd/ifd_config.hpp"

using namespace tallycard;
using ifd::parse_config;

namespace {

void check_refused(const std::string& text, unsigned line, const std::string& why)
{
    INFO(text);
    const auto config = parse_config(text);
    REQUIRE(!config);
    CHECK(config.error().code == Errc::malformed);
    CHECK(config.error().detail == line);
    CHECK(std::string(config.error().where).find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("a configuration that says nothing is the usual one", "[ifd]")
{
    for (const auto* text : {"", "\n", "# slots = 1", "  \t \n\n#\n"}) {
        const auto config = parse_config(text).value();
        CHECK(config.slots == 4);
        CHECK(config.socket_of(3) == "/run/tallycard/slot-3");
        CHECK(config.deadline == std::chrono::seconds(10));
        CHECK(!config.has_pinpad());
        CHECK(config.slot[0].image.empty());
    }
}

TEST_CASE("a configuration says everything once", "[ifd]")
{
    const auto whole = parse_config(
                           "slots=2\n directory = /tmp/x \nowner = kiosk\nserial = A-1_b.c\n"
                           "deadline-ms = 1\npin-prompt = ask \"PIN = ?\" # 1\n"
                           "pin-timeout-s = 255\n[slot 1]\nimage = /a b\nprotocol = t0\n"
                           "fsync = no\n[slot 0]\ntransport-key-file = /k")
                           .value();
    CHECK(whole.slots == 2);
    CHECK(whole.directory == "/tmp/x");
    CHECK(whole.owner == "kiosk");
    CHECK(whole.serial == "A-1_b.c");
    CHECK(whole.deadline == std::chrono::milliseconds(1));
    CHECK(whole.pin_prompt == "ask \"PIN = ?\" # 1");
    CHECK(whole.pin_timeout == std::chrono::seconds(255));
    CHECK(whole.slot[1].image == "/a b");
    CHECK(whole.slot[1].protocol == TransmissionProtocol::t0);
    CHECK(!whole.slot[1].fsync);
    CHECK(whole.slot[0].transport_key_file == "/k");
    CHECK(whole.slot[0].fsync);
}

TEST_CASE("a wrong line is refused with its number and what is wanted", "[ifd]")
{
    check_refused("slots = 0", 1, "1 to 16");
    check_refused("\n\nslots = 17\n", 3, "1 to 16");
    check_refused("slots = 4x", 1, "1 to 16");
    check_refused("slots = 99999999999999999999", 1, "1 to 16");
    check_refused("slots = -1", 1, "1 to 16");
    check_refused("slots =", 1, "value");
    check_refused("slots", 1, "NAME = VALUE");
    check_refused("# ok\nslots = 1\nslots = 2", 3, "twice");
    check_refused("directory = run", 1, "path");
    check_refused("serial = a b", 1, "letters");
    check_refused("serial = " + std::string(33, 'a'), 1, "32");
    check_refused("deadline-ms = 0", 1, "milliseconds");
    check_refused("pin-timeout-s = 256", 1, "seconds");
    check_refused("pin-pipe = /p\npin-prompt = x", 2, "not both");
    check_refused("Slots = 1", 1, "no such setting");
    check_refused("image = /x", 1, "no such setting");
    check_refused("[slot 1]\nslots = 1", 2, "no such setting of a slot");
    check_refused("[slot 1]\nprotocol = T1", 2, "t0 or t1");
    check_refused("[slot 1]\nfsync = true", 2, "yes or no");
    check_refused("[slot 1]\nimage = card", 2, "path");
    check_refused("[slot 16]", 1, "[slot N]");
    check_refused("[ slot 0]", 1, "[slot N]");
    check_refused("[slot]", 1, "[slot N]");
    check_refused("[slot 1", 1, "[slot N]");
    check_refused("slots = 2\n[slot 1]\n[slot 2]\nfsync = no\n", 3, "no such slot");
    check_refused("[slot 2]\nslots = 1", 2, "no such setting");
    check_refused("owner = root\r\n", 1, "control character");
    check_refused(std::string("owner = a\0b", 11), 1, "control character");
}
