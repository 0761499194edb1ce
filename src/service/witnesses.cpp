// SPDX-License-Identifier: Apache-2.0
#include "witnesses.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <system_error>
#include <utility>

#include "../issuer/files.hpp"
#include "../issuer/signed_note.hpp"

namespace tallycard::service {
namespace {

constexpr std::chrono::seconds round_within{10};

}  // namespace

// One checkpoint, and what was signed of it so far.
struct Witnesses::Round {
    std::string note;
    merkle::Head head;
    std::vector<std::string> lines;  // by link; empty: not yet

    std::string cosigned() const
    {
        auto text = note;
        for (const auto& line : lines) text += line;
        return text;
    }
    bool is_complete() const
    {
        return std::ranges::none_of(lines, [](const auto& line) { return line.empty(); });
    }
};

Witnesses::Witnesses(Platform& platform, Checkpoints& checkpoints, const WitnessSettings& settings,
                     EventLog& log, WitnessPolicy policy)
    : platform_(&platform),
      checkpoints_(&checkpoints),
      settings_(settings),
      log_(&log),
      policy_(std::move(policy))
{
}

Result<std::unique_ptr<Witnesses>> Witnesses::open(Platform& platform, Checkpoints& checkpoints,
                                                   const WitnessSettings& settings, EventLog& log)
{
    auto policy = WitnessPolicy::read(settings.policy_file);
    if (!policy) return policy.error();
    std::unique_ptr<Witnesses> witnesses(
        new Witnesses(platform, checkpoints, settings, log, std::move(*policy)));
    if (const auto started = witnesses->start(); !started) return started.error();
    return witnesses;
}

Result<void> Witnesses::start()
{
    std::vector<std::size_t> reachable;
    for (std::size_t i = 0; i < policy_.witnesses().size(); ++i) {
        const auto& witness = policy_.witnesses()[i];
        if (witness.url.empty()) continue;
        auto link = WitnessLink::open(witness, settings_.authority);
        if (!link) return link.error();
        links_.push_back(std::move(*link));
        reachable.push_back(i);
    }
    if (!policy_.is_met_by(reachable)) {
        return Error{.code = Errc::witnesses_missing,
                     .where = "witness policy (too few of its witnesses have a URL)"};
    }
    read_kept();
    worker_ = std::thread([this] { work(); });
    return {};
}

Witnesses::~Witnesses()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (worker_.joinable()) worker_.join();
}

Result<std::string> Witnesses::newest() const
{
    const std::lock_guard lock(mutex_);
    if (newest_.empty()) return Error{.code = Errc::witnesses_missing, .where = "checkpoint"};
    return newest_;
}

std::uint64_t Witnesses::size() const
{
    const std::lock_guard lock(mutex_);
    return size_;
}

// What an earlier process kept, where it is still of this issuer and this policy, and of no more
// than the ledger has.
void Witnesses::read_kept()
{
    const auto note = files::read(settings_.cosigned_file, longest_note);
    if (!note) return;
    const auto& issuer = platform_->issuer();
    const auto opened = Checkpoint::open_cosigned(*note, issuer.origin, issuer.checkpoint_key);
    const auto head = platform_->ledger_head();
    if (!opened || !head || opened->head.size > head->size || !policy_.check(*note)) return;
    newest_ = *note;
    size_ = opened->head.size;
}

void Witnesses::work()
{
    Round round;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, settings_.every, [this] { return stopping_; })) {
        lock.unlock();
        const auto note = checkpoints_->newest();
        if (note && *note != round.note) {
            const auto& issuer = platform_->issuer();
            const auto opened = Checkpoint::open(*note, issuer.origin, issuer.checkpoint_key);
            if (opened) {
                round = {.note = *note, .head = opened->head, .lines = {}};
                round.lines.resize(links_.size());
            }
        }
        if (!round.note.empty() && !round.is_complete()) ask(round);
        lock.lock();
    }
}

// All that have not signed, at the same time, and none longer than a round may take: one that
// answers a byte at a time holds up nobody for ever.
void Witnesses::ask(Round& round)
{
    std::vector<std::thread> threads;
    threads.reserve(links_.size());
    std::vector<std::string> before;
    std::set<std::size_t> asked;  // and not answered
    for (std::size_t i = 0; i < links_.size(); ++i) {
        before.push_back(links_[i].fault());
        if (round.lines[i].empty() && links_[i].may_be_asked()) asked.insert(i);
    }
    if (asked.empty()) return;
    for (const auto i : std::set(asked)) {
        links_[i].allow();
        const auto done = [&, i](std::string line) {
            const std::lock_guard lock(mutex_);
            round.lines[i] = std::move(line);
            asked.erase(i);
            changed_.notify_all();
        };
        try {
            threads.emplace_back(
                [&, i, done] { done(links_[i].ask(*platform_, round.note, round.head)); });
        } catch (const std::system_error&) {
            done({});  // no thread is to be had: it is asked the next time
        }
    }
    await(round, asked);
    for (auto& thread : threads) thread.join();
    show(round.cosigned(), round.head.size);  // what came at the last moment, too
    for (std::size_t i = 0; i < links_.size(); ++i) report(links_[i], before[i]);
}

// Shows what is enough as soon as it is. What is left in `asked` then is given up.
void Witnesses::await(const Round& round, const std::set<std::size_t>& asked)
{
    const auto end = std::chrono::steady_clock::now() + round_within;
    std::unique_lock lock(mutex_);
    auto left = links_.size() + 1;  // as far as what they signed is shown
    while (left > 0) {
        const auto has_answer = [&] { return stopping_ || asked.size() != left; };
        if (!changed_.wait_until(lock, end, has_answer) || stopping_) break;
        left = asked.size();
        const auto so_far = round.cosigned();
        lock.unlock();
        show(so_far, round.head.size);
        lock.lock();
    }
    for (const auto i : asked) links_[i].cancel();
}

// Once for each change: a witness that is down is not news every second.
void Witnesses::report(WitnessLink& link, const std::string& before)
{
    if (link.fault() == before) return;
    if (link.fault().empty()) {
        log_->write("witness is back", {{"witness", link.name()}});
    } else {
        log_->write("witness failed", {{"witness", link.name()}, {"reason", link.fault()}});
    }
}

// Where it is enough.
void Witnesses::show(const std::string& note, std::uint64_t size)
{
    if (!policy_.check(note)) return;
    {
        const std::lock_guard lock(mutex_);
        if (newest_ == note) return;
    }
    const auto kept = files::replace(settings_.cosigned_file, note);
    if (!kept) log_->write("not kept", {{"reason", kept.error().message()}});
    const std::lock_guard lock(mutex_);
    newest_ = note;
    size_ = size;
}

}  // namespace tallycard::service
