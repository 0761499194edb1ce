// SPDX-License-Identifier: Apache-2.0
// What else happens: recovery, the deny list, checkpoints, backups, clones.
#include <algorithm>

#include <tallycard/card_session.hpp>
#include <tallycard/issuing.hpp>

#include "world.hpp"

namespace simulation {

void World::resolve(const Step& step, bool cancel)
{
    SimLink link(environment_, card(step.card));
    auto& terminal = *program(step.terminal).terminal;
    const auto resolved = cancel ? terminal.void_pending(link) : terminal.resolve(link);
    if (!resolved) {
        environment_.say("   not resolved: " + resolved.error().message());
        if (resolved.error().code == Errc::card_behind) environment_.probes.reach("card behind");
        return;
    }
    if (resolved->settled > 0) environment_.probes.reach("results of the log settled");
    if (resolved->delivered > 0) environment_.probes.reach("pending operation delivered");
    if (resolved->voided > 0) environment_.probes.reach("pending operation voided");
    if (!resolved->of_another_terminal) return;
    check(resolved->delivered == 0, "I10", "another terminal's debit was delivered");
    environment_.probes.reach("debit of another terminal voided");
}

// A card whose PIN was opened waits for another one, which its holder sets.
void World::set_pin(SimCard& target, TerminalProgram& program)
{
    if (!target.memory().awaits_pin) return;
    SimLink link(environment_, target);
    const auto set = program.terminal->set_pin(link, pin_of("4711"));
    check(!set || !target.memory().awaits_pin, "PIN", "set, and the card still waits for it");
    if (set) environment_.probes.reach("PIN opened and set again");
}

void World::verify_pin(const Step& step)
{
    set_pin(card(step.card), program(step.terminal));
    SimLink link(environment_, card(step.card));
    auto session = CardSession::begin(link, host_.issuer().card_root);
    if (!session) return;
    if (step.other % 2 == 0) {
        static_cast<void>(session->verify_pin(pin_of("4711")));
        return;
    }
    for (auto tries = 1 + step.other % 4; tries > 0; --tries) {
        const auto verified = session->verify_pin(pin_of("1234"));
        check(!verified, "PIN", "a wrong PIN was taken");
        if (verified.error().code != Errc::pin_blocked) continue;
        environment_.probes.reach("PIN blocked");
        check(card(step.card).memory().pin_tries == 0, "PIN", "blocked with tries left");
    }
}

void World::deny(const Step& step, bool denied)
{
    const auto id = card(step.card).id();
    for (int attempts = 0; attempts < 3; ++attempts) {
        const auto done =
            host_.call([&](Platform& p) { return denied ? p.deny(id) : p.undeny(id); });
        if (done) {
            check(denied || !auditor_.books().is_given_up(id), "I22",
                  "a card that was given up came off the deny list");
            if (!denied && auditor_.is_accused(id))
                environment_.probes.reach("revocable evidence taken back");
            auditor_.denied_by_us(id, denied);
            return;
        }
        if (done.error().effect == Effect::unknown) auditor_.denied_perhaps(id);
    }
}

void World::checkpoint()
{
    const auto note = host_.call([&](Platform& p) { return p.checkpoint(checkpoint_key()); });
    if (!note) return;
    const auto& issuer = host_.issuer();
    const auto opened = Checkpoint::open(*note, issuer.origin, issuer.checkpoint_key);
    check(opened.has_value(), "I11", "a checkpoint that does not open");
    auditor_.published(*opened);
}

void World::back_up()
{
    backups_.push_back({host_.backup(), ledger_size().value()});
}

// I16: an old copy of the store, and a newer checkpoint beside it. The file may hold one that was
// never shown: the call that placed it failed after that.
void World::restore_backup(const Step& step)
{
    if (backups_.empty() || auditor_.checkpoints().empty()) return;
    const auto& backup = backups_[step.other % backups_.size()];
    const auto shown = std::ranges::max(auditor_.checkpoints(), {}, [](const Checkpoint& c) {
                           return c.head.size;
                       }).head.size;
    const auto placed = host_.placed_checkpoint().head.size;
    check(placed >= shown, "I16", "a checkpoint was shown that the file does not have");
    const auto opened = host_.open_backup(backup.files);
    if (placed <= backup.entries) {
        check(opened.has_value(), "I16", "a store that nothing contradicts was refused");
        return;
    }
    check(!opened && opened.error().code == Errc::ledger_behind, "I16", "an old store was opened");
    environment_.probes.reach("old store refused");
}

void World::clone_card(const Step& step)
{
    auto& original = card(step.card);
    if (cards_.size() > 5 || original.memory().state == CardState::blank) return;
    original.forked = true;
    cards_.push_back(std::make_unique<SimCard>(original, static_cast<unsigned>(cards_.size())));
    environment_.probes.reach("card cloned");
}

void World::keep_image(const Step& step)
{
    const auto number = step.card % cards_.size();
    images_.push_back({number, cards_[number]->image(), cards_[number]->memory().sequence});
}

void World::roll_back_card(const Step& step)
{
    if (images_.empty()) return;
    const auto& image = images_[step.other % images_.size()];
    auto& victim = *cards_[image.card];
    if (victim.memory().sequence == image.sequence) return;
    victim.roll_back(image.image);
    environment_.probes.reach("card rolled back");
}

// Issuing is safe to repeat: it is, until the card is there. It is at the issuer's, where no other
// terminal comes between: that one could crash the platform under this very call.
void World::issue_card(const Step& step)
{
    if (cards_.size() > 5) return;
    const auto number = cards_.size();
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(static_cast<std::uint8_t>(number + 1));
    const TransportKey key(bytes);
    {
        const Injector::Pause pause(environment_.injector);
        cards_.push_back(std::make_unique<SimCard>(environment_, static_cast<unsigned>(number),
                                                   TransmissionProtocol::t1, key));
    }
    const auto pin = pin_of("4711");
    CardOrder order;
    order.limits = {.maximum_balance = Balance::minor_units(50'000),
                    .maximum_amount = Balance::minor_units(20'000),
                    .pin_above = Balance::minor_units(5'000),
                    .offline_payments = 5,
                    .offline_total = Balance::minor_units(9'000)};
    order.pin = &pin;
    ++depth_;
    for (int attempts = 0;; ++attempts) {
        check(attempts < 8, "I9", "a card that cannot be issued");
        try {
            SimLink link(environment_, *cards_[number]);
            const auto issued = host_.call([&](Platform& p) {
                return tallycard::issue_card(p, host_.root(), link, key, order);
            });
            if (issued) break;
        } catch (const TerminalKilled&) {
            environment_.probes.reach("terminal killed");
        }
        if (attempts > 0) environment_.probes.reach("issuing repeated");
        if (attempts < 3) continue;
        environment_.injector.end();
        host_.recover_disk();
    }
    --depth_;
    static_cast<void>(step);
}

// A request to sign that arrives when its terminal knows already that the operation never happened
// is the one thing that the transport must not do: nothing of the protocol withdraws a request.
void World::deliver_late(const Step& step)
{
    if (late_.empty()) return;
    const auto at = late_.begin() + static_cast<std::ptrdiff_t>(step.other % late_.size());
    const auto late = *at;
    late_.erase(at);
    const bool ended =
        std::ranges::any_of(intents_,
                            [&](const Intent& intent) {
                                return late.id == intent.id &&
                                       intent.state == Intent::State::not_applied;
                            }) ||
        std::ranges::any_of(orders_, [&](const OrderIntent& intent) {
            return late.id == intent.order.order.id && intent.state == Intent::State::not_applied;
        });
    if (ended) {
        environment_.probes.reach("late request of an ended operation, dropped");
        return;
    }
    environment_.probes.reach("late call arrived");
    late.call();
}

}  // namespace simulation
