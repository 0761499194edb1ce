// SPDX-License-Identifier: Apache-2.0
#include <tallycard/terminal.hpp>

#include <algorithm>

#include "operation.hpp"

namespace tallycard {

using contact::card_asks;
using contact::Contact;
using contact::Intent;
using contact::perform;
using contact::platform_signs;

namespace {

constexpr std::uint32_t log_size = 16;

// The first signature that is asked of a card tells whose it is.
Error as_foreign(Error error)
{
    if (error.code == Errc::bad_signature) error.code = Errc::foreign_card;
    return error;
}

}  // namespace

Outcome Terminal::top_up(CardLink& card, const OperationId& id, Amount amount)
{
    const Contact contact{*issuer_, settings_, card};
    const Intent intent{
        .kind = Kind::top_up, .amount = amount, .account = settings_.name, .parameter = {}};
    return perform(contact, id, intent, platform_signs(contact, id, intent));
}

Outcome Terminal::cash_out(CardLink& card, const OperationId& id, Amount amount,
                           const HolderPin& pin)
{
    const Contact contact{*issuer_, settings_, card, pin};
    const Intent intent{
        .kind = Kind::cash_out, .amount = -amount, .account = settings_.name, .parameter = {}};
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::transfer_out(CardLink& card, const OperationId& id, Amount amount,
                               const AccountId& to, const HolderPin& pin)
{
    const Contact contact{*issuer_, settings_, card, pin};
    const Intent intent{
        .kind = Kind::transfer_out, .amount = -amount, .account = to, .parameter = {}};
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::transfer_in(CardLink& card, const OperationId& id, Amount amount,
                              const AccountId& from, AccountSigner* owner)
{
    const Contact contact{*issuer_, settings_, card};
    Intent intent{.kind = Kind::transfer_in, .amount = amount, .account = from, .parameter = {}};
    intent.owner = owner;
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::refund(CardLink& card, const OperationId& id, Amount amount,
                         const AccountId& from, AccountSigner& owner, const PaymentName& payment)
{
    const Contact contact{*issuer_, settings_, card};
    Intent intent{.kind = Kind::transfer_in, .amount = amount, .account = from, .parameter = {}};
    intent.owner = &owner;
    intent.refunds = payment;
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::administer(CardLink& card, const OperationId& id, Kind kind, Parameter parameter)
{
    TALLYCARD_EXPECTS(!moves_value(kind) && kind != Kind::cancel);
    const Contact contact{*issuer_, settings_, card};
    const Intent intent{.kind = kind, .amount = {}, .account = {}, .parameter = parameter};
    return perform(contact, id, intent, platform_signs(contact, id, intent));
}

Result<Settlement> Terminal::settle(const Operation& operation, const Receipt& receipt,
                                    const std::optional<Reference>& reference)
{
    // Of what the issuer signed, the platform knows the signature better than the caller.
    Submission submission{receipt, std::nullopt, settings_.name, reference};
    if (operation.kind == Kind::payment)
        submission.executed = ExecutedOperation{operation, std::nullopt};
    return issuer_->settle(submission);
}

Result<Resolution> Terminal::resolve(CardLink& card)
{
    return contact::resolve({*issuer_, settings_, card}, contact::Pending::deliver);
}

Result<Resolution> Terminal::void_pending(CardLink& card)
{
    return contact::resolve({*issuer_, settings_, card}, contact::Pending::cancel);
}

Result<CardInfo> Terminal::identify(CardLink& card)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    return session->info();
}

Result<StateStatement> Terminal::state(CardLink& card, const HolderPin& pin)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    if (auto verified = contact::give_pin(*session, pin); !verified) return verified.error();
    return contact::prove(*session);
}

Result<std::vector<HistoryEntry>> Terminal::history(CardLink& card)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    // A card whose balance is private says this with its PIN only: its newest receipt has to do.
    if (session->info().balance) {
        if (const auto genuine = contact::prove(*session); !genuine) return genuine.error();
    }
    const auto newest = session->info().sequence;
    const auto count = std::min(newest, log_size);
    std::vector<HistoryEntry> entries;
    for (std::uint32_t back = 0; back < count; ++back) {
        const auto entry = contact::log_entry(*session, newest - back);
        if (!entry) return back == 0 ? as_foreign(entry.error()) : entry.error();
        entries.push_back(*entry);
    }
    return entries;
}

Result<void> Terminal::change_pin(CardLink& card, const PinBlock& old_pin, const PinBlock& new_pin)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    return session->change_pin(old_pin, new_pin);
}

Result<void> Terminal::set_pin(CardLink& card, const PinBlock& new_pin)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    return session->set_pin(new_pin);
}

Result<void> Terminal::change_pin_at_reader(CardLink& card)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    return session->change_pin_at_reader();
}

}  // namespace tallycard
