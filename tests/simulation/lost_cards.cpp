// SPDX-License-Identifier: Apache-2.0
// Receipts that come late or never, cards that are lost, and the days that go by: I20, I22, I23.
#include <algorithm>

#include "../../src/crypto/card_signer.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "world.hpp"

namespace simulation {

std::optional<CardRow> World::card_row(const CardId& card_id)
{
    const Injector::Pause pause(environment_.injector);
    const auto row = host_.platform().card(card_id);
    return row ? *row : std::nullopt;
}

// A payment at a till that keeps no journal.
bool World::pay_unseen(SimCard& target, Random& random, Fate fate)
{
    const bool le = target.protocol() == TransmissionProtocol::t1;
    auto payee = merchant(random.next()).account();
    if (random.one_in(12)) payee = *AccountId::parse("H-nobody");
    if (random.one_in(24)) payee = unaccounted();
    const auto units = 1 + static_cast<std::int64_t>(random.below(random.one_in(4) ? 900 : 60));
    const PayData order{Amount::minor_units(-units), host_.issuer().currency.unit,
                        Nonce(operation_id(random.next()).bytes()), payee};
    const auto before = target.executed().size();
    static_cast<void>(target.process(command_of(wire::command::pay, order.encode(), le)));
    if (target.executed().size() == before) return false;
    const auto& executed = target.executed().back();
    switch (fate) {
    case Fate::now: static_cast<void>(submit(executed.receipt, executed.logged())); break;
    case Fate::later:
        drawer_.push_back({executed.receipt, executed.logged(), programs_.front().name});
        break;
    case Fate::never: gone_.insert({target.id(), executed.receipt.result.sequence});
    }
    return true;
}

bool World::pay_unseen(SimCard& target, Random& random)
{
    constexpr std::array<Fate, 3> fates = {Fate::now, Fate::later, Fate::never};
    return pay_unseen(target, random, fates[random.below(fates.size())]);
}

// The card executes, and nobody hands the receipt in for now; or it never hears of it.
void World::execute_unseen(SimCard& target, const FirstInstruction& first, const AccountId& till)
{
    const bool le = target.protocol() == TransmissionProtocol::t1;
    const auto before = target.executed().size();
    select(target);
    static_cast<void>(target.process(command_of(wire::command::execute, first.encode(), le)));
    if (target.executed().size() == before) return;
    const auto& executed = target.executed().back();
    drawer_.push_back({executed.receipt, executed.logged(), till});
}

// A top-up, or other limits.
void World::sign_unseen(SimCard& target, Random& random)
{
    const auto& till = program(random.next()).name;
    OperationRequest request{
        .id = operation_id(random.next()),
        .card_id = target.id(),
        .kind = Kind::top_up,
        .amount = Amount::minor_units(1 + static_cast<std::int64_t>(random.below(60))),
        .parameter = {},
        .terminal = till};
    if (random.one_in(2)) {
        auto limits = target.memory().limits;
        limits.offline_total = Balance::minor_units(2'000 + random.below(20'000));
        request.kind = Kind::set_limits;
        request.amount = {};
        request.parameter = limits;
    }
    auditor_.asked_for(request.id, till);
    const auto reply = host_.call([&](Platform& p) { return p.authorise(request); });
    if (!reply) return;
    auditor_.signed_for(request.id, till, *reply);
    if (!random.one_in(5)) execute_unseen(target, reply->first, till);
}

// With the word of the account's owner.
void World::transfer_unseen(SimCard& target, Random& random)
{
    const auto& till = program(random.next()).name;
    const auto from = merchant(random.below(5) % 3).account();
    const auto units = 1 + static_cast<std::int64_t>(random.below(60));
    const auto second = ask_for_transfer(target, from, Amount::minor_units(units));
    const auto owner = owner_of(from);
    if (!second || !owner) return;
    TransferRequest request{.id = operation_id(random.next()), .second = *second, .terminal = till};
    request.consent = owner->consent(host_.issuer().card_root, second->operation).value();
    const auto first = ask_as_thief(request);
    if (first && !random.one_in(4)) execute_unseen(target, *first, till);
}

void World::spend_unseen(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    if (random.one_in(3))
        random.one_in(2) ? sign_unseen(target, random) : transfer_unseen(target, random);
    select(target);
    for (auto left = 1 + random.below(6); left > 0; --left)
        if (!pay_unseen(target, random)) break;
    if (random.one_in(3)) declare_lost(step);
}

void World::late_receipts(const Step& step)
{
    Random random(step.seed);
    for (auto left = 1 + random.below(4); left > 0 && !drawer_.empty(); --left) {
        const auto at = drawer_.begin() + static_cast<std::ptrdiff_t>(random.below(drawer_.size()));
        const auto late = *at;
        if (!random.one_in(4)) drawer_.erase(at);  // else it comes once more
        const auto reply = host_.call([&](Platform& p) { return p.settle(late); });
        auditor_.submitted(late, reply);
    }
    if (!random.one_in(6)) return;
    std::vector<SimCard*> with_gaps;
    for (const auto& one : cards_)
        if (!missing_results(*one).empty()) with_gaps.push_back(one.get());
    if (!with_gaps.empty()) lie_about_gap(*with_gaps[random.below(with_gaps.size())], random);
}

