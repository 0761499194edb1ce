// SPDX-License-Identifier: Apache-2.0
// What terminals ask: IssuerClient, over the wire.
#include "api.hpp"

namespace tallycard::service::api {
namespace {

Result<void> check_terminal(const Call& call, const AccountId& terminal)
{
    return check_own(call, terminal, "terminal");
}

// Whether this client may ask for such an operation at all: a terminal for what moves its own cash,
// an operator for what administers a card.
Result<void> check_role(const Call& call, const OperationRequest& request)
{
    if (!moves_value(request.kind))
        return has(call, role::issuer) ? Result<void>() : not_permitted("role");
    if (!has(call, role::terminal)) return not_permitted("role");
    return check_terminal(call, request.terminal);
}

// An operator may settle what any terminal has left.
Result<void> check_deliverer(const Call& call, const Submission& submission)
{
    return has(call, role::issuer) ? Result<void>() : check_terminal(call, submission.terminal);
}

// Answers look(terminal) for the terminal that is named; for each of the client's in turn
// where none is, until one of them may see all of it.
template <class Look, class Sees>
Answer look_as_terminal(const Call& call, Look&& look, Sees&& sees)
{
    Parameters parameters(call);
    const auto text = parameters.word("terminal");
    const auto named = text ? AccountId::parse(*text) : std::nullopt;
    if (text && !named) parameters.refuse("terminal", "a terminal's name is wanted");
    if (!parameters.finish()) return malformed(parameters.problem());
    if (named) {
        if (const auto own = check_terminal(call, *named); !own) return refusal(own.error());
        return answer(look(named));
    }
    auto found = look(std::nullopt);
    for (const auto& terminal : call.client->accounts) {
        if (sees(found)) break;
        found = look(terminal);
    }
    return answer(found);
}

// Counts what is about to be moved. What was signed before is not asked again: its answer is the
// same whatever the limits are now.
Result<void> check_limits(Works& works, const Call& call, const OperationId& id, Amount amount)
{
    const auto& client = *call.client;
    if (!client.most_at_once && !client.most_in_a_day) return {};
    const auto known = works.platform.status(id, std::nullopt);
    if (known || known.error().code == Errc::not_permitted) return {};
    if (known.error().code != Errc::unknown_operation) return known.error();
    if (client.most_at_once && amount.magnitude() > *client.most_at_once)
        return Error{.code = Errc::client_limit, .where = "amount of one operation"};
    if (!client.most_in_a_day) return {};
    return works.usage.count(client.name, id, amount.magnitude(), *client.most_in_a_day);
}

// Signs, within the client's limits. What the platform refuses was not moved; where its answer is
// not known, it may have been.
template <class Sign>
Answer signed_within_limits(Works& works, const Call& call, const OperationId& id, Amount amount,
                            Sign&& sign)
{
    if (amount != Amount{}) {
        const auto within = check_limits(works, call, id, amount);
        if (!within) return refusal(within.error());
    }
    const auto status = sign();
    const bool moved =
        status || status.error().effect == Effect::unknown || status.error().code == Errc::conflict;
    if (!moved && call.client->most_in_a_day) (void)works.usage.forget(call.client->name, id);
    return answer(status);
}

}  // namespace

Answer issuer(Works& works, const Call&)
{
    return json(https::to_json(works.platform.issuer()));
}

Answer standing(Works& works, const Call& call)
{
    return with<CardId>("card_id", call.captured[0], [&](const CardId& id) {
        return look_as_terminal(
            call,
            [&](const std::optional<AccountId>& terminal) {
                return works.platform.standing(id, terminal);
            },
            [](const Result<CardStanding>& found) { return !found || !found->withheld; });
    });
}

Answer authorise(Works& works, const Call& call)
{
    return with_body(call.body, https::read_request, [&](const OperationRequest& request) {
        if (const auto may = check_role(call, request); !may) return refusal(may.error());
        return signed_within_limits(works, call, request.id, request.amount,
                                    [&] { return works.orders.authorise(request); });
    });
}

Answer authorise_transfer(Works& works, const Call& call)
{
    return with_body(call.body, https::read_transfer, [&](const TransferRequest& transfer) {
        if (const auto own = check_terminal(call, transfer.terminal); !own)
            return refusal(own.error());
        return signed_within_limits(works, call, transfer.id, transfer.second.operation.amount,
                                    [&] { return works.orders.authorise_transfer(transfer); });
    });
}

Answer status(Works& works, const Call& call)
{
    return with<OperationId>("id", call.captured[0], [&](const OperationId& id) {
        return look_as_terminal(
            call,
            [&](const std::optional<AccountId>& terminal) {
                return works.platform.status(id, terminal);
            },
            [](const Result<OperationStatus>& found) {
                return found || found.error().code != Errc::not_permitted;
            });
    });
}

Answer void_pending(Works& works, const Call& call)
{
    return with<CardId>("card_id", call.captured[0], [&](const CardId& id) {
        return with_empty_body(call.body, [&] { return answer(works.platform.void_pending(id)); });
    });
}

Answer settle(Works& works, const Call& call)
{
    return with_body(call.body, https::read_submission, [&](const Submission& submission) {
        if (const auto may = check_deliverer(call, submission); !may) return refusal(may.error());
        return answer(works.orders.settle(submission));
    });
}

}  // namespace tallycard::service::api
