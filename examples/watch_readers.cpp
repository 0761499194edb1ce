// SPDX-License-Identifier: Apache-2.0
// Says what happens at the readers, until it is interrupted.
#include <chrono>
#include <cstdio>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>

using namespace std::chrono_literals;

int main()
try {
    const auto readers = tallycard::open_pcsc().value();
    const auto monitor = readers->monitor({}).value();
    for (;;) {
        const auto event = monitor->wait(24h);
        if (!event) continue;
        std::printf("%s %s %s\n", name(event->kind), event->reader.c_str(),
                    tallycard::to_hex(event->atr.bytes()).c_str());
        std::fflush(stdout);
    }
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