// Gaps whose first result has not come, where the card could have paid.
std::vector<GapRow> World::open_gaps(const CardId& card_id)
{
    const Injector::Pause pause(environment_.injector);
    const auto found = host_.platform().gaps(card_id);
    auto gaps = found ? *found : std::vector<GapRow>();
    std::erase_if(gaps, [&](const GapRow& gap) {
        return auditor_.is_settled(card_id, gap.first) ||
               gap.balance_before < Balance::minor_units(1) ||
               gap.state_before != CardState::operational;
    });
    return gaps;
}

// Somebody has the card's key, and says that something else was in the gap: at its ends, where the
// platform knows what was there.
void World::lie_about_gap(SimCard& liar, Random& random)
{
    const auto gaps = open_gaps(liar.id());
    if (gaps.empty()) return;
    const auto& gap = gaps[random.below(gaps.size())];
    liar.forked = true;
    environment_.forked.insert(liar.id());
    const ExecutedOperation executed{{.kind = Kind::payment,
                                      .card_id = liar.id(),
                                      .sequence = gap.first,
                                      .amount = Amount::minor_units(-1),
                                      .unit = host_.issuer().currency.unit,
                                      .nonce = Nonce(operation_id(random.next()).bytes()),
                                      .account = shop(),
                                      .parameter = {}},
                                     std::nullopt};
    const auto& operation = executed.operation;
    CardResult result{.card_id = liar.id(),
                      .sequence = gap.first,
                      .operation = operation.digest(),
                      .balance = *checked_add(gap.balance_before, operation.amount),
                      .previous_result = gap.result_before,
                      .state = CardState::operational};
    if (random.one_in(2))
        result.previous_result = operation.digest();
    else
        result.balance = gap.balance_before;
    std::array<std::uint8_t, NonceSecret::size> nonce{};
    random.fill(nonce);
    const CardSigner signer(chip::clone(liar.memory().secrets.scalar), NonceSecret(nonce));
    const auto reply = submit({result, signer.sign_result(result).value()}, executed);
    check(!reply || !reply->settled, "I23", "a late result that does not fit was settled");
    environment_.probes.reach("lie about a gap judged");
}

void World::declare_lost(const Step& step)
{
    const auto id = card(step.card).id();
    for (int attempts = 0; attempts < 3; ++attempts) {
        const auto done = host_.call([&](Platform& p) { return p.declare_lost(id); });
        if (done || done.error().effect == Effect::unknown) auditor_.declared_lost(id);
        if (done) return auditor_.denied_by_us(id, true);
        if (done.error().effect == Effect::unknown) auditor_.denied_perhaps(id);
    }
}

// The issuer takes back value of a lost card, or of its holder account, for somebody.
void World::recover(const Step& step)
{
    Random random(step.seed);
    const auto row = card_row(card(step.card).id());
    if (!row || !row->denied) return declare_lost(step);
    if (random.one_in(4)) return recover_holder(*row, step);
    if (random.one_in(3)) pass(quarantine + std::chrono::days(1));
    std::int64_t free = 0;
    {
        const Injector::Pause pause(environment_.injector);
        const auto found = host_.platform().recoverable(row->card_id);
        if (!found) return;
        check(found->kept + found->held_back + found->free == found->book, "I22",
              "what can be recovered is not what the book has, less what can't");
        free = found->free;
    }
    const auto to = random.one_in(3) ? holder_account(card(step.card + 1).id())
                                     : merchant(step.other).account();
    auto order = draft(OrderKind::recover, to, random.next());
    order.other = AccountId::parse(row->card_id.to_string());
    const std::array<std::int64_t, 4> amounts = {free, free, 1 + free / 2, free + 1};
    order.amount = Amount::minor_units(amounts[random.below(amounts.size())]);
    begin_order(order, step.terminal);
}

void World::recover_holder(const CardRow& row, const Step& step)
{
    Random random(step.seed + 1);
    const auto holder = account_row(associated_account(holder_account(row.card_id)));
    if (holder.balance == 0) {
        auto given = draft(OrderKind::pay_in, holder.name.id, random.next());
        given.amount = Amount::minor_units(200);
        given.other = AccountId::parse("bank");
        begin_order(given, step.terminal);
    }
    auto order = draft(OrderKind::recover_holder, merchant(step.other).account(), random.next());
    order.other = AccountId::parse(row.card_id.to_string());
    order.amount = Amount::minor_units(-pick_debit(holder, random));
    begin_order(order, step.terminal);
}

