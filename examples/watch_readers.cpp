// SPDX-License-Identifier: Apache-2.0
// Says when a card comes and goes, on one reader, until it is interrupted. Usage: watch_readers [N]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>

namespace {

using namespace std::chrono_literals;

int watch(std::size_t index)
{
    const auto readers = tallycard::open_pcsc().value();
    const auto names = readers->list().value();
    if (index >= names.size()) return std::fputs("there is no such reader\n", stderr), 1;
    const auto reader = readers->open(names[index]).value();
    std::printf("watching %s\n", reader->name().c_str());

    for (;;) {
        const auto card = reader->wait_for_card(24h);
        if (!card && card.error().code == tallycard::Errc::timed_out) continue;
        if (!card) return std::fprintf(stderr, "%s\n", card.error().message().c_str()), 1;
        std::printf("card in, ATR %s\n", tallycard::to_hex(card->bytes()).c_str());
        std::fflush(stdout);

        auto gone = reader->wait_for_removal(24h);
        while (!gone && gone.error().code == tallycard::Errc::timed_out)
            gone = reader->wait_for_removal(24h);
        if (!gone) return std::fprintf(stderr, "%s\n", gone.error().message().c_str()), 1;
        std::puts("card out");
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv)
try {
    return watch(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
