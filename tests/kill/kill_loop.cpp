// SPDX-License-Identifier: Apache-2.0
// kill_loop [--rounds N] [--seed S] [--audit N]: real top-ups, cash-outs, payments and transfers
// through pcscd, and kill -9 at random moments of them: a card, the terminal, pcscd or the
// platform. Each operation is asked for again with its id, and has to have been done once. Runs
// beside private_pcscd.sh --no-daemon --driver tallycard.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "terminal_job.hpp"

namespace testing {
namespace {

struct Settings {
    unsigned rounds = 200, audit_every = 20;
    std::uint64_t seed = std::random_device{}();
};

// How far the operation had come when the kill came.
enum class Stage : std::uint8_t { before, signed_only, executed, settled, after };
constexpr std::array stages = {Stage::before, Stage::signed_only, Stage::executed, Stage::settled,
                               Stage::after};

const char* name(Stage stage)
{
    switch (stage) {
    case Stage::before: return "before";
    case Stage::signed_only: return "signed";
    case Stage::executed: return "executed";
    case Stage::settled: return "settled";
    case Stage::after: return "after";
    }
    return "";
}

class Loop {
public:
    explicit Loop(const Settings& settings) : settings_(settings), random_(settings.seed) {}

    void run()
    {
        for (const auto task : tasks) rehearse(task);
        for (round_ = 1; round_ <= settings_.rounds; ++round_) {
            play();
            if (round_ % settings_.audit_every == 0) world_.audit(expected_);
        }
        world_.audit(expected_);
    }
    // For people: which round, and who is killed in it.
    std::string playing() const { return "round " + std::to_string(round_) + ", " + playing_; }
    // False when something that this is about never happened.
    bool report() const;

private:
    std::uint64_t below(std::uint64_t end)
    {
        return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(random_);
    }
    Job draw_job(Task task);
    void rehearse(Task task);
    void play();
    void wait_for_moment(const Child& terminal, Task task);
    bool strike(Victim victim, Child& terminal, std::size_t card);
    Positions look_around();
    Stage stage_of(const Positions& now, bool had_ended) const;
    template <class Program>
    Told::End until_definite(const Job& job, Program program);
    void resolve(const Job& job, bool had_applied);
    void book(const Job& job);

