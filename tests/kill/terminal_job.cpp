// SPDX-License-Identifier: Apache-2.0
#include "terminal_job.hpp"

#include <sys/mman.h>

#include <new>
#include <stdexcept>

#include "remote_platform.hpp"
#include "support/stepping.hpp"

namespace testing {
namespace {

void tell(Told& told, const std::string& reason)
{
    told.reason = {};
    reason.copy(told.reason.data(), told.reason.size() - 1);
}

// No operation takes that long; what hangs has to fail the round.
constexpr unsigned longest_seconds = 60;

Told::End end_of(const Outcome& outcome, Told& told)
{
    if (std::holds_alternative<Applied>(outcome)) return Told::End::applied;
    const auto* refused = std::get_if<NotApplied>(&outcome);
    const auto& reason = refused != nullptr ? refused->reason : std::get<InDoubt>(outcome).reason;
    tell(told, reason.message());
    return refused != nullptr ? Told::End::not_applied : Told::End::in_doubt;
}

// The terminal program and all that it has open.
struct Program {
    Program(const KillWorld& world, const Job& job, Told& told_here)
        : told(told_here),
          remote(world.socket()),
          client(remote, step),
          journal(OperationJournal::open(world.journal()).value()),
          terminal(client, world.terminal_settings(journal.get())),
          link(world.connect(job.card)),
          card(*link, step)
    {
        if (job.task != Task::card_to_card) return;
        other_link = world.connect(1 - job.card);
        other.emplace(*other_link, step);
    }

    Told& told;
    Step step = [this] { ++told.steps; };
    RemotePlatform remote;
    SteppingClient client;
    std::unique_ptr<OperationJournal> journal;
    Terminal terminal;
    std::unique_ptr<CardLink> link, other_link;
    SteppingLink card;
    std::optional<SteppingLink> other;
};

// Offline; what it leaves in the journal is forwarded at once.
Outcome pay_and_settle(Program& program, const Job& job, Amount amount)
{
    auto outcome = program.terminal.pay(program.card, job.id, amount, shop());
    if (!std::holds_alternative<Applied>(outcome)) return outcome;
    for (const auto& drained : program.terminal.drain())
        if (drained.reason) return InDoubt{std::nullopt, *drained.reason};
    return outcome;
}

Outcome do_job(Program& program, const Job& job)
{
    auto& terminal = program.terminal;
    const auto amount = Amount::minor_units(job.amount);
    switch (job.task) {
    case Task::top_up: return terminal.top_up(program.card, job.id, amount);
    case Task::cash_out: return terminal.cash_out(program.card, job.id, amount);
    case Task::payment: return pay_and_settle(program, job, amount);
    case Task::card_to_card: {
        const auto both = terminal.card_to_card(program.card, *program.other, job.id, amount);
        return both.in ? *both.in : both.out;
    }
    }
    throw std::runtime_error("no such task");
}

// An id that the journal does not know: it was killed before it had written it.
Told::End end_of(const OperationJournal& journal, const OperationId& id)
{
    const auto* entry = journal.find(id);
    if (entry == nullptr || entry->stage == JournalStage::not_applied)
        return Told::End::not_applied;
    return entry->stage == JournalStage::acknowledged ? Told::End::applied : Told::End::in_doubt;
}

void give_reason(const std::vector<Drained>& all, Told& told)
{
    for (const auto& drained : all) {
        const auto text = drained.reason ? drained.reason->message() : std::string("it waits");
        if (drained.entry.is_open()) tell(told, text);
    }
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
    Program program(world, job, told);
    told.end = end_of(do_job(program, job), told);
    return true;
}

bool run_drain(const KillWorld& world, const Job& job, Told& told)
{
    ::alarm(longest_seconds);
    Program program(world, job, told);
    for (auto* card : {&program.card, program.other ? &*program.other : nullptr}) {
        if (card == nullptr) continue;
        const auto drained = program.terminal.drain(*card);
        if (!drained) tell(told, drained.error().message());
        if (drained) give_reason(*drained, told);
    }
    if (job.task != Task::card_to_card) {
        told.end = end_of(*program.journal, job.id);
        return true;
    }
    const auto ids = card_to_card_ids(job.id);
    const auto out = end_of(*program.journal, ids.out), in = end_of(*program.journal, ids.in);
    told.end = out == in ? out : Told::End::in_doubt;
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
        const auto standing = platform.standing(info->card_id, std::nullopt).value();
        told.positions.card_sequence.at(card) = info->sequence;
        told.positions.settled.at(card) = standing.settled;
        told.positions.pending.at(card) = standing.pending.has_value();
    }
    return true;
}

}  // namespace testing
