// SPDX-License-Identifier: Apache-2.0
// GET CHALLENGE of 8 bytes through pcscd and our driver, to a card in the driver and to one in its
// own process, beside a driver that answers at once; and how soon a card is seen to come and go.
// Run it with: private_pcscd.sh --no-daemon --driver tallycard --driver instant
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/pcsc.hpp>

#include "../support/pcscd_process.hpp"
#include "../support/temporary_folder.hpp"
#include "../support/vpcd_card.hpp"
#include "bare_card.hpp"
#include "bench.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;
using Clock = std::chrono::steady_clock;

const std::string name_start = "tallycard virtual reader 00 0";

std::string key_file(const test::TemporaryFolder& folder)
{
    const auto path = folder.file("key");
    std::ofstream(path) << std::string(64, '7');
    ::chmod(path.c_str(), 0600);
    return path;
}

void configure(const test::TemporaryFolder& folder)
{
    const char* path = std::getenv("TALLYCARD_IFD_CONFIG");
    if (path == nullptr) throw std::runtime_error("run this with private_pcscd.sh");
    std::ofstream(path, std::ios::app) << "[slot 1]\nimage = " << folder.file("inside")
                                       << "\ntransport-key-file = " << key_file(folder) << "\n";
}

// tallycard-vicc in slot 0.
class CardProcess {
public:
    explicit CardProcess(const test::TemporaryFolder& folder)
    {
        const auto image = folder.file("outside"), key = key_file(folder);
        const auto socket = testing::slot_socket(0);
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execl(TALLYCARD_VICC, TALLYCARD_VICC, "--image", image.c_str(), "--transport-key-file",
                key.c_str(), "--socket", socket.c_str(), nullptr);
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

std::unique_ptr<Reader> reader_at(int slot)
{
    std::unique_ptr<Reader> reader;
    testing::wait_until("the reader is there", [&] {
        auto driver = open_pcsc();
        if (!driver) return false;
        auto opened = (*driver)->open(name_start + std::to_string(slot));
        if (opened) reader = *std::move(opened);
        return reader != nullptr;
    });
    return reader;
}

Work loop(BareCard& card)
{
    return {.run = [&](std::size_t times) { card.run(times); },
            .prepare = [&](std::size_t) { card.begin(); },
            .finish = [&] { card.end(); }};
}

void compare(Report& report)
{
    BareCard instant("instant reader 00 00"), again("instant reader 00 00");
    BareCard inside(name_start + "1"), outside(name_start + "0");
    const auto add = [&](const char* name, BareCard& ours, Aim aim) {
        report.compare({.name = name,
                        .rounds = 1500,
                        .times = 10,
                        .floor = loop(instant),
                        .ours = loop(ours),
                        .aim = aim});
    };
    add("pcscd: instant driver, itself again", again, {});
    add("pcscd: instant driver, card in our driver", inside,
        {.ratio = 1.15, .added_us = {}, .allocations = {}});
    add("pcscd: instant driver, card in its process", outside,
        {.ratio = 1.5, .added_us = {}, .allocations = {}});
}

void print_times(const char* what, std::vector<double> ms, bool json)
{
    std::ranges::sort(ms);
    const double median = ms[ms.size() / 2], longest = ms.back();
    const auto* text = json ? "{\"name\": \"%s\", \"median_ms\": %.3f, \"longest_ms\": %.3f, "
                              "\"aim_ms\": 10}\n"
                            : "%s: median %.3f ms, longest %.3f ms; aim 10 ms\n";
    std::printf(text, what, median, longest);
}

void time_taps(bool json)
{
    constexpr int taps = 200;
    const auto reader = reader_at(2);
    const auto since = [](Clock::time_point start) {
        return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    };
    std::vector<double> arrivals, removals;
    for (int i = 0; i < taps; ++i) {
        auto start = Clock::now();
        auto card =
            std::make_unique<testing::VpcdCard>(testing::slot_socket(2), testing::t1_atr,
                                                [](auto) { return testing::from_hex("9000"); });
        (void)reader->wait_for_card(std::chrono::seconds(10)).value();
        arrivals.push_back(since(start));
        start = Clock::now();
        card.reset();
        reader->wait_for_removal(std::chrono::seconds(10)).value();
        removals.push_back(since(start));
    }
    print_times("a card's arrival is seen", std::move(arrivals), json);
    print_times("a card's removal is seen", std::move(removals), json);
}

}  // namespace

int main(int argc, char** argv)
{
    const test::TemporaryFolder folder;
    configure(folder);
    const testing::PcscdProcess pcscd(testing::PcscdProcess::Readers::tallycard);
    (void)reader_at(1)->wait_for_card(std::chrono::seconds(10)).value();
    const auto outside = reader_at(0);
    const CardProcess card(folder);
    (void)outside->wait_for_card(std::chrono::seconds(10)).value();
    Report report(argc, argv);
    compare(report);
    report.print();
    time_taps(argc > 1 && std::string(argv[1]) == "--json");
}
