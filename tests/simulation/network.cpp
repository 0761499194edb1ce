// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <algorithm>
#include <array>

namespace simulation {
namespace {

constexpr Error lost{
    .code = Errc::issuer_unreachable, .effect = Effect::unknown, .where = "simulation"};

bool same(const CardStanding& a, const CardStanding& b)
{
    return a.card_id == b.card_id && a.settled == b.settled && a.balance == b.balance &&
           a.pending == b.pending && a.withheld == b.withheld && a.voiding == b.voiding &&
           a.state == b.state && a.denied == b.denied;
}
bool same(const OperationStatus& a, const OperationStatus& b)
{
    return a.first == b.first && a.progress == b.progress && a.receipt == b.receipt;
}
bool same(const FirstInstruction& a, const FirstInstruction& b)
{
    return a == b;
}
bool same(const AccountStanding& a, const AccountStanding& b)
{
    return a == b;
}
bool same(const ExecutedOrder& a, const ExecutedOrder& b)
{
    return a.record == b.record && a.time == b.time && a.ledger_index == b.ledger_index;
}
bool same(const Settlement& a, const Settlement& b)
{
    return a.sequence == b.sequence && a.balance == b.balance &&
           (!a.settled || (b.settled && a.ledger_index == b.ledger_index));
}

// An object with one bit of its encoding flipped, where that still decodes.
template <class Object>
std::optional<Object> flipped(const Object& object, std::uint64_t value)
{
    const auto bytes = object.encode();
    Bytes damaged(bytes.bytes().begin(), bytes.bytes().end());
    const auto bit = value % (8 * damaged.size());
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1u << bit % 8);
    const auto decoded = Object::decode(damaged);
    if (!decoded) return std::nullopt;
    return *decoded;
}

Signature damaged_signature(const Signature& signature, std::uint64_t value)
{
    std::array<std::uint8_t, Signature::size> bytes{};
    std::ranges::copy(signature.bytes(), bytes.begin());
    const auto bit = value % (8 * bytes.size());
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    return Signature(bytes);
}

// The pending instruction that an answer carries, damaged: the issuer's signature guards it, and
// nothing but the connection the rest. Where it decodes no more the answer is lost.
template <class Reply>
Result<Reply> damaged_instruction(const Result<Reply>& reply, std::uint64_t value)
{
    if (!reply) return reply;
    auto damaged = *reply;
    FirstInstruction* first = nullptr;
    if constexpr (std::is_same_v<Reply, FirstInstruction>) first = &damaged;
    if constexpr (std::is_same_v<Reply, OperationStatus>)
        first = damaged.progress == Progress::pending ? &damaged.first : nullptr;
    if constexpr (std::is_same_v<Reply, CardStanding>)
        first = damaged.pending ? &*damaged.pending : nullptr;
    if (first == nullptr) return reply;
    const auto instruction = flipped(*first, value);
    if (!instruction) return lost;
    *first = *instruction;
    return damaged;
}

}  // namespace

template <class Reply>
Result<Reply> Network::pass(const std::function<Result<Reply>()>& call,
                            std::optional<OperationId> id)
{
    flip_.reset();
    const auto* event = environment_.injector.event(Place::call);
    if (event == nullptr) return call();
    const auto fault = *event;
    if (fault.kind == FaultKind::flip_call) flip_ = fault;
    if (fault.kind == FaultKind::kill_before_call) throw TerminalKilled();
    if (fault.kind == FaultKind::lose_call) return lost;
    if (fault.kind == FaultKind::late_call) {
        late_.push_back({[call] { static_cast<void>(call()); }, id});
        return lost;
    }
    if (fault.kind == FaultKind::other_terminal_at_platform)
        environment_.other_terminal(fault.value);
    auto reply = call();
    flip_.reset();
    if (fault.kind == FaultKind::repeat_call) {
        const auto again = call();
        check(!reply || !again || same(*reply, *again), "I6", "a repeated call, another answer");
    }
    if (fault.kind == FaultKind::kill_after_call) throw TerminalKilled();
    if (fault.kind == FaultKind::lose_reply) return lost;
    if (fault.kind == FaultKind::flip_reply) return damaged_instruction(reply, fault.value);
    return reply;
}

Result<CardStanding> Network::standing(const CardId& card_id,
                                       const std::optional<AccountId>& terminal)
{
    return pass<CardStanding>([=, this]() -> Result<CardStanding> {
        auto reply = host_.call([&](Platform& p) { return p.standing(card_id, terminal); });
        if (reply && reply->pending) auditor_.shown(*reply->pending, terminal);
        if (reply && reply->withheld) auditor_.withheld(*reply, terminal);
        if (reply && reply->voiding) auditor_.disclosed(*reply->voiding);
        return reply;
    });
}

