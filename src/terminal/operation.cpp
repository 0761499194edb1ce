// SPDX-License-Identifier: Apache-2.0
#include "operation.hpp"

#include "notes.hpp"

namespace tallycard::contact {
namespace {

Error refusal(Errc code, Kind kind)
{
    return Error{.code = code, .where = name(kind)};
}

// The card's own rules for what moves value, applied before the platform is asked: a refusal that
// comes later costs a void. The card has the last word all the same.
Result<void> check(const CardInfo& info, const Limits& limits, const Intent& intent, bool has_pin)
{
    if (intent.amount.magnitude() > limits.maximum_amount.to_minor_units())
        return refusal(Errc::amount_limit, intent.kind);
    const bool above_pin = intent.amount.magnitude() > limits.pin_above.to_minor_units();
    if (is_debit(intent.kind) && above_pin && !has_pin)
        return refusal(Errc::pin_needed, intent.kind);
    if (!info.balance) return {};
    const auto after = checked_add(*info.balance, intent.amount);
    if (is_debit(intent.kind) && !after) return refusal(Errc::balance_too_low, intent.kind);
    if (is_credit(intent.kind) && (!after || *after > limits.maximum_balance))
        return refusal(Errc::balance_limit, intent.kind);
    return {};
}

// Who the card is, and whether it would take the operation: the PIN is tried here, so that a wrong
// one leaves nothing pending.
struct Preview {
    CardInfo info;
    Result<void> verdict;
};

Result<Preview> preview(const Contact& contact, const Intent& intent)
{
    auto session = begin(contact);
    if (!session) return session.error();
    Preview preview{session->info(), {}};
    if (!moves_value(intent.kind)) return preview;
    const auto use = session->limits();
    if (!use) return use.error();
    preview.verdict = check(preview.info, use->limits, intent, contact.pin.is_given());
    if (preview.verdict && contact.pin.block() != nullptr)
        preview.verdict = session->verify_pin(*contact.pin.block());
    return preview;
}

// A card that was changed for another meanwhile is not the one that is meant.
Result<Preview> of_card(CardId card_id, Result<Preview> found)
{
    if (found && found->info.card_id != card_id)
        return Error{.code = Errc::wrong_card, .where = "SELECT"};
    return found;
}

// The operation pending under this id, where it is the one that is meant: the one that the holder
// was shown.
Result<std::optional<Operation>> pending_as(const Contact& contact, const OperationId& id,
                                            const Intent& intent)
{
    const auto status = contact.issuer.status(id, contact.settings.name);
    if (!status && status.error().code != Errc::unknown_operation) return status.error();
    const bool is_meant =
        status && status->progress == Progress::pending && is_same(status->first.operation, intent);
    return is_meant ? std::optional(status->first.operation) : std::nullopt;
}

// The card after it and the platform were made to agree, where they did not.
Result<Preview> agree(const Contact& contact, const OperationId& id, const Intent& intent)
{
    auto first = preview(contact, intent);
    if (!first) return first.error();
    if (!first->verdict && is_pin_error(first->verdict.error())) return first->verdict.error();
    const auto standing = contact.issuer.standing(first->info.card_id, contact.settings.name);
    if (!standing) return standing.error();
    if (standing->settled == first->info.sequence && !standing->is_pending()) return first;
    const auto shown = pending_as(contact, id, intent);
    if (!shown) return shown.error();
    const auto resolved = resolve(contact, Pending::deliver, *shown);
    if (!resolved) return resolved.error();
    return of_card(first->info.card_id, preview(contact, intent));
}

// Another terminal was faster: the card and the platform have to be made to agree once more.
bool is_behind(const Error& error)
{
    return error.code == Errc::operation_pending || error.code == Errc::unsettled;
}

// How the operation with this id stands, brought to its end unless there is an obstacle; empty
// where it was never signed for.
std::optional<Outcome> known(const Contact& contact, const OperationId& id, const Intent& intent,
                             const Error* obstacle)
{
    const auto status = contact.issuer.status(id, contact.settings.name);
    if (!status) {
        if (status.error().code == Errc::unknown_operation) return std::nullopt;
        return InDoubt{std::nullopt, obstacle != nullptr ? *obstacle : status.error()};
    }
    const auto& operation = status->first.operation;
    if (!is_same(operation, intent)) return NotApplied{refusal(Errc::conflict, intent.kind)};
    if (obstacle != nullptr && status->progress == Progress::pending)
        return InDoubt{operation, *obstacle};
    return conclude(contact, id, *status);
}

// The operation could not go on. What an earlier call with this id did is not undone by that.
Outcome stopped(const Contact& contact, const OperationId& id, const Intent& intent,
                const Error& error)
{
    if (error.effect == Effect::unknown) return InDoubt{std::nullopt, error};
    return known(contact, id, intent, &error).value_or(NotApplied{error});
}

Outcome attempt(const Contact& contact, const OperationId& id, const Intent& intent, const Ask& ask)
{
    if (moves_value(intent.kind) && !sign_fits(intent.kind, intent.amount))
        return NotApplied{refusal(Errc::bad_amount, intent.kind)};
    auto ready = agree(contact, id, intent);
    if (!ready) return stopped(contact, id, intent, ready.error());
    if (auto outcome = known(contact, id, intent, nullptr)) return *outcome;
    if (!ready->verdict) return NotApplied{ready->verdict.error()};
    const auto noted = note_intent(contact, journal_intent(id, ready->info.card_id, intent));
    if (!noted) return NotApplied{noted.error()};

    auto status = ask(ready->info);
    if (!status && is_behind(status.error())) {
        ready = of_card(ready->info.card_id, agree(contact, id, intent));
        if (!ready) return stopped(contact, id, intent, ready.error());
        status = ask(ready->info);
    }
    if (!status) return stopped(contact, id, intent, status.error());
    return conclude(contact, id, *status);
}

}  // namespace

bool is_same(const Operation& operation, const Intent& intent)
{
    return operation.kind == intent.kind && operation.amount == intent.amount &&
           operation.account == intent.account && operation.parameter == intent.parameter;
}

Outcome perform(const Contact& contact, const OperationId& id, const Intent& intent, const Ask& ask)
{
    auto outcome = attempt(contact, id, intent, ask);
    note_end(contact, id, outcome);
    return outcome;
}

Ask platform_signs(const Contact& contact, const OperationId& id, const Intent& intent)
{
    return [&contact, id, intent](const CardInfo& info) {
        return contact.issuer.authorise({.id = id,
                                         .card_id = info.card_id,
                                         .kind = intent.kind,
                                         .amount = intent.amount,
                                         .parameter = intent.parameter,
                                         .terminal = contact.settings.name});
    };
}

Ask card_asks(const Contact& contact, const OperationId& id, const Intent& intent)
{
    return [&contact, id, intent](const CardInfo& info) -> Result<OperationStatus> {
        auto session = begin(contact);
        if (!session) return session.error();
        if (session->info().card_id != info.card_id)
            return Error{.code = Errc::wrong_card, .where = name(intent.kind)};
        if (is_debit(intent.kind)) {
            if (auto verified = give_pin(*session, contact.pin); !verified) return verified.error();
        }
        const auto second =
            session->request(intent.kind, intent.amount, info.currency.unit, *intent.account);
        if (!second) return second.error();
        if (auto ended = session->end(); !ended) return ended.error();
        TransferRequest request{.id = id, .second = *second, .terminal = contact.settings.name};
        request.refunds = intent.refunds;
        if (intent.owner != nullptr) {
            const auto consent =
                intent.owner->consent(contact.settings.card_root, second->operation);
            if (!consent) return consent.error();
            request.consent = *consent;
        }
        return contact.issuer.authorise_transfer(request);
    };
}

}  // namespace tallycard::contact
