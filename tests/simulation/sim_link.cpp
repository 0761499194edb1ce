// SPDX-License-Identifier: Apache-2.0
#include "sim_link.hpp"

#include <algorithm>

namespace simulation {

using namespace tallycard;

Result<void> SimLink::begin()
{
    if (const auto* event = environment_.injector.event(Place::contact)) {
        const auto fault = *event;
        if (fault.kind == FaultKind::other_terminal_at_card) {
            environment_.other_terminal(fault.value);
        } else {
            card_.reset();
            return broken(Errc::card_reset, true);
        }
    }
    if (broken_) return Error{.code = *broken_, .where = "begin"};
    if (card_.holder != nullptr && card_.holder != this) {
        environment_.probes.reach("card held by another terminal");
        return Error{.code = Errc::card_shared, .where = "begin"};
    }
    card_.holder = this;
    return {};
}

Result<void> SimLink::end()
{
    release();
    if (broken_) return Error{.code = *broken_, .where = "end"};
    return {};
}

Result<void> SimLink::reconnect()
{
    if (broken_ == Errc::card_removed) return Error{.code = *broken_, .where = "reconnect"};
    broken_.reset();
    card_.reset();
    return {};
}

void SimLink::die()
{
    release();
    throw TerminalKilled();
}

Error SimLink::broken(Errc code, bool lasts)
{
    if (lasts) broken_ = code;
    return Error{.code = code, .effect = Effect::unknown, .where = "transmit"};
}

std::optional<Error> SimLink::before_the_card(const Fault& fault)
{
    if (fault.kind == FaultKind::kill_before_exchange) die();
    if (fault.kind == FaultKind::other_terminal_in_transaction)
        environment_.other_terminal(fault.value);
    if (fault.kind == FaultKind::lose_command) return broken(Errc::link_failed, false);
    if (fault.kind == FaultKind::reset_before) {
        card_.reset();
        return broken(Errc::card_reset, true);
    }
    if (fault.kind == FaultKind::remove_before) {
        card_.lose_power(fault.value);
        return broken(Errc::card_removed, true);
    }
    return std::nullopt;
}

std::optional<Error> SimLink::after_the_card(const Fault& fault)
{
    if (fault.kind == FaultKind::kill_after_exchange) die();
    if (fault.kind == FaultKind::lose_answer) return broken(Errc::link_failed, false);
    if (fault.kind == FaultKind::reset_after) {
        card_.reset();
        return broken(Errc::card_reset, true);
    }
    if (fault.kind == FaultKind::remove_after) {
        card_.lose_power(fault.value);
        return broken(Errc::card_removed, true);
    }
    return std::nullopt;
}

// A status word alone is not damaged: nobody could tell it from what a card says.
void SimLink::damage(const Fault& fault, Bytes& answer) const
{
    if (fault.kind == FaultKind::repeat_answer && !previous_.empty()) answer = previous_;
    if (answer.size() <= 2) return;
    if (fault.kind == FaultKind::cut_answer_short) answer.resize(fault.value % answer.size());
    if (fault.kind == FaultKind::flip_answer) {
        const auto bit = fault.value % (8 * (answer.size() - 2));
        answer[bit / 8] = static_cast<std::uint8_t>(answer[bit / 8] ^ 1u << bit % 8);
    }
}

// PAY carries no signature: what guards it against a flipped bit is the medium's own check.
Bytes SimLink::process_faulty(const Fault& fault, std::span<const std::uint8_t> command)
{
    constexpr std::uint8_t execute_ins = 0x32, pay_ins = 0x34;
    if (fault.kind == FaultKind::flip_command && command.size() > 6 && command[1] != pay_ins) {
        Bytes heard(command.begin(), command.end());
        const auto bit = 40 + fault.value % (8 * std::size_t{command[4]});
        heard[bit / 8] = static_cast<std::uint8_t>(heard[bit / 8] ^ 1u << bit % 8);
        const auto executed = card_.executed().size();
        auto said = card_.process(heard);
        if (command[1] == execute_ins)
            check(card_.executed().size() == executed, "I12", "a damaged instruction executed");
        return said;
    }
    auto said = card_.process(command);
    if (fault.kind != FaultKind::repeat_command || said.empty()) return said;
    const auto executed = card_.executed().size();
    auto again = card_.process(command);
    if (command[1] == execute_ins || command[1] == pay_ins) {
        check(card_.executed().size() == executed || said.size() == 2, "I6",
              "the same command executed twice");
        const bool both = said.size() > 2 && again.size() > 2;
        check(!both || said == again, "I6", "the same command was answered differently");
    }
    return again;
}

Result<std::size_t> SimLink::transmit(std::span<const std::uint8_t> command,
                                      std::span<std::uint8_t> answer)
{
    if (broken_) return broken(*broken_, true);
    std::optional<Fault> fault;
    if (const auto* event = environment_.injector.event(Place::exchange)) fault = *event;
    if (fault) {
        if (const auto error = before_the_card(*fault)) return *error;
    }
    auto said = fault ? process_faulty(*fault, command) : card_.process(command);
    if (said.empty()) return broken(Errc::card_removed, true);
    if (fault) {
        if (const auto error = after_the_card(*fault)) return *error;
        damage(*fault, said);
    }
    if (said.size() > answer.size()) return broken(Errc::link_failed, false);
    std::ranges::copy(said, answer.begin());
    previous_ = said;
    return said.size();
}

}  // namespace simulation
