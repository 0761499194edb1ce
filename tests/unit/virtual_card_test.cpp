// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tallycard/transport_key_file.hpp>
#include "../../virtual-card/nvm/file_nvm.hpp"
#include "../../virtual-card/virtual_card.hpp"
#include "support/issued_card.hpp"
#include "support/temporary_folder.hpp"

using namespace tallycard;
using namespace testing;
namespace fs = std::filesystem;

namespace {

auto count_files(const test::TemporaryFolder& folder)
{
    return std::distance(fs::directory_iterator(folder.path()), {});
}

void write_file(const std::string& path, const std::string& text, ::mode_t mode = 0600)
{
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
}

void flip(const std::string& path, std::streamoff at)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
}

Reply transmit(VirtualCard& card, const Bytes& command)
{
    std::array<std::uint8_t, VirtualCard::max_answer> answer{};
    return reply_of(std::span(answer).first(card.transmit(command, answer)));
}

Result<std::unique_ptr<VirtualCard>> open_card(const std::string& image, bool with_key,
                                               TransmissionProtocol protocol)
{
    const auto key = secret_of<TransportKey>(9);
    return VirtualCard::open({.image = image,
                              .transport_key = with_key ? &key : nullptr,
                              .protocol = protocol,
                              .durable = false});
}

Result<std::unique_ptr<VirtualCard>> open_card(const std::string& image, bool with_key = false)
{
    return open_card(image, with_key, TransmissionProtocol::t1);
}

const Bytes select_command = command_apdu(wire::command::select, wire::aid, 0);

}  // namespace

TEST_CASE("a missing image becomes a blank card where there is a transport key", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto image = folder.file("card");
    auto missing = open_card(image);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Errc::file_missing);
    CHECK(count_files(folder) == 0);

    auto card = open_card(image, true);
    REQUIRE(card);
    CHECK(count_files(folder) == 1);
    struct stat status {};
    REQUIRE(::stat(image.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(status.st_size == chip::SlotNvm::image_size);
    CHECK(transmit(**card, select_command).data.size() == 23);

    auto other = open_card(image, true);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::file_in_use);
    card->reset();
    CHECK(open_card(image));
}

TEST_CASE("what a card has executed outlives its process", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto image = folder.file("card");
    const auto c = load_vectors("personalise.json", "cases").at(0);
    const auto key = secret<TransportKey>(c.at("transport_key"));
    for (const bool durable : {true, false}) {
        auto card = VirtualCard::open({.image = image, .transport_key = &key, .durable = durable});
        REQUIRE(card);
        transmit(**card, select_command);
        CHECK(transmit(**card, from_hex(c.at("command"))).sw == (durable ? 0x9000 : 0x6985));
        CHECK(transmit(**card, select_command).data.size() == 133);
    }
}

