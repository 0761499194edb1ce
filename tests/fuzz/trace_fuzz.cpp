// SPDX-License-Identifier: Apache-2.0
// The text of a record: an error inside the text, or a replay that can be driven by any calls.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <tallycard/replay_reader.hpp>

namespace {

using namespace tallycard;

void expect(bool holds)
{
    if (!holds) std::abort();
}

void drive(Reader& reader, bool exclusive)
{
    using namespace std::chrono_literals;
    constexpr std::array<std::uint8_t, 5> command = {0x00, 0x84, 0x00, 0x00, 0x08};
    std::array<std::uint8_t, 258> answer{};
    (void)reader.card();
    (void)reader.identity();
    (void)reader.wait_for_card(0ms);
    const auto link = reader.connect(exclusive ? Sharing::exclusive : Sharing::shared);
    if (!link) return;
    (void)(*link)->begin();
    const bool has_pin_pad = (*link)->has_pin_pad();
    for (int i = 0; i < 8; ++i) {
        const auto size = has_pin_pad && i % 2 == 0
                              ? (*link)->transmit_with_pin(PinEntry::verify, command, answer)
                              : (*link)->transmit(command, answer);
        if (size) expect(*size <= answer.size());
    }
    (void)(*link)->reconnect();
    (void)(*link)->end();
    (void)reader.wait_for_removal(0ms);
    reader.cancel();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto driver = parse_replay(text);
    if (!driver) {
        const auto lines = std::ranges::count(text, '\n') + 1;
        expect(driver.error().code == Errc::file_malformed);
        expect(driver.error().detail <= static_cast<std::size_t>(lines));
        expect(driver.error().column >= 1 && driver.error().column <= size + 1);
        return 0;
    }
    const auto names = (*driver)->list();
    if (!names) return 0;
    for (const auto& name : *names) {
        const auto reader = (*driver)->open(name);
        if (reader) drive(**reader, size % 2 == 0);
    }
    const auto monitor = (*driver)->monitor({});
    while (monitor && (*monitor)->next()) {
    }
    (void)(*driver)->finished();
    return 0;
}
