// SPDX-License-Identifier: Apache-2.0
#include "administration.hpp"

#include <algorithm>
#include <thread>

namespace tallycard::evm {
namespace {

Result<SignedTransaction> make(Node& node, const AdministrationSettings& settings,
                               Transaction transaction)
{
    const auto chain_id = node.chain_id();
    if (!chain_id) return chain_id.error();
    if (*chain_id != settings.chain_id)
        return Error{.code = Errc::chain_foreign, .where = "chain id"};
    const auto nonce = node.next_nonce(settings.account);
    if (!nonce) return nonce.error();
    const auto gas = node.estimate_gas(settings.account, transaction);
    if (!gas) return gas.error();
    const auto price = node.gas_price();
    if (!price) return price.error();
    if (*price > settings.most_gas_price)
        return Error{.code = Errc::chain_refused, .where = "limit on the price of gas"};
    transaction.nonce = *nonce;
    transaction.gas = *gas + *gas / 4;
    transaction.gas_price = *price + std::min(*price, settings.most_gas_price - *price);
    return node.sign(settings.account, transaction);
}

}  // namespace

Result<Sent> send_and_wait(Node& node, const AdministrationSettings& settings,
                           const std::optional<ChainAddress>& to, Bytes content)
{
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds longest_pause(2000);
    const auto made =
        make(node, settings, {.chain_id = settings.chain_id, .to = to, .data = std::move(content)});
    if (!made) return made.error();
    const auto end = Clock::now() + settings.wait;
    const auto sent = node.send(made->raw);
    if (!sent && sent.error().effect == Effect::none) return sent.error();
    for (auto pause = std::chrono::milliseconds(20);; pause = std::min(2 * pause, longest_pause)) {
        const auto receipt = node.receipt(made->hash);
        if (receipt && *receipt) return Sent{.hash = made->hash, .receipt = *receipt};
        if (Clock::now() + pause >= end) return Sent{.hash = made->hash, .receipt = {}};
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace tallycard::evm
