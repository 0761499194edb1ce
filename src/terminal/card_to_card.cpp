// SPDX-License-Identifier: Apache-2.0
#include <tallycard/terminal.hpp>

#include <algorithm>
#include <string>

#include "../crypto/ed25519.hpp"

namespace tallycard {
namespace {

// The id of one half: the first 16 bytes of SHA-256(id ‖ half).
OperationId half_of(const OperationId& id, std::string_view half)
{
    Encoded<OperationId::size + 8> bytes(id.bytes());
    bytes.append({reinterpret_cast<const std::uint8_t*>(half.data()), half.size()});
    return OperationId(ed25519::sha256(bytes).bytes().first<OperationId::size>());
}

}  // namespace

AccountId holder_account(const CardId& card_id)
{
    return AccountId::parse("H-" + card_id.to_string()).value();
}

CardToCard transfer_card_to_card(Terminal& terminal, CardLink& from, CardLink& to,
                                 const OperationId& id, Amount amount, const PinBlock* pin)
{
    const auto receiver = terminal.identify(to);
    if (!receiver) return {NotApplied{receiver.error()}, std::nullopt};
    const auto account = holder_account(receiver->card_id);
    CardToCard both{terminal.transfer_out(from, half_of(id, "out"), amount, account, pin), {}};
    if (std::holds_alternative<Applied>(both.out))
        both.in = terminal.transfer_in(to, half_of(id, "in"), amount, account);
    return both;
}

}  // namespace tallycard
