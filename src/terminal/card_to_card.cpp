// SPDX-License-Identifier: Apache-2.0
#include <tallycard/terminal.hpp>

#include <algorithm>
#include <string>

#include "../protocol/digest.hpp"
#include "contact.hpp"

namespace tallycard {
namespace {

// The id of one half: the first 16 bytes of SHA-256(id ‖ half).
OperationId half_of(const OperationId& id, std::string_view half)
{
    Encoded<OperationId::size + 8> bytes(id.bytes());
    bytes.append({reinterpret_cast<const std::uint8_t*>(half.data()), half.size()});
    return OperationId(sha256(bytes).bytes().first<OperationId::size>());
}

// The second card does not answer. What an earlier call did to the first one stays.
CardToCard without_receiver(const contact::Contact& contact, const OperationId& out_id,
                            const Error& error)
{
    const auto status = contact.issuer.status(out_id);
    if (!status && status.error().code == Errc::unknown_operation)
        return {NotApplied{error}, std::nullopt};
    if (!status) return {InDoubt{std::nullopt, error}, std::nullopt};
    if (status->progress == Progress::pending)
        return {InDoubt{status->first.operation, error}, std::nullopt};
    CardToCard both{contact::conclude(contact, out_id, *status), std::nullopt};
    if (std::holds_alternative<Applied>(both.out)) both.in = InDoubt{std::nullopt, error};
    return both;
}

}  // namespace

AccountId holder_account(const CardId& card_id)
{
    return AccountId::parse("H-" + card_id.to_string()).value();
}

CardToCard Terminal::card_to_card(CardLink& from, CardLink& to, const OperationId& id,
                                  Amount amount, const HolderPin& pin)
{
    const auto out_id = half_of(id, "out");
    const auto receiver = identify(to);
    if (!receiver) return without_receiver({*issuer_, settings_, from}, out_id, receiver.error());
    const auto account = holder_account(receiver->card_id);
    CardToCard both{transfer_out(from, out_id, amount, account, pin), {}};
    if (std::holds_alternative<Applied>(both.out))
        both.in = transfer_in(to, half_of(id, "in"), amount, account);
    return both;
}

}  // namespace tallycard
