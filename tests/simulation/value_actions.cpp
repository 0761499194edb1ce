// SPDX-License-Identifier: Apache-2.0
// Operations as a terminal's program runs them: with an id that is kept until the end is known.
#include <algorithm>
#include <filesystem>

#include "../../src/protocol/digest.hpp"
#include "world.hpp"

namespace simulation {
namespace {

Parameter pick_parameter(Kind kind, std::uint64_t seed, const IssuerDescription& issuer)
{
    Random random(seed);
    if (kind == Kind::replace_operation_key)
        return issuer.operation_keys[random.below(issuer.operation_keys.size())];
    if (kind != Kind::set_limits) return {};
    return Limits{.maximum_balance = Balance::minor_units(20'000 + random.below(100'000)),
                  .maximum_amount = Balance::minor_units(10'000 + random.below(20'000)),
                  .pin_above = Balance::minor_units(random.below(8'000)),
                  .offline_payments = static_cast<std::uint16_t>(random.below(16)),
                  .offline_total = Balance::minor_units(random.below(30'000))};
}

Kind pick_kind(std::uint64_t seed)
{
    constexpr std::array<Kind, 9> kinds = {
        Kind::set_limits, Kind::block,           Kind::unblock,
        Kind::unblock,    Kind::reset_pin_tries, Kind::replace_operation_key,
        Kind::block,      Kind::unblock,         Kind::open_pin};
    Random random(seed);
    if (random.one_in(40)) return Kind::terminate;
    return kinds[random.below(kinds.size())];
}

}  // namespace

Intent World::make_intent(const Step& step) const
{
    Intent intent{.id = operation_id(step.seed),
                  .card_id = {},
                  .amount = {},
                  .parameter = {},
                  .account = merchant_name(step.seed % 5 % merchants_.size()),
                  .refunds = {}};
    intent.action = step.action;
    intent.card = step.card % cards_.size();
    intent.other = step.other % cards_.size();
    intent.terminal = step.terminal % programs_.size();
    intent.amount = Amount::minor_units(step.amount);
    intent.with_pin = step.seed % 2 == 0;
    intent.card_id = cards_[intent.card]->id();
    intent.sequence = cards_[intent.card]->memory().sequence;
    if (step.action == Action::administer) {
        intent.kind = pick_kind(step.seed);
        intent.parameter = pick_parameter(intent.kind, step.seed, host_.issuer());
    }
    return intent;
}

void World::begin_operation(const Step& step)
{
    intents_.push_back(make_intent(step));
    ask(intents_.size() - 1);
}

void World::ask_again(const Step& step)
{
    if (step.seed % 3 == 0) return ask_order_again(step);
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < intents_.size(); ++i)
        if (intents_[i].state == Intent::State::open && !intents_[i].busy) open.push_back(i);
    if (open.empty()) return;
    environment_.probes.reach("asked again for an open operation");
    ask(open[step.other % open.size()]);
}

void World::ask(std::size_t number)
{
    struct Busy {
        std::vector<Intent>& intents;
        std::size_t number;
        Busy(std::vector<Intent>& all, std::size_t which) : intents(all), number(which)
        {
            intents[number].busy = true;
        }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;
        ~Busy() { intents[number].busy = false; }
    } const busy(intents_, number);
    const auto intent = intents_[number];  // an intrusion may move the list
    running_ = intent.terminal;
    if (intent.action == Action::pay) {
        pay(number);
    } else if (intent.action == Action::card_to_card) {
        card_to_card(number);
    } else {
        auto& program = programs_[intent.terminal];
        SimLink link(environment_, *cards_[intent.card]);
        const auto outcome = ask_card(intent, program, link);
        conclude(intents_[number], outcome);
        if (intent.kind == Kind::open_pin) set_pin(*cards_[intent.card], program);
    }
}

Outcome World::ask_card(const Intent& intent, TerminalProgram& program, CardLink& link)
{
    const auto block = pin_of("4711");
    const auto* pin = intent.with_pin ? &block : nullptr;
    auto& terminal = *program.terminal;
    switch (intent.action) {
    case Action::top_up: return terminal.top_up(link, intent.id, intent.amount);
    case Action::cash_out: return terminal.cash_out(link, intent.id, intent.amount, pin);
    case Action::transfer_in: {
        const auto owner = owner_of(intent.account);
        return terminal.transfer_in(link, intent.id, intent.amount, intent.account, owner.get());
    }
    case Action::refund: {
        const auto owner = owner_of(intent.account);
        if (!owner) return terminal.transfer_in(link, intent.id, intent.amount, intent.account);
        return terminal.refund(link, intent.id, intent.amount, intent.account, *owner,
                               *intent.refunds);
    }
    case Action::transfer_out:
        return terminal.transfer_out(link, intent.id, intent.amount, intent.account, pin);
    default: return terminal.administer(link, intent.id, intent.kind, intent.parameter);
    }
}

void World::conclude(Intent& intent, const Outcome& outcome)
{
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        check_applied(intent, *applied);
        check(intent.state != Intent::State::not_applied, "outcome", "not applied, then applied");
        intent.state = Intent::State::applied;
        environment_.probes.reach("operation applied");
        environment_.say("   applied");
    } else if (const auto* refused = std::get_if<NotApplied>(&outcome)) {
        check(intent.state != Intent::State::applied, "outcome", "applied, then not");
        intent.state = Intent::State::not_applied;
        environment_.probes.reach("operation not applied");
        environment_.say("   not applied: " + refused->reason.message());
    } else {
        environment_.probes.reach("operation in doubt");
        environment_.say("   in doubt: " + std::get<InDoubt>(outcome).reason.message());
    }
}

// Applied means: the card did this, as asked, and signed it.
void World::check_applied(const Intent& intent, const Applied& applied) const
{
    if (is_forked(intent.card_id)) return;
    const auto& executed = cards_[intent.card]->executed();
    const auto& result = applied.receipt.result;
    const auto at = std::ranges::find_if(
        executed, [&](const Executed& e) { return e.receipt.result == result; });
    check(at != executed.end(), "I10", "applied, and the card knows nothing of it");
    check(at->operation == applied.operation, "I10", "applied, but another operation");
    check(at->operation.amount.magnitude() == intent.amount.magnitude() ||
              intent.action == Action::administer,
          "I10", "applied with another amount");
}

// The terminal may die here, and leave a part of the line.
template <class Write>
void World::write_journal(TerminalProgram& program, Write&& write)
{
    const auto before = std::filesystem::file_size(program.journal_path);
    check(write(*program.journal).has_value(), "journal", "the journal refused a line");
    const auto* event = environment_.injector.event(Place::journal);
    if (event == nullptr) return;
    const auto after = std::filesystem::file_size(program.journal_path);
    const auto kept = before + event->value % (1 + after - before);
    std::filesystem::resize_file(program.journal_path, kept);
    environment_.probes.reach("journal cut short");
    throw TerminalKilled();
}

// A payment, by the book of docs/operations.md: written down, made, written down, forwarded later.
void World::pay(std::size_t number)
{
    const auto intent = intents_[number];
    auto& program = programs_[intent.terminal];
    auto& paying = *cards_[intent.card];
    if (intent.asked == Asked::again && paying.memory().sequence > intent.sequence + 15) {
        intents_[number].state = Intent::State::given_up;  // it left the log: the books have it
        return;
    }
    const JournalIntent wanted{.id = intent.id,
                               .card_id = intent.card_id,
                               .kind = Kind::payment,
                               .amount = -intent.amount,
                               .account = intent.account};
    write_journal(program, [&](OperationJournal& journal) {
        return journal.intend(wanted, JournalSent{paying.memory().sequence, std::nullopt});
    });
    const auto block = pin_of("4711");
    intents_[number].asked = Asked::again;
    SimLink link(environment_, paying);
    const auto outcome = program.terminal->pay(link, intent.id, intent.amount, intent.account,
                                               intent.with_pin ? &block : nullptr, intent.asked);
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        write_journal(program, [&](OperationJournal& journal) {
            return journal.executed(intent.id, applied->operation, applied->receipt);
        });
    } else if (std::holds_alternative<NotApplied>(outcome)) {
        write_journal(program,
                      [&](OperationJournal& journal) { return journal.not_applied(intent.id); });
    }
    conclude(intents_[number], outcome);
}

void World::card_to_card(std::size_t number)
{
    const auto intent = intents_[number];
    if (intent.card == intent.other) {
        intents_[number].state = Intent::State::not_applied;
        return;
    }
    auto& program = programs_[intent.terminal];
    const auto block = pin_of("4711");
    SimLink from(environment_, *cards_[intent.card]), to(environment_, *cards_[intent.other]);
    const auto both = program.terminal->card_to_card(from, to, intent.id, intent.amount,
                                                     intent.with_pin ? &block : nullptr);
    const bool out = std::holds_alternative<Applied>(both.out);
    const bool in_doubt = std::holds_alternative<InDoubt>(both.out) ||
                          (both.in && std::holds_alternative<InDoubt>(*both.in));
    check(out || !both.in, "outcome", "the second half without the first");
    if (in_doubt) return;
    if (out && both.in && std::holds_alternative<Applied>(*both.in))
        environment_.probes.reach("card to card, both halves");
    intents_[number].state = Intent::State::given_up;  // definite; its halves are in the books
}

// What is known not to have happened must not happen later either; a payment happens once.
void World::check_intents() const
{
    for (const auto& intent : intents_) {
        if (is_forked(intent.card_id)) continue;
        const auto digest = auditor_.operation_of(intent.id);
        const bool payment = intent.action == Action::pay;
        const auto times =
            std::ranges::count_if(cards_[intent.card]->executed(), [&](const Executed& executed) {
                const auto& operation = executed.operation;
                if (payment)
                    return operation.kind == Kind::payment &&
                           operation.nonce == Nonce(intent.id.bytes());
                return digest && operation.digest() == *digest;
            });
        check(times <= 1, "outcome", "one operation, executed twice");
        check(times == 0 || intent.state != Intent::State::not_applied, "outcome",
              std::string(name(intent.action)) + ": reported as not applied, and executed");
    }
}

void World::forward(TerminalProgram& program)
{
    const auto payments = program.journal->entries();
    for (const auto& payment : payments) {
        if (payment.stage != JournalStage::executed) continue;
        const auto settled = program.terminal->settle(*payment.operation, *payment.receipt);
        if (!settled || !settled->settled) continue;
        environment_.probes.reach("payment forwarded");
        write_journal(program, [&](OperationJournal& journal) {
            return journal.acknowledged(payment.intent.id);
        });
    }
}

// The program starts, also where it was killed in the middle of a line.
void World::start_program(TerminalProgram& program)
{
    program.journal.reset();
    auto opened = OperationJournal::open(program.journal_path);
    check(opened.has_value(), "journal", "the journal does not open");
    program.journal = std::move(*opened);
}

}  // namespace simulation
