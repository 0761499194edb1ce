// SPDX-License-Identifier: Apache-2.0
#include <tallycard/card_session.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <tallycard/contract.hpp>
#include <tallycard/verify.hpp>

#include "../protocol/command_data.hpp"
#include "../protocol/tlv.hpp"
#include "../protocol/wire.hpp"
#include "exchange.hpp"

namespace tallycard {

namespace rule = detail::rule;
using apdu::Command;
using apdu::Response;

namespace {

// Statement and signature as INTERNAL AUTHENTICATE answers them.
struct SignedState {
    StateStatement statement;
    Signature signature;

    static Result<SignedState> decode(std::span<const std::uint8_t> bytes)
    {
        tlv::Decoder decoder(bytes);
        const auto object = decoder.element(wire::tag::state_statement);
        const Signature signature(decoder.field<Signature::size>(wire::tag::card_signature));
        if (const auto whole = decoder.finish(rule::internal_authenticate.name); !whole)
            return whole.error();
        const auto statement = StateStatement::decode(object);
        if (!statement) return statement.error();
        return SignedState{.statement = *statement, .signature = signature};
    }
};

// PIN blocks as the reader is to fill them in: format 2, no digits yet, and filler.
std::vector<std::uint8_t> empty_blocks(std::size_t count)
{
    std::vector<std::uint8_t> blocks(count * PinBlock::size, 0xFF);
    for (std::size_t i = 0; i < count; ++i) blocks[i * PinBlock::size] = 0x20;
    return blocks;
}

}  // namespace

Result<CardSession> CardSession::begin(CardLink& link, const PublicKey& card_root,
                                       Observer* observer)
{
    if (const auto safe = self_test(); !safe) return safe.error();
    const auto attempt = [&]() -> Result<CardSession> {
        if (const auto begun = link.begin(); !begun) return begun.error();
        CardSession session(link, card_root, observer);
        if (const auto selected = session.select(); !selected) return selected.error();
        return session;
    };
    auto session = attempt();
    if (session || session.error().code != Errc::card_reset) return session;
    if (const auto again = link.reconnect(); !again) return again.error();
    return attempt();
}

CardSession::CardSession(CardSession&& other) noexcept
    : link_(std::exchange(other.link_, nullptr)),
      card_root_(other.card_root_),
      observer_(other.observer_),
      info_(other.info_),
      public_key_(other.public_key_)
{
}

CardSession::~CardSession()
{
    if (link_ != nullptr) (void)link_->end();
}

Result<void> CardSession::end()
{
    TALLYCARD_EXPECTS(link_ != nullptr);
    return std::exchange(link_, nullptr)->end();
}

Result<Response> CardSession::exchange(const Command& command, const detail::CommandRule& rule)
{
    TALLYCARD_EXPECTS(link_ != nullptr);
    return detail::exchange(*link_, command, rule, answer_, observer_);
}

// Nothing of a blank card can be verified, so that such a command is not even sent.
Result<void> CardSession::not_blank(const detail::CommandRule& rule) const
{
    if (info_.state != CardState::blank) return {};
    return Error{.code = Errc::blank_card, .where = rule.name};
}

Result<void> CardSession::select()
{
    const Command command(wire::command::select, wire::aid, Command::any_length);
    const auto response = exchange(command, rule::select);
    if (!response) return response.error();
    const auto info = CardInfo::decode(response->data);
    if (!info) return info.error();
    PublicKey public_key;
    if (info->state != CardState::blank) {
        const auto derived = derive_card_public_key(card_root_, info->card_id, info->certificate);
        if (!derived) return Error{.code = Errc::foreign_card, .where = rule::select.name};
        public_key = *derived;
    }
    info_ = *info;
    public_key_ = public_key;
    return {};
}

Result<void> CardSession::challenge(std::span<std::uint8_t> random)
{
    TALLYCARD_EXPECTS(!random.empty() && random.size() <= Command::any_length);
    const Command command(wire::command::get_challenge, {}, random.size());
    const auto response = exchange(command, rule::get_challenge);
    if (!response) return response.error();
    if (response->data.size() != random.size())
        return Error{.code = Errc::malformed, .where = rule::get_challenge.name};
    std::ranges::copy(response->data, random.begin());
    return {};
}

Result<StateStatement> CardSession::authenticate(const Challenge& challenge)
{
    const auto& rule = rule::internal_authenticate;
    if (const auto ready = not_blank(rule); !ready) return ready.error();
    const Command command(wire::command::internal_authenticate, challenge.bytes(),
                          Command::any_length);
    const auto response = exchange(command, rule);
    if (!response) return response.error();
    const auto answer = SignedState::decode(response->data);
    if (!answer) return answer.error();
    const auto& statement = answer->statement;
    if (!verify(statement, answer->signature, public_key_))
        return Error{.code = Errc::foreign_card, .where = rule.name};
    const bool as_asked = statement.challenge == challenge && statement.card_id == info_.card_id &&
                          statement.unit == info_.currency.unit;
    if (!as_asked) return Error{.code = Errc::bad_signature, .where = rule.name};
    return statement;
}

Result<LimitsUse> CardSession::limits()
{
    constexpr std::size_t answer_size = 52;
    if (const auto ready = not_blank(rule::get_data); !ready) return ready.error();
    const auto response =
        exchange(Command(wire::command::get_data, {}, answer_size), rule::get_data);
    if (!response) return response.error();
    return decode_limits_use(response->data);
}

Result<void> CardSession::verify_pin(const PinBlock& pin)
{
    if (const auto ready = not_blank(rule::verify); !ready) return ready.error();
    const auto response = exchange(Command(wire::command::verify, pin.reveal()), rule::verify);
    if (!response) return response.error();
    return {};
}

Result<void> CardSession::change_pin(const PinBlock& old_pin, const PinBlock& new_pin)
{
    const auto& rule = rule::change_reference_data;
    if (const auto ready = not_blank(rule); !ready) return ready.error();
    std::array<std::uint8_t, 2 * PinBlock::size> blocks;
    std::ranges::copy(old_pin.reveal(), blocks.begin());
    std::ranges::copy(new_pin.reveal(), blocks.begin() + PinBlock::size);
    const Command command(wire::command::change_reference_data, blocks);
    detail::erase(blocks);
    const auto response = exchange(command, rule);
    if (!response) return response.error();
    return {};
}

Result<void> CardSession::set_pin(const PinBlock& new_pin)
{
    if (const auto ready = not_blank(rule::set_pin); !ready) return ready.error();
    const auto response =
        exchange(Command(wire::command::set_pin, new_pin.reveal()), rule::set_pin);
    if (!response) return response.error();
    return {};
}

Result<void> CardSession::verify_pin_at_reader()
{
    return exchange_at_reader(PinEntry::verify, Command(wire::command::verify, empty_blocks(1)),
                              rule::verify);
}

Result<void> CardSession::change_pin_at_reader()
{
    return exchange_at_reader(PinEntry::modify,
                              Command(wire::command::change_reference_data, empty_blocks(2)),
                              rule::change_reference_data);
}

Result<void> CardSession::exchange_at_reader(PinEntry entry, const Command& command,
                                             const detail::CommandRule& rule)
{
    TALLYCARD_EXPECTS(link_ != nullptr);
    if (const auto ready = not_blank(rule); !ready) return ready.error();
    const auto response =
        detail::exchange_at_reader(*link_, entry, command, rule, answer_, observer_);
    if (!response) return response.error();
    return {};
}

Result<std::optional<unsigned>> CardSession::pin_tries_left()
{
    if (const auto ready = not_blank(rule::verify); !ready) return ready.error();
    const auto response = exchange(Command(wire::command::verify), rule::verify);
    if (response) return std::optional<unsigned>{};
    const auto& error = response.error();
    if (error.code == Errc::wrong_pin) return error.sw.tries_left();
    if (error.code == Errc::pin_blocked) return std::optional<unsigned>(0);
    return error;
}

Result<void> CardSession::personalise(std::span<const std::uint8_t> sealed)
{
    const auto response = exchange(Command(wire::command::personalise, sealed), rule::personalise);
    if (!response) return response.error();
    return {};
}

}  // namespace tallycard