Result<OperationStatus> Network::authorise(const OperationRequest& request)
{
    return pass<OperationStatus>(
        [=, this] {
            auditor_.asked_for(request.id, request.terminal);
            auto reply = host_.call([&](Platform& p) { return p.authorise(request); });
            if (reply) auditor_.signed_for(request.id, request.terminal, *reply);
            return reply;
        },
        request.id);
}

Result<OperationStatus> Network::authorise_transfer(const TransferRequest& request)
{
    return pass<OperationStatus>(
        [=, this]() -> Result<OperationStatus> {
            const bool beside = flip_ && request.consent && flip_->value % 2 == 1;
            const auto damaged =
                flip_ && !beside ? flipped(request.second, flip_->value) : std::nullopt;
            if (flip_ && !damaged && !beside)
                return Error{.code = Errc::malformed, .where = "simulation"};
            auditor_.asked_for(request);
            auto given = request;
            given.second = damaged.value_or(request.second);
            if (beside) given.consent = damaged_signature(*request.consent, flip_->value / 2);
            auto reply = host_.call([&](Platform& p) { return p.authorise_transfer(given); });
            check(!damaged || !reply, "I12", "a damaged second instruction was signed");
            if (reply) auditor_.signed_for(request.id, request.terminal, *reply);
            return reply;
        },
        request.id);
}

Result<OperationStatus> Network::status(const OperationId& id,
                                        const std::optional<AccountId>& terminal)
{
    const auto reply = pass<OperationStatus>([=, this]() -> Result<OperationStatus> {
        auto answer = host_.call([&](Platform& p) { return p.status(id, terminal); });
        const bool refused = !answer && answer.error().code == Errc::not_permitted;
        check(!refused || !terminal || !auditor_.has_asked(id, *terminal), "I9",
              "a terminal may not know how its own operation stands");
        if (answer && answer->progress == Progress::pending)
            auditor_.shown(answer->first, terminal);
        return answer;
    });
    // The operation that an id stands for is the platform's plain word here, and nobody's
    // signature.
    if (!reply || !auditor_.operation_of(id)) return reply;
    return *auditor_.operation_of(id) == reply->first.operation.digest() ? reply : lost;
}

Result<FirstInstruction> Network::void_pending(const CardId& card_id)
{
    return pass<FirstInstruction>([=, this] {
        auto reply = host_.call([&](Platform& p) { return p.void_pending(card_id); });
        if (reply) auditor_.disclosed(*reply);
        return reply;
    });
}

Result<Settlement> Network::settle(const Submission& submission)
{
    return pass<Settlement>([=, this]() -> Result<Settlement> {
        const auto& receipt = submission.receipt;
        const auto& executed = submission.executed;
        const bool beside = flip_ && executed && flip_->value % 2 == 1;
        const auto other = beside ? flipped(*executed, flip_->value / 2) : executed;
        const auto damaged = flip_ && !beside ? flipped(receipt, flip_->value) : std::nullopt;
        if (flip_ && !damaged && (!beside || !other))
            return Error{.code = Errc::malformed, .where = "simulation"};
        auto given = submission;
        given.receipt = damaged.value_or(receipt);
        given.executed = other;
        auto reply = host_.call([&](Platform& p) { return p.settle(given); });
        check(!damaged || (!reply && reply.error().code != Errc::evidence), "I12",
              "a damaged result was settled, or taken for evidence");
        auditor_.submitted(given, reply);
        return reply;
    });
}

Result<AccountStanding> Network::account_standing(const AccountId& account)
{
    return pass<AccountStanding>(
        [=, this] { return host_.call([&](Platform& p) { return p.account_standing(account); }); });
}

// An order with its owner's signature that arrives damaged is refused, and its sender knows no more
// than before. The operator's own words nothing guards but the connection.
Result<ExecutedOrder> Network::execute(const SignedOrder& order)
{
    return pass<ExecutedOrder>(
        [=, this]() -> Result<ExecutedOrder> {
            if (!flip_ || !order.owner) {
                auto reply = host_.call([&](Platform& p) { return p.execute(order); });
                auditor_.executed(order, reply);
                return reply;
            }
            auto given = order;
            if (const auto other = flipped(order.order, flip_->value))
                given.order = *other;
            else
                given.owner = damaged_signature(*order.owner, flip_->value);
            const auto reply = host_.call([&](Platform& p) { return p.execute(given); });
            check(!reply || (reply->record.order == order.order &&
                             reply->record.owner_signature == order.owner),
                  "I19", "a damaged order was executed");
            return lost;
        },
        order.order.id);
}

}  // namespace simulation
