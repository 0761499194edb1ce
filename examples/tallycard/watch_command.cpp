// SPDX-License-Identifier: Apache-2.0
// readers --watch: what happens at the readers, as it happens.
#include "watch_command.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <cstdio>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result_error.hpp>

using namespace tallycard;

namespace {

// SIGINT and SIGTERM as something to wait for. Made before other threads, which inherit the mask.
class Interruption {
public:
    Interruption()
    {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, nullptr);
        descriptor_ = signalfd(-1, &signals, SFD_CLOEXEC);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    ~Interruption() { close(descriptor_); }

    int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

void print(const ReaderEvent& event, bool json)
{
    const auto atr = to_hex(event.atr.bytes());
    if (json) {
        Json line{{"event", name(event.kind)}};
        if (!event.reader.empty()) line["reader"] = event.reader;
        if (!atr.empty()) line["atr"] = atr;
        std::puts(line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        std::string line = name(event.kind);
        line.resize(14, ' ');
        if (!event.reader.empty()) line += "  " + event.reader;
        if (!atr.empty()) line += ", ATR " + atr;
        std::puts(line.c_str());
    }
    std::fflush(stdout);
}

}  // namespace

Report watch_readers(ReaderDriver& driver, bool json)
{
    const Interruption interruption;
    const auto monitor = driver.monitor({}).value();
    for (;;) {
        pollfd items[] = {
            {.fd = monitor->descriptor(), .events = POLLIN, .revents = 0},
            {.fd = interruption.descriptor(), .events = POLLIN, .revents = 0},
        };
        if (poll(items, std::size(items), -1) < 0) continue;
        if (items[1].revents != 0) return {};
        while (const auto event = monitor->next()) print(*event, json);
    }
}
