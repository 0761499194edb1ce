// SPDX-License-Identifier: Apache-2.0
// One command (GET CHALLENGE of 8 bytes) through pcscd and vpcd to a card in its own process: our
// reader and session beside a bare SCardTransmit loop to the same card. Run it with
// tests/integration/private_pcscd.sh; elsewhere it measures what needs no pcscd.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <winscard.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <tallycard/card_session.hpp>
#include <tallycard/loopback.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/verify.hpp>

#include "../../src/protocol/wire.hpp"
#include "../support/temporary_folder.hpp"
#include "bare_card.hpp"
#include "bench.hpp"
#include "minimal_card.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;

constexpr const char* reader_name = "Virtual PCD 00 00";

// A blank card in a process of its own, in the first reader of vpcd.
class CardProcess {
public:
    CardProcess(const test::TemporaryFolder& folder, const char* port)
    {
        const auto image = folder.file("card"), key = folder.file("key");
        const int file = ::open(key.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
        const std::string hex(64, '7');
        if (::write(file, hex.data(), hex.size()) != static_cast<ssize_t>(hex.size()))
            throw std::runtime_error("transport key file");
        ::close(file);
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execl(TALLYCARD_VICC, TALLYCARD_VICC, "--image", image.c_str(), "--transport-key-file",
                key.c_str(), "--port", port, nullptr);
        ::_exit(127);
    }
    CardProcess(const CardProcess&) = delete;
    CardProcess& operator=(const CardProcess&) = delete;
    ~CardProcess()
    {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_;
};

// A card that answers at once: what is left is the session's own time.
class InstantLink final : public CardLink {
public:
    const Atr& atr() const override { return atr_; }
    TransmissionProtocol protocol() const override { return TransmissionProtocol::t1; }
    Result<void> begin() override { return {}; }
    Result<void> end() override { return {}; }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        constexpr std::size_t random = 8;
        keep(command);
        const bool is_select = command[1] == 0xA4;
        const auto size = is_select ? fci_.size() : random;
        if (is_select) std::ranges::copy(fci_.bytes(), answer.begin());
        answer[size] = 0x90;
        answer[size + 1] = 0x00;
        return size + 2;
    }
    Result<void> reconnect() override { return {}; }

private:
    Encoded<CardInfo::max_encoded> fci_ = CardInfo().encode();  // a blank card's
    Atr atr_;
};

// challenge() in a session over this link.
Work session_over(CardLink& link, std::optional<CardSession>& session)
{
    return {.run =
                [&](std::size_t times) {
                    std::array<std::uint8_t, 8> random;
                    for (std::size_t i = 0; i < times; ++i) {
                        session->challenge(random).value();
                        keep(random);
                    }
                },
            .prepare =
                [&](std::size_t) {
                    session.reset();
                    session.emplace(CardSession::begin(link, PublicKey()).value());
                },
            .finish = [&] { session.reset(); }};
}

void bare_transmit(CardLink& link, std::size_t times)
{
    std::array<std::uint8_t, 258> answer;
    for (std::size_t i = 0; i < times; ++i) {
        (void)link.transmit(get_challenge, answer).value();
        keep(answer);
    }
}

void compare_links(Report& report, const char* name, CardLink& link)
{
    std::optional<CardSession> session;
    report.compare({.name = name,
                    .rounds = 300,
                    .times = 1000,
                    .floor = {.run = [&](std::size_t times) { bare_transmit(link, times); }},
                    .ours = session_over(link, session),
                    .aim = {.ratio = {}, .added_us = 2.0, .allocations = 0.0}});
}

Work loop(BareCard& one)
{
    return {.run = [&](std::size_t times) { one.run(times); },
            .prepare = [&](std::size_t) { one.begin(); },
            .finish = [&] { one.end(); }};
}

// Our card program beside the least one, and what a card pays that leaves TCP as it is.
void compare_cards(Report& report, const char* port)
{
    constexpr const char* other_reader = "Virtual PCD 00 01";
    const auto other_port = static_cast<std::uint16_t>(std::stoi(port) + 1);
    const auto reader = open_pcsc().value()->open(other_reader).value();
    BareCard ours(reader_name);
    {
        const MinimalCard card(other_port, true);
        (void)reader->wait_for_card(std::chrono::seconds(10)).value();
        BareCard minimal(other_reader);
        report.compare({.name = "pcscd and vpcd: minimal card, tallycard-vicc",
                        .rounds = 1500,
                        .times = 10,
                        .floor = loop(minimal),
                        .ours = loop(ours),
                        .aim = {.ratio = 1.1, .added_us = {}, .allocations = {}}});
    }
    reader->wait_for_removal(std::chrono::seconds(10)).value();
    const MinimalCard card(other_port, false);
    (void)reader->wait_for_card(std::chrono::seconds(10)).value();
    BareCard delayed(other_reader);
    report.compare({.name = "pcscd and vpcd: tallycard-vicc, card without TCP_QUICKACK",
                    .rounds = 20,
                    .times = 5,
                    .floor = loop(ours),
                    .ours = loop(delayed)});
}

void compare_pcsc(Report& report, const test::TemporaryFolder& folder, const char* port)
{
    const CardProcess card(folder, port);
    const auto reader = open_pcsc().value()->open(reader_name).value();
    (void)reader->wait_for_card(std::chrono::seconds(10)).value();
    const auto link = reader->connect(Sharing::shared).value();
    std::optional<CardSession> session;
    BareCard bare(reader_name), second(reader_name);
    // Two connections are two threads of pcscd, wherever the system puts them: two bare loops
    // show how far apart that alone may be.
    report.compare({.name = "pcscd and vpcd: SCardTransmit, itself again",
                    .rounds = 1500,
                    .times = 10,
                    .floor = loop(bare),
                    .ours = loop(second)});
    report.compare({.name = "pcscd and vpcd: SCardTransmit, session",
                    .rounds = 1500,
                    .times = 10,
                    .floor = loop(bare),
                    .ours = session_over(*link, session),
                    .aim = {.ratio = {}, .added_us = 2.0, .allocations = 0.0}});
    compare_cards(report, port);
}

void run(Report& report)
{
    InstantLink instant;
    compare_links(report, "instant link: transmit, session", instant);
    const test::TemporaryFolder folder;
    std::vector<LoopbackCard> cards(1);
    std::array<std::uint8_t, TransportKey::size> key{};
    cards[0].image = folder.file("loopback");
    cards[0].transport_key = TransportKey(key);
    const auto driver = open_loopback(std::move(cards)).value();
    const auto reader = driver->open(driver->list().value().front()).value();
    const auto link = reader->connect(Sharing::shared).value();
    compare_links(report, "loopback: transmit, session", *link);

    if (const char* port = std::getenv("TALLYCARD_VPCD_PORT"); port != nullptr)
        compare_pcsc(report, folder, port);
    else
        std::fputs("apdu_bench: no private pcscd: that part is left out\n", stderr);
}

}  // namespace

int main(int argc, char** argv)
{
    Report report(argc, argv);
    run(report);
    report.print();
}
