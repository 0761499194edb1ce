// SPDX-License-Identifier: Apache-2.0
// The pinpad of our driver (PC/SC part 10), with its keys pressed by the test.
#include <fcntl.h>

#include <catch2/catch.hpp>

#include "support/ifd_world.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const auto transport = secret_of<TransportKey>(7);
const Bytes ok = from_hex("9000");

std::string pin_pipe()
{
    return std::string(std::getenv("TALLYCARD_SLOTS")) + "/pin";
}

// VERIFY for a PIN block of ISO 9564-1 format 2: a byte with the length in its low half, then the
// digits in BCD, in what is 2FFFFFFFFFFFFFFF before.
Bytes verify_structure(std::uint8_t seconds = 10)
{
    Bytes bytes = {seconds, seconds, 0x89, 0x47, 0x04, 12, 4, 2, 0, 0, 0, 0, 0, 0, 0, 13, 0, 0, 0};
    const auto command = from_hex("002000010820ffffffffffffff");
    bytes.insert(bytes.end(), command.begin(), command.end());
    return bytes;
}

// CHANGE REFERENCE DATA: the old block, and the new one after it.
Bytes modify_structure(std::uint8_t confirm = 3)
{
    Bytes bytes = {10, 10, 0x89, 0x47, 0x04, 0, 8, 12, 4,  confirm, 2, 0,
                   0,  0,  0,    0,    0,    0, 0, 0,  21, 0,       0, 0};
    const auto command = from_hex("002400011020ffffffffffffff20ffffffffffffff");
    bytes.insert(bytes.end(), command.begin(), command.end());
    return bytes;
}

// A card with the PIN 4711 in slot 1.
struct Table {
    explicit Table(const std::string& pinpad, const char* protocol = "t1")
        : world("slots = 2\n" + pinpad + "\n[slot 1]\nimage = " + (folder.file("card")) +
                    "\ntransport-key-file = " + make_key_file(folder) +
                    "\nfsync = no\nprotocol = " + protocol + "\n",
                1)
    {
        REQUIRE(world.reader->wait_for_card(10s));
        link = world.reader->connect(Sharing::shared).value();
        auto session = CardSession::begin(*link, issuer.root.public_key()).value();
        REQUIRE(
            session.personalise(issuer.personalisation_of(bytes_value<CardId>(0xC1), transport)));
        REQUIRE(session.select());
        (void)session.end();
        program = std::make_unique<PlainCard>(slot_name(1));
        features = program->features();
    }

    static void press(const std::string& keys)
    {
        const int pipe = open(pin_pipe().c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        REQUIRE(write(pipe, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
        close(pipe);
    }
    Bytes verify(const Bytes& structure) const
    {
        return program->control(features.at(FEATURE_VERIFY_PIN_DIRECT), structure).bytes;
    }
    Bytes modify(const Bytes& structure) const
    {
        return program->control(features.at(FEATURE_MODIFY_PIN_DIRECT), structure).bytes;
    }
    // VERIFY with no data: whether the PIN stands verified.
    Bytes pin_status() const { return program->transmit(from_hex("0020000100")).bytes; }

    const test::TemporaryFolder folder;
    PaperIssuer issuer;
    IfdWorld world;
    std::unique_ptr<CardLink> link;
    std::unique_ptr<PlainCard> program;
    std::map<int, DWORD> features;
};

const std::string piped = "pin-pipe = /run/pcscd/slots/pin";

}  // namespace

TEST_CASE("a PIN goes from the pinpad to the card", "[pcsc][ifd]")
{
    const auto* protocol = GENERATE("t1", "t0");
    const Table table(piped, protocol);
    CHECK(table.features.size() == 4);
    Table::press("4712\n");
    CHECK(table.verify(verify_structure()) == from_hex("63c2"));
    Table::press("4711\n");
    CHECK(table.verify(verify_structure()) == ok);
    CHECK(table.pin_status() == ok);
}

TEST_CASE("a PIN that is not typed well never gets to the card", "[pcsc][ifd]")
{
    const Table table(piped);
    CHECK(table.verify(verify_structure(1)) == from_hex("6400"));  // nobody there
    for (const auto* keys : {"\n", "C\n", "47C1\n"}) {
        Table::press(keys);
        CHECK(table.verify(verify_structure()) == from_hex("6401"));
    }
    for (const auto* keys : {"471\n", "1234567890123\n", "1234567890123456789012345678901234\n"}) {
        Table::press(keys);
        CHECK(table.verify(verify_structure()) == from_hex("6403"));
    }
    auto broken = verify_structure();
    broken.pop_back();
    CHECK(table.verify(broken) == from_hex("6b80"));
    CHECK(table.verify({}) == from_hex("6b80"));
    CHECK(table.pin_status() == from_hex("63c3"));  // no try was used up
}

TEST_CASE("a PIN is changed at the pinpad", "[pcsc][ifd]")
{
    const Table table(piped);
    Table::press("4711\n080815\n080816\n");
    CHECK(table.modify(modify_structure()) == from_hex("6402"));
    Table::press("4711\n080815\n080815\n");
    CHECK(table.modify(modify_structure()) == ok);
    Table::press("080815\n1234\n");
    CHECK(table.modify(modify_structure(2)) == ok);  // asked for once
    Table::press("1234\n");
    CHECK(table.verify(verify_structure()) == ok);
    CHECK(table.modify(modify_structure(4)) == from_hex("6b80"));
}

TEST_CASE("a PIN comes from a prompt", "[pcsc][ifd]")
{
    struct Case {
        const char *command, *status;
    };
    const auto [command, status] = GENERATE(
        Case{"printf 4711", "9000"}, Case{"printf '4711\\n'; exec sleep 60", "6401"},
        Case{"printf 4711; exit 1", "6401"}, Case{"exec sleep 60", "6400"},
        Case{"test \"$TALLYCARD_PIN_PROMPT/$TALLYCARD_SLOT\" = PIN/1 && echo 4711", "9000"},
        Case{"/no/such/program", "6401"});
    const Table table(std::string("pin-prompt = ") + command);
    CHECK(table.verify(verify_structure(1)) == from_hex(status));
}

TEST_CASE("a reader without a pinpad offers none", "[pcsc][ifd]")
{
    const Table table("");
    CHECK(table.features.size() == 1);
    REQUIRE(table.features.count(FEATURE_GET_TLV_PROPERTIES) == 1);
    CHECK(table.program->control(SCARD_CTL_CODE(3500 + FEATURE_VERIFY_PIN_DIRECT)).code ==
          SCARD_E_UNSUPPORTED_FEATURE);
    const auto properties = table.program->control(table.features.at(FEATURE_GET_TLV_PROPERTIES));
    CHECK(properties.bytes == from_hex("0a0400000100"));
}
