// SPDX-License-Identifier: Apache-2.0
// Terminals that say what they please: I6, I10, I12, I13, I17. What may not happen is checked where
// everything is, after each command and each step; here is what they say.
#include <algorithm>

#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "world.hpp"

namespace simulation {
namespace {

constexpr std::uint8_t request_ins = 0x30, execute_ins = 0x32, pay_ins = 0x34;

// What was said before: half of the time a first instruction of this very card.
const Exchange& pick_exchange(const std::vector<Exchange>& all, const CardId& card_id,
                              Random& random)
{
    constexpr std::size_t id_at = 5 + 2 + 3 + 3 + 2;  // after E1, the version and the kind
    std::vector<const Exchange*> own;
    for (const auto& exchange : all) {
        if (exchange.ins() == execute_ins && exchange.command.size() > id_at + CardId::size &&
            std::ranges::equal(std::span(exchange.command).subspan(id_at, CardId::size),
                               card_id.bytes()))
            own.push_back(&exchange);
    }
    if (own.empty() || random.one_in(2)) return all[random.below(all.size())];
    return *own[random.below(own.size())];
}

// The operations of a card's log, newest last.
const Executed* pick_executed(const std::vector<std::unique_ptr<SimCard>>& cards, Random& random)
{
    const auto& executed = cards[random.below(cards.size())]->executed();
    return executed.empty() ? nullptr : &executed[random.below(executed.size())];
}

}  // namespace

Bytes command_of(apdu::Header header, std::span<const std::uint8_t> data, bool has_le)
{
    Bytes bytes{header.cla, header.ins, header.p1, header.p2,
                static_cast<std::uint8_t>(data.size())};
    bytes.insert(bytes.end(), data.begin(), data.end());
    if (has_le) bytes.push_back(0);
    return bytes;
}

void World::select(SimCard& card)
{
    static_cast<void>(card.process(
        command_of(wire::command::select, wire::aid, card.protocol() == TransmissionProtocol::t1)));
}

// PAY is left out: whoever has the card may pay with it.
void World::replay_to_card(const Step& step)
{
    Random random(step.seed);
    auto& target = card(step.card);
    select(target);
    for (auto count = 1 + random.below(8); count > 0 && !environment_.exchanges.empty(); --count) {
        const auto recorded = pick_exchange(environment_.exchanges, target.id(), random);
        if (recorded.ins() == pay_ins) continue;
        const auto before = target.executed().size();
        const auto said = target.process(recorded.command);
        const bool own = recorded.card == target.number() && !target.forked &&
                         target.protocol() == TransmissionProtocol::t1;
        if (recorded.ins() != execute_ins || recorded.answer.size() <= 2 || !own) continue;
        check(target.executed().size() == before, "I13", "an instruction executed again");
        const auto first =
            FirstInstruction::decode(std::span(recorded.command).subspan(5, recorded.command[4]));
        if (!first || said.empty() || first->operation.sequence + 16 <= before) continue;
        check(said == recorded.answer || said.size() == 2, "I6", "replayed, and another answer");
        if (said == recorded.answer) environment_.probes.reach("EXECUTE replayed");
    }
}

void World::made_up_to_card(const Step& step)
{
    switch (step.other % 4) {
    case 0: overdraw_pin(step); break;
    case 1: swap_requests(step); break;
    default: overreach(step);
    }
    Random random(step.seed);
    auto& target = card(step.card);
    select(target);
    const auto before = target.executed().size();
    const Operation operation{.kind = random.one_in(2) ? Kind::top_up : Kind::cancel,
                              .card_id = target.id(),
                              .sequence = static_cast<std::uint32_t>(before + random.below(3)),
                              .amount = {},
                              .unit = host_.issuer().currency.unit,
                              .nonce = {},
                              .account = {},
                              .parameter = {}};
    auto forged = operation;
    if (forged.kind == Kind::top_up) {
        forged.amount = Amount::minor_units(step.amount);
        forged.account = thief();
    }
    SoftwareOperationSigner signer(key_seed(99));
    const FirstInstruction first{forged, signer.sign(forged).value()};
    const bool le = target.protocol() == TransmissionProtocol::t1;
    static_cast<void>(target.process(command_of(wire::command::execute, first.encode(), le)));
    check(target.executed().size() == before, "I12", "a forged instruction executed");

    for (auto count = random.below(8); count > 0; --count) {
        Bytes noise(4 + random.below(120));
        random.fill(noise);
        if (!environment_.exchanges.empty() && random.one_in(2)) {
            noise = environment_.exchanges[random.below(environment_.exchanges.size())].command;
            if (noise.size() > 4 && noise[1] == pay_ins) continue;
            for (auto flips = 1 + random.below(3); flips > 0 && noise.size() > 5; --flips)
                noise[5 + random.below(noise.size() - 5)] ^=
                    static_cast<std::uint8_t>(1u << random.below(8));
        }
        static_cast<void>(target.process(noise));
    }
    environment_.probes.reach("made-up commands");
}

std::optional<std::uint64_t> World::ledger_size()
{
    const Injector::Pause pause(environment_.injector);
    const auto head = host_.platform().ledger_head();
    return head ? std::optional(head->size) : std::nullopt;
}

bool World::ledger_changed(std::optional<std::uint64_t> size)
{
    const auto now = ledger_size();
    return size && now && *now != *size;
}

Result<Settlement> World::submit(const Receipt& receipt,
                                 const std::optional<ExecutedOperation>& executed)
{
    const Submission submission{receipt, executed, thief()};
    const auto reply = host_.call([&](Platform& p) { return p.settle(submission); });
    auditor_.submitted(submission, reply);
    return reply;
}

// A cash-out is paid at the terminal that the card named to it, and nowhere else.
std::optional<FirstInstruction> World::ask_as_thief(const TransferRequest& request)
{
    auditor_.asked_for(request);
    const auto reply = host_.call([&](Platform& p) { return p.authorise_transfer(request); });
    if (!reply) {
        if (reply.error().code == Errc::not_permitted)
            environment_.probes.reach("cash-out of another terminal refused");
        return std::nullopt;
    }
    auditor_.signed_for(request.id, request.terminal, *reply);
    if (reply->progress != Progress::pending) return std::nullopt;
    return reply->first;
}

// Results in any order, as often as one likes (I13): the books see to the rest.
void World::replay_to_platform(const Step& step)
{
    Random random(step.seed);
    for (auto count = 1 + random.below(5); count > 0; --count) {
        const auto* executed = pick_executed(cards_, random);
        if (executed == nullptr) continue;
        const auto& result = executed->receipt.result;
        const bool settled = auditor_.is_settled(result.card_id, result.sequence);
        const auto size = ledger_size();
        auto logged = executed->logged();
        if (logged.issuer_signature && random.one_in(4)) {  // the platform knows it better
            std::array<std::uint8_t, Signature::size> noise{};
            random.fill(noise);
            logged.issuer_signature = Signature(noise);
        }
        static_cast<void>(
            submit(executed->receipt, random.one_in(4) ? std::nullopt : std::optional(logged)));
        // A denied card's gaps are closed whenever something of it comes.
        check(!settled || !ledger_changed(size) || is_forked(result.card_id), "I13",
              "a settled result was settled again");
    }
    for (std::size_t back = environment_.exchanges.size(); back > 0; --back) {
        const auto& exchange = environment_.exchanges[back - 1];
        if (exchange.ins() != request_ins || exchange.answer.size() <= 2) continue;
        if (random.one_in(3)) continue;  // mostly the newest, which may still be good
        const auto second =
            SecondInstruction::decode(std::span(exchange.answer).first(exchange.answer.size() - 2));
        if (!second) continue;
        // As nobody, or with a stolen name: the till's whose cash it is, or any.
        const auto id = operation_id(random.next());
        const auto& account = *second->operation.account;
        const bool moves_cash = second->operation.kind == Kind::cash_out;
        const auto stolen = moves_cash ? account : program(step.terminal).name;
        TransferRequest request{
            .id = id, .second = *second, .terminal = random.one_in(2) ? thief() : stolen};
        request.consent = some_word(second->operation, random);
        const auto first = ask_as_thief(request);
        if (first) environment_.probes.reach("transfer signed for a hostile terminal");
        break;
    }
}

// Results that no card signed, or that a card signed as something else.
void World::made_up_to_platform(const Step& step)
{
    if (card(step.card).forked) broken_card(step);
    ask_too_much(step);
    Random random(step.seed);
    const auto* executed = pick_executed(cards_, random);
    if (executed == nullptr) return;
    const auto size = ledger_size();
    auto forged = executed->receipt;
    auto logged = executed->logged();
    switch (random.below(4)) {
    case 0: forged.result.balance = Balance::minor_units(random.below(100'000)); break;
    case 1: ++forged.result.sequence; break;
    case 2: {
        std::array<std::uint8_t, Signature::size> noise{};
        random.fill(noise);
        forged.card_signature = Signature(noise);
        break;
    }
    default:
        for (const auto& exchange : environment_.exchanges) {  // I17: a signature as another one
            if (exchange.ins() != request_ins || exchange.answer.size() <= 2) continue;
            const auto second = SecondInstruction::decode(
                std::span(exchange.answer).first(exchange.answer.size() - 2));
            if (second) forged.card_signature = second->card_signature;
        }
    }
    if (forged == executed->receipt) return;
    const auto reply = host_.call([&](Platform& p) { return p.settle({forged, logged, thief()}); });
    check(!reply && reply.error().code != Errc::evidence, "I12", "a forged result was judged");
    // An operation that is not the one that the card signed for.
    const auto& result = executed->receipt.result;
    if (!auditor_.is_settled(result.card_id, result.sequence)) {
        logged.operation.nonce = Nonce(operation_id(random.next()).bytes());
        static_cast<void>(submit(executed->receipt, logged));
    }
    check(!ledger_changed(size) || executed->operation.kind != Kind::payment, "I12",
          "a result was settled with another operation");
    environment_.probes.reach("made-up results");
}

}  // namespace simulation
