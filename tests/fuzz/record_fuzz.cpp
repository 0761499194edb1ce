// SPDX-License-Identifier: Apache-2.0
// Calls at readers that fail as planned, recorded: the record plays the same answers again, and of
// a command with a PIN or a key there is nothing in it but the header.
#include <tallycard/fault_reader.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/replay_reader.hpp>
#include <tallycard/trace_reader.hpp>

#include <array>
#include <filesystem>

#include "../../readers/trace/masking.hpp"
#include "../support/scripted_reader.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "scratch.hpp"

using namespace tallycard;
using namespace std::chrono_literals;
using fuzz::Bytes;
using fuzz::Input;

namespace {

// Raw, or as the protocol has it, perhaps with something changed.
Bytes a_command(Input& input, std::uint8_t how)
{
    if (how % 2 == 0) {
        const auto given = input.bytes(how % 32u);
        Bytes command(given.begin(), given.end());
        if (command.size() < 4) command.resize(4 + how % 2u);
        return command;
    }
    constexpr const char* known[] = {"00a404000bf054414c4c59434152440100",
                                     "0088000010000102030405060708090a0b0c0d0e0f00",
                                     "8030040015840800000000000000018502"
                                     "03d2"
                                     "8705"
                                     "53484f5031"
                                     "00",
                                     "8034000026"
                                     "8408fffffffffffffc18"
                                     "850203d2"
                                     "861000000000000000000000000000000000"
                                     "8704"
                                     "53484f50"
                                     "00",
                                     "803600000400000001"
                                     "00",
                                     "803601000400000001"
                                     "00",
                                     "80ca009200",
                                     "008400000800",
                                     "00c0000010",
                                     "0020000108"
                                     "244711ffffffffff",
                                     "0024010108"
                                     "244711ffffffffff",
                                     "80300200158408ffffffffffffff9c8502"
                                     "03d2"
                                     "8705"
                                     "53484f5031"
                                     "00",
                                     "803200008"
                                     "2"};
    const std::string_view hex = known[input.below(std::size(known))];
    Bytes command(hex.size() / 2);
    (void)detail::from_hex(hex.substr(0, 2 * command.size()), command);
    if (input.one_in(4)) fuzz::edit(command, input);
    if (command.size() < 4) command.resize(4);
    return command;
}

// What a run of calls answered, as text.
std::string play(ReaderDriver& driver, Input input)
{
    std::string heard;
    const auto note = [&](const auto& result) {
        heard += result ? "ok " : name(result.error().code);
        if (!result && result.error().effect == Effect::unknown) heard += '?';
    };
    (void)driver.list();
    auto opened = driver.open("one");
    note(opened);
    if (!opened) return heard;
    auto link = (*opened)->connect(Sharing::shared);
    note(link);
    for (int i = 0; i < 12 && link; ++i) {
        const auto how = input.byte();
        const auto command = a_command(input, how);
        std::array<std::uint8_t, 300> answer{};
        switch (how >> 5) {
        case 0: note((*link)->begin()); break;
        case 1: note((*link)->end()); break;
        case 2: note((*link)->reconnect()); break;
        case 3: {
            if (!(*link)->has_pin_pad()) break;
            const auto size = (*link)->transmit_with_pin(PinEntry::verify, command, answer);
            note(size);
            break;
        }
        default: {
            const auto size = (*link)->transmit(command, answer);
            note(size);
            // What GET RESPONSE fetches may belong to a command that is masked.
            if (size && trace::is_public(command) && !trace::is_get_response(command))
                heard += to_hex(std::span(answer).first(*size));
        }
        }
    }
    return heard;
}

constexpr std::array kinds = {PlannedFault::Kind::lose_command, PlannedFault::Kind::lose_answer,
                              PlannedFault::Kind::drop,         PlannedFault::Kind::mute_before,
                              PlannedFault::Kind::mute_after,   PlannedFault::Kind::delay,
                              PlannedFault::Kind::status,       PlannedFault::Kind::only_status,
                              PlannedFault::Kind::truncate,     PlannedFault::Kind::flip_bit,
                              PlannedFault::Kind::repeat,       PlannedFault::Kind::reset_before,
                              PlannedFault::Kind::reset_after,  PlannedFault::Kind::remove_before,
                              PlannedFault::Kind::remove_after, PlannedFault::Kind::unplug_before,
                              PlannedFault::Kind::unplug_after};

FaultPlan plan(Input& input)
{
    FaultPlan plan;
    plan.deadline = 1ms;
    for (auto left = input.below(4); left > 0; --left) {
        const auto kind = kinds[input.below(kinds.size())];
        plan.faults.push_back({.kind = kind,
                               .when = static_cast<PlannedFault::When>(input.below(3)),
                               .number = 1 + input.byte() % 8u,
                               .ins = {},
                               .value = kind == PlannedFault::Kind::delay ? 0u : input.byte()});
    }
    return plan;
}

// Headers and status words are shown, and no more, where a command is not public.
void check_masking(std::span<const std::uint8_t> command)
{
    if (command.size() < 4) return;
    const bool has_secret = command[1] == 0x20 || command[1] == 0x24 || command[1] == 0xE2;
    FUZZ_CHECK(!has_secret || !trace::is_public(command));
    if (trace::is_public(command)) return;
    const auto text = trace::command_text(command, false);
    FUZZ_CHECK(text.size() == 2 * command.size());
    FUZZ_CHECK(text.find_first_not_of('.', 8) == std::string::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    const auto state = std::make_shared<testing::ScriptedState>();
    state->data_size = input.byte() % 64u;
    state->has_pin_pad = input.one_in(2);
    const auto faults = plan(input);
    check_masking(Input(input).rest());
    const auto path = fuzz::scratch().file("record");
    std::filesystem::remove(path);
    std::string heard;
    {
        auto faulty = open_faulty(std::make_unique<testing::ScriptedDriver>(state), faults);
        auto traced = open_traced(std::move(faulty), path);
        FUZZ_CHECK(traced);
        heard = play(**traced, input);
    }
    const auto replay = open_replay(path);
    FUZZ_CHECK(replay);
    FUZZ_CHECK(play(**replay, input) == heard);
    FUZZ_CHECK((*replay)->finished());
    return 0;
}