// A transfer in that waits for a card which will not come back: where none does, one is made.
void World::write_off(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    if (!random.one_in(3)) {
        transfer_unseen(target, random);
        select(target);
        if (random.one_in(3)) static_cast<void>(pay_unseen(target, random, Fate::later));
        if (!random.one_in(3)) static_cast<void>(pay_unseen(target, random, Fate::now));
        declare_lost(step);
        if (random.one_in(3)) return recover(step);
    }
    std::vector<Operation> pending = auditor_.books().credits_in_gaps();
    {
        const Injector::Pause pause(environment_.injector);
        const auto found = host_.platform().pending();
        if (!found) return;
        for (const auto& first : *found) pending.push_back(first.operation);
    }
    for (const auto& operation : pending) {
        if (operation.kind != Kind::transfer_in || operation.card_id != target.id()) continue;
        auto order = draft(OrderKind::write_off, *operation.account, random.next());
        order.other = AccountId::parse(target.id().to_string());
        return begin_order(order, step.terminal);
    }
}

void World::wait(const Step& step)
{
    Random random(step.seed);
    if (random.one_in(4)) return break_clock(random);
    pass(std::chrono::days(1 + static_cast<std::int64_t>(random.below(40))));
}

// Never so long that the platform would take its own clock for wrong.
void World::pass(std::chrono::milliseconds time)
{
    const auto most = auditor_.books().last_time() + std::chrono::days(300);
    environment_.set_clock(std::min<Time>(environment_.clock + time, most));
}

// The clock is put back; or it is far ahead for a moment, and then nothing is written.
void World::break_clock(Random& random)
{
    if (random.one_in(2)) {
        const auto hours = std::chrono::hours(1 + static_cast<std::int64_t>(random.below(240)));
        environment_.set_clock(environment_.clock - hours);
        environment_.probes.reach("clock put back");
        return;
    }
    auto order = draft(OrderKind::pay_in, shop(), random.next());
    order.amount = Amount::minor_units(1);
    order.other = AccountId::parse("bank");
    const auto right = environment_.clock;
    environment_.clock = auditor_.books().last_time() + longest_silence + std::chrono::days(1);
    const auto reply = host_.call([&](Platform& p) { return p.execute({order, std::nullopt}); });
    environment_.clock = right;
    check(!reply, "I20", "the platform wrote with a clock that is far ahead");
    if (reply.error().code == Errc::clock_wrong) environment_.probes.reach("clock far ahead");
}

// As the operator does each night; half of the time of a card that nobody has seen for long.
void World::close_gaps(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    if (random.one_in(2)) {
        if (random.one_in(3)) sign_unseen(target, random);
        select(target);
        if (pay_unseen(target, random, Fate::later))
            static_cast<void>(pay_unseen(target, random, Fate::now));
        pass(gap_after + std::chrono::days(1));
    }
    const auto made = host_.call([&](Platform& p) { return p.close_gaps(); });
    if (made && *made > 0) environment_.probes.reach("gap made by the time");
}

// A till fetches what it has not, and the issuer's word to the whole.
void World::fetch_deny_list(const Step& step)
{
    auto& list = program(step.terminal).deny_list;
    const auto from = list.lines();
    const auto update =
        host_.call([&](Platform& p) { return p.deny_list(from, checkpoint_key()); });
    if (!update) return;
    for (const auto& line : update->lines)
        check(list.append(line), "deny list", "a till was given a line that changes nothing");
    const auto& issuer = host_.issuer();
    const auto head = DenyListHead::open(update->note, issuer.origin, issuer.checkpoint_key);
    check(head && list.matches(*head), "deny list", "a till's list is not what its note says");
    if (list.lines() > 0) environment_.probes.reach("deny list fetched");
}

// Results of the card's gaps that have not come and will: in every other world not those that
// nobody has, but for what was signed and pends.
std::vector<std::uint32_t> World::missing_results(const SimCard& card) const
{
    std::vector<std::uint32_t> missing;
    const auto found = auditor_.books().cards().find(card.id());
    if (found == auditor_.books().cards().end()) return missing;
    const bool never = plan_.seed % 2 == 1;
    for (const auto& gap : found->second.gaps)
        for (auto sequence = gap.first; sequence <= gap.last; ++sequence)
            if (!gap.late.contains(sequence) &&
                !(never && sequence != gap.first && gone_.contains({card.id(), sequence})))
                missing.push_back(sequence);
    return missing;
}

// At the end somebody finds the receipts of gaps, oldest first or newest first.
void World::hand_in_gaps(const SimCard& card)
{
    auto missing = missing_results(card);
    if (plan_.seed % 4 < 2) std::ranges::reverse(missing);
    for (const auto sequence : missing) {
        const auto& executed = card.executed()[sequence - 1];
        const Submission late{executed.receipt, executed.logged(), programs_.front().name};
        const auto reply = host_.call([&](Platform& p) { return p.settle(late); });
        check(reply.has_value(), "I23",
              "a late result is refused: " + (reply ? std::string() : reply.error().message()));
        if (!reply->settled) environment_.probes.reach("late result waits for a credit");
        auditor_.submitted(late, reply);
    }
}

}  // namespace simulation