    Settings settings_;
    std::mt19937_64 random_;
    KillWorld world_;
    Told& told_ = Told::shared();
    Holdings expected_ = world_.start();
    Positions positions_ = look_around();
    std::map<Task, int> steps_;
    std::map<std::pair<Victim, Stage>, unsigned> kills_;
    std::map<Task, unsigned> done_;
    std::string playing_;
    unsigned round_ = 0, not_killed_ = 0, asked_again_ = 0, drained_ = 0, not_begun_ = 0;
};

Job Loop::draw_job(Task task)
{
    std::array<std::uint8_t, OperationId::size> id;
    for (auto& byte : id) byte = static_cast<std::uint8_t>(below(256));
    return {.task = task,
            .card = below(2),
            .amount = 1 + static_cast<std::int64_t>(below(500)),
            .id = OperationId(id)};
}

// How many steps it takes when nobody is killed.
void Loop::rehearse(Task task)
{
    const auto job = draw_job(task);
    told_.steps = 0;
    if (until_definite(job, run_terminal) != Told::End::applied)
        throw std::runtime_error(told_.reason.data());
    book(job);
    steps_[task] = told_.steps;
    positions_ = look_around();
}

void Loop::play()
{
    const auto job = draw_job(tasks.at(below(tasks.size())));
    const auto victim = victims.at(below(victims.size()));
    const auto card = job.task == Task::card_to_card ? below(2) : job.card;
    playing_ = std::string(name(victim)) + " killed at a " + name(job.task);
    told_.steps = 0;
    told_.end = Told::End::none;
    Child terminal([&] {
        run_terminal(world_, job, told_);
        if (victim == Victim::terminal) pause();  // it is killed in any case
        return true;
    });
    wait_for_moment(terminal, job.task);
    const bool had_ended = told_.end != Told::End::none;
    const bool had_applied = told_.end == Told::End::applied;
    const bool killed = strike(victim, terminal, card);
    world_.restart(victim, card);
    if (victim != Victim::terminal && !terminal.succeeded())
        throw std::runtime_error("the terminal did not survive the end of another program");
    if (killed) {
        ++kills_[{victim, stage_of(look_around(), had_ended)}];
    } else {
        ++not_killed_;
    }
    resolve(job, had_applied);
    positions_ = look_around();
}

// A step of the operation, one after the last included, and a little later.
void Loop::wait_for_moment(const Child& terminal, Task task)
{
    const auto step = static_cast<int>(below(static_cast<std::uint64_t>(steps_[task]) + 4));
    const auto later = std::chrono::microseconds(below(600));
    while (terminal.is_running() && told_.steps < step && told_.end == Told::End::none)
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    std::this_thread::sleep_for(later);
}

bool Loop::strike(Victim victim, Child& terminal, std::size_t card)
{
    if (victim == Victim::terminal) return terminal.kill_now();
    world_.kill(victim, card);
    return true;
}

Positions Loop::look_around()
{
    if (!in_child([&] { return look(world_, told_); }))
        throw std::runtime_error("a card or the platform does not come back");
    return told_.positions;
}

Stage Loop::stage_of(const Positions& now, bool had_ended) const
{
    if (had_ended) return Stage::after;
    if (now == positions_) return Stage::before;
    for (std::size_t card = 0; card < 2; ++card)
        if (now.card_sequence.at(card) > now.settled.at(card)) return Stage::executed;
    return now.pending == positions_.pending ? Stage::settled : Stage::signed_only;
}

// One program after the other, each with the journal of the last.
template <class Program>
Told::End Loop::until_definite(const Job& job, Program program)
{
    constexpr int tries = 10;
    for (int i = 0; i < tries; ++i, ++asked_again_) {
        told_.end = Told::End::none;
        if (!in_child([&] { return program(world_, job, told_); }))
            throw std::runtime_error("the terminal failed");
        if (told_.end == Told::End::applied || told_.end == Told::End::not_applied)
            return told_.end;
    }
    throw std::runtime_error(std::string(name(job.task)) + " does not end: " + told_.reason.data());
}

// By the journal, or by whoever kept the id: both have to come to an end.
void Loop::resolve(const Job& job, bool had_applied)
{
    const auto by_journal = below(2) == 0;
    auto end = by_journal ? until_definite(job, run_drain) : until_definite(job, run_terminal);
    if (by_journal) ++(end == Told::End::applied ? drained_ : not_begun_);
    if (had_applied && end != Told::End::applied)
        throw std::runtime_error("it was applied, and is not any more");
    if (end == Told::End::applied) book(job);
}

void Loop::book(const Job& job)
{
    ++done_[job.task];
    auto& balance = expected_.cards.at(job.card);
    switch (job.task) {
    case Task::top_up:
        balance += job.amount;
        expected_.cash -= job.amount;
        break;
    case Task::cash_out:
        balance -= job.amount;
        expected_.cash += job.amount;
        break;
    case Task::payment:
        balance -= job.amount;
        expected_.shop += job.amount;
        break;
    case Task::card_to_card:
        balance -= job.amount;
        expected_.cards.at(1 - job.card) += job.amount;
        break;
    }
}

bool Loop::report() const
{
    bool complete = true;
    std::printf("%-10s", "killed");
    for (const auto stage : stages) std::printf("%10s", name(stage));
    for (const auto victim : victims) {
        std::printf("\n%-10s", name(victim));
        unsigned before = 0, in = 0, after = 0;
        for (const auto stage : stages) {
            const auto found = kills_.find({victim, stage});
            const auto count = found == kills_.end() ? 0 : found->second;
            std::printf("%10u", count);
            (stage == Stage::before ? before : stage == Stage::after ? after : in) += count;
        }
        complete &= before > 0 && in > 0 && after > 0;
    }
    std::printf("\ndone once each:");
    for (const auto& [task, count] : done_) std::printf(" %s %u;", name(task), count);
    std::printf(
        "\nby the journal alone: %u applied, %u not begun; asked again without an end %u times; "
        "ended before the kill %u times\n",
        drained_, not_begun_, asked_again_, not_killed_);
    return complete;
}

Settings settings_of(int argc, char** argv)
{
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const auto value = std::strtoull(argv[i + 1], nullptr, 10);
        if (option == "--rounds") settings.rounds = static_cast<unsigned>(value);
        if (option == "--audit") settings.audit_every = static_cast<unsigned>(value);
        if (option == "--seed") settings.seed = value;
    }
    return settings;
}

int loop(const Settings& settings)
{
    const auto begin = std::chrono::steady_clock::now();
    std::printf("seed %llu\n", static_cast<unsigned long long>(settings.seed));
    std::fflush(stdout);
    std::string playing;
    try {
        Loop loop(settings);
        try {
            loop.run();
        } catch (...) {
            playing = loop.playing();
            throw;
        }
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
            std::chrono::steady_clock::now() - begin);
        const bool complete = loop.report();
        std::printf("%u rounds in %lld s: nothing lost, nothing doubled\n", settings.rounds,
                    static_cast<long long>(seconds.count()));
        if (!complete) std::fputs("some victim was never killed before, in or after\n", stderr);
        return complete ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", playing.c_str(), error.what());
        return 1;
    }
}

}  // namespace
}  // namespace testing

int main(int argc, char** argv)
{
    return testing::loop(testing::settings_of(argc, argv));
}