TEST_CASE("an image that is not one, or that others may read, is refused", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto refused = [&](const char* name) {
        const auto card = open_card(folder.file(name), true);
        return card ? Error{} : card.error();
    };
    write_file(folder.file("empty"), "");
    CHECK(refused("empty").code == Errc::file_damaged);
    write_file(folder.file("text"), std::string(20'000, 'x'));
    CHECK(refused("text").code == Errc::file_damaged);
    fs::create_directory(folder.file("folder"));
    CHECK(refused("folder").code == Errc::file_rejected);
    CHECK(refused("none/card").code == Errc::file_rejected);

    REQUIRE(open_card(folder.file("card"), true));
    ::chmod(folder.file("card").c_str(), 0640);
    CHECK(refused("card").code == Errc::file_rejected);
    CHECK(refused("card").detail == EACCES);
    ::chmod(folder.file("card").c_str(), 0600);
    flip(folder.file("card"), 19);
    CHECK(refused("card").code == Errc::file_damaged);
}

TEST_CASE("a truncated or twice damaged image opens, and its card answers 6581", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto image = folder.file("card");
    REQUIRE(open_card(image, true));
    flip(image, chip::SlotNvm::block_size + 100);  // the only slot that was ever written
    {
        auto card = open_card(image);
        REQUIRE(card);
        CHECK((*card)->memory_damaged());
        CHECK(transmit(**card, select_command).sw == 0x6581);
        CHECK(transmit(**card, from_hex("0084000008")).sw == 0x9000);
    }
    flip(image, chip::SlotNvm::block_size + 100);
    CHECK_FALSE((*open_card(image))->memory_damaged());
    fs::resize_file(image, 5000);
    CHECK((*open_card(image))->memory_damaged());
}

TEST_CASE("a full disk answers 6581 and loses nothing", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto image = folder.file("card");
    auto file = chip::FileNvm::create(image, true, secret_of<TransportKey>(9));
    REQUIRE(file);
    auto& nvm = (*file)->nvm();
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit before {};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const struct rlimit small = {9000, before.rlim_max};  // in the middle of the second slot
    ::setrlimit(RLIMIT_FSIZE, &small);
    nvm.draft().pin_tries = 2;
    const bool committed = nvm.commit();
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK_FALSE(committed);
    file->reset();
    auto again = chip::FileNvm::open(image, true);
    REQUIRE(again);
    REQUIRE((*again)->nvm().readable());
    CHECK((*again)->nvm().current().pin_tries == 0);
}

TEST_CASE("the ATR names protocol and card", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const auto t1 = open_card(folder.file("t1"), true, TransmissionProtocol::t1);
    const auto t0 = open_card(folder.file("t0"), true, TransmissionProtocol::t0);
    CHECK(bytes_of((*t1)->atr().bytes()) == from_hex("3b89800154414c4c594341524450"));
    CHECK(bytes_of((*t0)->atr().bytes()) == from_hex("3b0954414c4c5943415244"));
}

TEST_CASE("power off, power on and reset lose the selection", "[applet][file]")
{
    const test::TemporaryFolder folder;
    for (const auto protocol : {TransmissionProtocol::t0, TransmissionProtocol::t1}) {
        const auto card = open_card(folder.file(protocol == TransmissionProtocol::t0 ? "0" : "1"),
                                    true, protocol);
        auto select = select_command;
        if (protocol == TransmissionProtocol::t0) select.pop_back();
        const Bytes too_short(27, 0);
        const auto personalise = command_apdu(wire::command::personalise, too_short);
        for (const auto lose :
             {&VirtualCard::power_off, &VirtualCard::power_on, &VirtualCard::reset}) {
            transmit(**card, select);
            CHECK(transmit(**card, personalise).sw == 0x6700);
            ((**card).*lose)();
            CHECK(transmit(**card, personalise).sw == 0x6985);
        }
    }
}

TEST_CASE("a transport key file is 64 hex digits that only its owner may read", "[applet][file]")
{
    const test::TemporaryFolder folder;
    const std::string hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const auto path = folder.file("key");
    const auto refused = [&] {
        const auto key = read_transport_key(path);
        return key ? Error{} : key.error();
    };
    CHECK(refused().code == Errc::file_missing);
    for (const auto& text : {hex, hex + "\n"}) {
        write_file(path, text);
        const auto key = read_transport_key(path);
        REQUIRE(key);
        CHECK(equal(*key, secret_of<TransportKey>(0)));
    }
    for (const auto& text : {std::string(), std::string("\n"), hex.substr(1), hex + "0",
                             hex + "\r\n", hex + "\n\n", " " + hex, "0x" + hex.substr(2),
                             hex.substr(1) + "g", hex.substr(1) + "A", std::string(64, '\0')}) {
        INFO(text);
        write_file(path, text);
        CHECK(refused().code == Errc::malformed);
    }
    for (const ::mode_t mode : {0640u, 0604u, 0660u, 0644u}) {
        write_file(path, hex, mode);
        CHECK(refused().code == Errc::file_rejected);
    }
    fs::remove(path);
    fs::create_directory(path);
    CHECK(refused().code == Errc::file_rejected);
}
