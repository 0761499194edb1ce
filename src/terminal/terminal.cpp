// SPDX-License-Identifier: Apache-2.0
#include <tallycard/terminal.hpp>

#include <algorithm>
#include <array>

#include <sodium/randombytes.h>

#include "operation.hpp"

namespace tallycard {

using contact::card_asks;
using contact::Contact;
using contact::Intent;
using contact::perform;
using contact::platform_signs;

Outcome Terminal::top_up(CardLink& card, const OperationId& id, Amount amount)
{
    const Contact contact{*issuer_, settings_, card};
    const Intent intent{.kind = Kind::top_up, .amount = amount, .account = {}, .parameter = {}};
    return perform(contact, id, intent, platform_signs(contact, id, intent));
}

Outcome Terminal::cash_out(CardLink& card, const OperationId& id, Amount amount,
                           const PinBlock* pin)
{
    const Contact contact{*issuer_, settings_, card, pin};
    const Intent intent{.kind = Kind::cash_out, .amount = -amount, .account = {}, .parameter = {}};
    return perform(contact, id, intent, platform_signs(contact, id, intent));
}

Outcome Terminal::transfer_out(CardLink& card, const OperationId& id, Amount amount,
                               const AccountId& to, const PinBlock* pin)
{
    const Contact contact{*issuer_, settings_, card, pin};
    const Intent intent{
        .kind = Kind::transfer_out, .amount = -amount, .account = to, .parameter = {}};
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::transfer_in(CardLink& card, const OperationId& id, Amount amount,
                              const AccountId& from)
{
    const Contact contact{*issuer_, settings_, card};
    const Intent intent{
        .kind = Kind::transfer_in, .amount = amount, .account = from, .parameter = {}};
    return perform(contact, id, intent, card_asks(contact, id, intent));
}

Outcome Terminal::administer(CardLink& card, const OperationId& id, Kind kind, Parameter parameter)
{
    TALLYCARD_EXPECTS(!moves_value(kind) && kind != Kind::cancel);
    const Contact contact{*issuer_, settings_, card};
    const Intent intent{.kind = kind, .amount = {}, .account = {}, .parameter = parameter};
    return perform(contact, id, intent, platform_signs(contact, id, intent));
}

Result<Settlement> Terminal::settle(const Operation& operation, const Receipt& receipt)
{
    return issuer_->settle(receipt, operation);
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

Result<StateStatement> Terminal::state(CardLink& card, const PinBlock* pin)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    if (pin != nullptr) {
        if (auto verified = session->verify_pin(*pin); !verified) return verified.error();
    }
    std::array<std::uint8_t, Challenge::size> challenge;
    randombytes_buf(challenge.data(), challenge.size());
    return session->authenticate(Challenge(challenge));
}

Result<std::vector<HistoryEntry>> Terminal::history(CardLink& card)
{
    constexpr std::uint32_t log_size = 16;
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    const auto newest = session->info().sequence;
    const auto count = std::min(newest, log_size);
    std::vector<HistoryEntry> entries;
    for (std::uint32_t back = 0; back < count; ++back) {
        const auto operation = session->operation(newest - back);
        if (!operation) return operation.error();
        const auto receipt = session->result(newest - back);
        if (!receipt) return receipt.error();
        entries.push_back({*operation, *receipt});
    }
    return entries;
}

Result<void> Terminal::change_pin(CardLink& card, const PinBlock& old_pin, const PinBlock& new_pin)
{
    auto session = contact::begin({*issuer_, settings_, card});
    if (!session) return session.error();
    return session->change_pin(old_pin, new_pin);
}

}  // namespace tallycard
