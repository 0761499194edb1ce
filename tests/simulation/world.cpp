// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>
#include <filesystem>

#include <tallycard/issuing.hpp>

namespace simulation {
namespace {

constexpr std::size_t first_cards = 3, terminals = 2;
// Worlds that begin alike need no new keys and signatures for it (pure_functions.cpp).
constexpr std::uint64_t beginnings = 256;

TransportKey transport_key(std::size_t number)
{
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(static_cast<std::uint8_t>(number + 1));
    return TransportKey(bytes);
}

CardId card_id(std::size_t number)
{
    std::array<std::uint8_t, CardId::size> bytes{};
    bytes.fill(static_cast<std::uint8_t>(0x10 * (number + 1)));
    return CardId(bytes);
}

Limits pick_limits(Random& random)
{
    const auto count = static_cast<std::uint16_t>(1 + random.below(15));
    const auto room =
        random.below(random.one_in(2) ? 10'000 : 100'000);  // beside what fund() gives
    return {.maximum_balance = Balance::minor_units(14'000 + room),
            .maximum_amount = Balance::minor_units(20'000),
            .pin_above = Balance::minor_units(5'000),
            .offline_payments = count,
            .offline_total = Balance::minor_units(2'000 + random.below(20'000))};
}

}  // namespace

AccountId shop()
{
    return merchant_name(0);
}

AccountId merchant_name(std::size_t number)
{
    return *AccountId::parse("SHOP-" + std::to_string(number + 1));
}

AccountId thief()
{
    return *AccountId::parse(std::string_view("thief"));
}

PinBlock pin_of(const char* digits)
{
    std::string copy(digits);
    return make_pin_block(copy).value();
}

OperationId operation_id(std::uint64_t seed)
{
    std::array<std::uint8_t, OperationId::size> bytes{};
    Random(seed).fill(bytes);
    return OperationId(bytes);
}

World::World(const Plan& plan, const std::string& folder, Tell tell)
    : plan_(plan),
      folder_(folder),
      host_(environment_, folder),
      auditor_(environment_, host_.issuer())
{
    environment_.tell = std::move(tell);
    environment_.other_terminal = [this](std::uint64_t seed) { intrude(seed); };
}

World::~World() = default;

void World::set_up()
{
    const Injector::Pause pause(environment_.injector);
    const auto beginning = plan_.seed % beginnings;
    Random random(beginning);
    reseed_library(beginning);
    for (std::size_t i = 0; i < first_cards; ++i) issue(i, pick_limits(random));

    for (std::size_t i = 0; i < terminals; ++i) {
        auto& program = programs_.emplace_back(TerminalProgram{
            *AccountId::parse("till-" + std::to_string(i + 1)), {}, {}, {}, {}, {}});
        program.network = std::make_unique<Network>(environment_, host_, auditor_, late_);
        program.terminal = std::make_unique<Terminal>(
            *program.network, TerminalSettings{host_.issuer().card_root, program.name, nullptr});
        program.journal_path = folder_ + "/journal-" + std::to_string(i + 1);
        std::filesystem::remove(program.journal_path);
        start_program(program);
    }
    open_accounts(random);
    fund(random);
    check_now();
}

// Some value on the cards and with the shop, so that there is something to lose.
void World::fund(Random& random)
{
    auto& program = programs_.front();
    for (const auto& card : cards_) {
        SimLink link(environment_, *card);
        const auto units = static_cast<std::int64_t>(1'000 + random.below(12'000));
        const auto funded =
            program.terminal->top_up(link, operation_id(random.next()), Amount::minor_units(units));
        check(std::holds_alternative<Applied>(funded), "set-up", "top-up");
        const auto given = program.terminal->transfer_out(
            link, operation_id(random.next()),
            Amount::minor_units(1 + static_cast<std::int64_t>(random.below(1'000))), shop());
        check(std::holds_alternative<Applied>(given), "set-up", "transfer out");
    }
}

void World::issue(std::size_t number, const Limits& limits)
{
    const auto protocol = number % 3 == 2 ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
    cards_.push_back(std::make_unique<SimCard>(environment_, static_cast<unsigned>(number),
                                               protocol, transport_key(number)));
    const auto pin = pin_of("4711");
    CardOrder order;
    order.card_id = card_id(number);
    order.limits = limits;
    order.pin = &pin;
    SimLink link(environment_, *cards_.back());
    tallycard::issue_card(host_.platform(), host_.root(), link, transport_key(number), order)
        .value();
}

void World::run()
{
    set_up();
    for (step_number_ = 0; step_number_ < plan_.steps.size(); ++step_number_) {
        environment_.say(std::to_string(step_number_) + ": " +
                         to_string(plan_.steps[step_number_]));
        step(plan_.steps[step_number_]);
    }
    environment_.say("the end: everything is resolved");
    settle_down();
}

void World::step(const Step& step)
{
    current_ = &step;
    reseed_library(step.seed);
    Random passing(step.seed);
    environment_.set_clock(environment_.clock +
                           std::chrono::minutes(static_cast<std::int64_t>(passing.below(90))));
    environment_.injector.begin(step.faults);
    act(step);
    environment_.injector.end();
    host_.recover_disk();
    check_now();
}

// A step of one terminal's program, which may die of it.
void World::act(const Step& step)
{
    running_ = step.terminal;
    try {
        act_alone(step);
    } catch (const TerminalKilled&) {
        environment_.probes.reach("terminal killed");
        environment_.say("   the terminal was killed");
        const Injector::Pause pause(environment_.injector);
        start_program(program(running_));
    }
}

// Another terminal comes between, at the same card.
void World::intrude(std::uint64_t seed)
{
    if (depth_ > 0) return;
    ++depth_;
    auto intrusion = make_intrusion(seed);
    intrusion.card = current_->card;
    intrusion.terminal = current_->terminal + 1;
    environment_.say("   meanwhile: " + to_string(intrusion));
    environment_.probes.reach("another terminal between");
    const auto running = running_;
    act(intrusion);
    running_ = running;
    --depth_;
}

void World::act_alone(const Step& step)
{
    switch (step.action) {
    case Action::top_up:
    case Action::cash_out:
    case Action::transfer_in:
    case Action::transfer_out:
    case Action::card_to_card:
    case Action::pay:
    case Action::administer: begin_operation(step); break;
    case Action::resolve: resolve(step, false); break;
    case Action::void_pending: resolve(step, true); break;
    case Action::ask_again: ask_again(step); break;
    case Action::forward: forward(program(step.terminal)); break;
    case Action::deliver_late: deliver_late(step); break;
    case Action::replay_to_card: replay_to_card(step); break;
    case Action::made_up_to_card: made_up_to_card(step); break;
    case Action::replay_to_platform: replay_to_platform(step); break;
    case Action::made_up_to_platform: made_up_to_platform(step); break;
    case Action::verify_pin: verify_pin(step); break;
    case Action::deny: deny(step, true); break;
    case Action::undeny: deny(step, false); break;
    case Action::checkpoint: checkpoint(); break;
    case Action::back_up: back_up(); break;
    case Action::restore_backup: restore_backup(step); break;
    case Action::restart_platform: host_.restart(); break;
    case Action::lose_power: card(step.card).lose_power(step.seed); break;
    case Action::kill_terminal: start_program(program(step.terminal)); break;
    case Action::clone_card: clone_card(step); break;
    case Action::keep_image: keep_image(step); break;
    case Action::roll_back_card: roll_back_card(step); break;
    case Action::issue_card: issue_card(step); break;
    case Action::refund: begin_refund(step); break;
    case Action::order: order(step); break;
    case Action::operate: operate(step); break;
    case Action::misuse_consent: misuse_consent(step); break;
    case Action::forge_order: forge_order(step); break;
    case Action::spend_unseen: spend_unseen(step); break;
    case Action::late_receipts: late_receipts(step); break;
    case Action::declare_lost: declare_lost(step); break;
    case Action::recover: recover(step); break;
    case Action::write_off: write_off(step); break;
    case Action::wait: wait(step); break;
    case Action::close_gaps: close_gaps(step); break;
    case Action::fetch_deny_list: fetch_deny_list(step); break;
    }
}

Auditor::Cards World::issued_cards() const
{
    Auditor::Cards issued;
    for (const auto& card : cards_)
        if (card->memory().state != CardState::blank) issued.push_back(card.get());
    return issued;
}

bool World::is_forked(const CardId& card_id) const
{
    return std::ranges::any_of(
        cards_, [&](const auto& card) { return card->id() == card_id && card->forked; });
}

void World::check_now()
{
    const Injector::Pause pause(environment_.injector);
    auditor_.after_step(host_.platform(), issued_cards());
    check_intents();
    check_orders();
}

WorldReport World::report() const
{
    return {.steps = plan_.steps.size(),
            .operations = environment_.operations,
            .entries = auditor_.entries(),
            .trace = environment_.trace,
            .injected = environment_.injector.injected(),
            .probes = environment_.probes};
}

}  // namespace simulation
