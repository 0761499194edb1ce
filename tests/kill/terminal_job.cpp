// SPDX-License-Identifier: Apache-2.0
#include "terminal_job.hpp"

#include <sys/mman.h>

#include <new>
#include <stdexcept>

#include "remote_platform.hpp"
#include "support/stepping.hpp"

namespace testing {
namespace {

// No operation takes that long; what hangs has to fail the round.
constexpr unsigned longest_seconds = 60;

Told::End end_of(const Outcome& outcome, Told& told)
{
    if (std::holds_alternative<Applied>(outcome)) return Told::End::applied;
    const auto* refused = std::get_if<NotApplied>(&outcome);
    const auto& reason = refused != nullptr ? refused->reason : std::get<InDoubt>(outcome).reason;
    reason.message().copy(told.reason.data(), told.reason.size() - 1);
    return refused != nullptr ? Told::End::not_applied : Told::End::in_doubt;
}

Outcome pay_and_settle(Terminal& terminal, CardLink& card, const Job& job, Amount amount)
{
    auto outcome = terminal.pay(card, job.id, amount, shop(), {}, job.asked);
    const auto* paid = std::get_if<Applied>(&outcome);
    if (paid == nullptr) return outcome;
    const auto settled = terminal.settle(paid->operation, paid->receipt);
    if (!settled) return InDoubt{paid->operation, settled.error()};
    return outcome;
}

Outcome do_job(Terminal& terminal, CardLink& card, CardLink* other, const Job& job)
{
    const auto amount = Amount::minor_units(job.amount);
    switch (job.task) {
    case Task::top_up: return terminal.top_up(card, job.id, amount);
    case Task::cash_out: return terminal.cash_out(card, job.id, amount);
    case Task::payment: return pay_and_settle(terminal, card, job, amount);
    case Task::card_to_card: {
        const auto both = terminal.card_to_card(card, *other, job.id, amount);
        return both.in ? *both.in : both.out;
    }
    }
    throw std::runtime_error("no such task");
}

}  // namespace

const char* name(Task task)
{
    switch (task) {
    case Task::top_up: return "top-up";
    case Task::cash_out: return "cash-out";
    case Task::payment: return "payment";
    case Task::card_to_card: return "card to card";
    }
    return "";
}

Told& Told::shared()
{
    void* memory =
        ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
    return *new (memory) Told;
}

bool run_terminal(const KillWorld& world, const Job& job, Told& told)
{
    ::alarm(longest_seconds);
    const auto step = [&told] { ++told.steps; };
    RemotePlatform remote(world.socket());
    SteppingClient platform(remote, step);
    Terminal terminal(platform, world.terminal_settings());
    const auto link = world.connect(job.card);
    SteppingLink card(*link, step);
    std::unique_ptr<CardLink> other_link;
    std::optional<SteppingLink> other;
    if (job.task == Task::card_to_card) {
        other_link = world.connect(1 - job.card);
        other.emplace(*other_link, step);
    }
    told.end = end_of(do_job(terminal, card, other ? &*other : nullptr, job), told);
    return true;
}

bool look(const KillWorld& world, Told& told)
{
    RemotePlatform platform(world.socket());
    Terminal terminal(platform, world.terminal_settings());
    for (std::size_t card = 0; card < 2; ++card) {
        std::optional<CardInfo> info;
        // A card that has just come back may be seen before the one that went has gone.
        wait_until("the card says who it is", [&] {
            const auto link = world.connect(card);
            const auto said = terminal.identify(*link);
            if (said) info = *said;
            return said.has_value();
        });
        const auto standing = platform.standing(info->card_id).value();
        told.positions.card_sequence.at(card) = info->sequence;
        told.positions.settled.at(card) = standing.settled;
        told.positions.pending.at(card) = standing.pending.has_value();
    }
    return true;
}

}  // namespace testing
