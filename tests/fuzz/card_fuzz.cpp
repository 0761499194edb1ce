// SPDX-License-Identifier: Apache-2.0
// The card's dispatcher: a sequence of commands, good ones from a table, changed ones, and raw
// bytes, with resets, cuts of power and a memory that fails between and inside of them. After each
// of them the card is what the protocol says (watched_card.hpp): a refused command changes nothing,
// value moves by what is signed, and after a cut the memory is the old state or the new one.
#include "fuzz.hpp"
#include "same_random.hpp"
#include "watched_card.hpp"

using namespace tallycard;
using fuzz::Bytes;
using fuzz::Input;

namespace {

constexpr std::size_t most_steps = 48;

fuzz::WatchedCard::Setup setup(Input& input)
{
    static const auto in_use = testing::memory_in_use();
    fuzz::WatchedCard::Setup setup{.memory = in_use};
    setup.is_t0 = input.one_in(2);
    auto& memory = setup.memory;
    switch (input.below(8)) {
    case 1:
        memory = {};
        memory.secrets.transport_key = testing::secret_of<TransportKey>(1);
        break;
    case 2:
        memory.has_pin = false;
        memory.awaits_pin = input.one_in(2);
        break;
    case 3: memory.private_balance = true; break;
    case 4: memory.sequence = 0xFFFFFFFE; break;
    case 5: memory.state = CardState::blocked; break;
    case 6:
        memory.limits = {.maximum_balance = Balance::minor_units(Balance::largest),
                         .maximum_amount = Balance::minor_units(Balance::largest),
                         .pin_above = Balance::minor_units(Balance::largest),
                         .offline_payments = 15,
                         .offline_total = Balance::minor_units(Balance::largest)};
        memory.balance = Balance::minor_units(Balance::largest - 1);
        break;
    case 7: setup.is_damaged = true; break;
    default: break;
    }
    return setup;
}

struct Content {
    apdu::Header header;
    Bytes data;
    bool answers = true;
};

Bytes pin(Input& input)
{
    const Bytes all[] = {testing::right_pin, testing::wrong_pin, testing::new_pin,
                         testing::no_pin_block};
    return all[input.below(4)];
}

// Data of REQUEST for this kind, or of PAY.
Bytes order(Input& input, const chip::CardMemory& now, std::optional<Kind> requested)
{
    const auto amount = fuzz::signed_amount(requested.value_or(Kind::payment), fuzz::amount(input));
    const auto unit = input.one_in(16) ? *Unit::from_code(840) : now.currency.unit;
    const auto account = fuzz::account(input);
    if (requested) return testing::bytes_of(RequestData{amount, unit, account}.encode().bytes());
    return testing::bytes_of(PayData{amount, unit, fuzz::nonce(input), account}.encode().bytes());
}

Bytes sequence(Input& input, const chip::CardMemory& now)
{
    const auto n = now.sequence - input.byte() % 20u;
    return {static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
            static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
}

Content from_table(std::size_t which, Input& input, const chip::CardMemory& now)
{
    namespace command = wire::command;
    switch (which) {
    case 0: return {command::select, testing::bytes_of(wire::aid)};
    case 1: return {command::get_challenge, {}};
    case 2: return {command::verify, input.one_in(8) ? Bytes() : pin(input), false};
    case 3: {
        if (input.one_in(4)) return {command::set_pin, pin(input), false};
        auto both = pin(input);
        const auto second = pin(input);
        both.insert(both.end(), second.begin(), second.end());
        return {command::change_reference_data, both, false};
    }
    case 4: return {command::internal_authenticate, Bytes(16, input.byte())};
    case 5: return {command::get_data, {}};
    case 6: {
        auto header = command::request;
        const auto kind = fuzz::requested_kind(input);
        header.p1 = static_cast<std::uint8_t>(input.one_in(16) ? fuzz::kind(input) : kind);
        return {header, order(input, now, kind)};
    }
    case 7: return {command::execute, fuzz::execute(input, now)};
    case 8: return {command::pay, order(input, now, std::nullopt)};
    case 9: return {command::get_result, sequence(input, now)};
    case 10: return {command::get_operation, sequence(input, now)};
    case 11: return {command::personalise, fuzz::personalisation(input), false};
    default: return {command::get_response, {}};
    }
}

// `how` says what is odd about it: changed bytes, another Le.
Bytes from_table(std::size_t which, std::uint8_t how, Input& input, const fuzz::WatchedCard& card)
{
    const auto content = from_table(which, input, card.now());
    std::optional<std::uint8_t> le;
    if (content.answers) le = 0;
    if (card.is_t0() && !content.data.empty()) le.reset();
    if ((how & 0x80) != 0) le = input.byte();
    if ((how & 0xC0) == 0xC0) le.reset();
    auto bytes = testing::command_apdu(content.header, content.data, le);
    if ((how & 0x20) != 0) fuzz::edit(bytes, input);
    return bytes;
}

void step(fuzz::WatchedCard& card, Input& input)
{
    constexpr std::size_t table = 13;
    const auto what = input.byte();
    const std::size_t which = what % 16u;
    if (which < table) {
        card.send(from_table(which, what & 0xE0u, input, card));
    } else if (which == 13) {
        const auto raw = input.counted();
        card.send(Bytes(raw.begin(), raw.end()));
    } else if (which == 14) {
        const auto& sent = card.sent();
        const auto back = input.byte();
        if (!sent.empty()) card.send(Bytes(sent[sent.size() - 1 - back % sent.size()]));
    } else if (what < 0x80) {
        card.power_cycle();
    } else {
        const auto how = input.byte();
        card.plan({.after = how % 8u,
                   .kept = input.number(2) % (chip::SlotNvm::slot_size + 1),
                   .garbage = (how & 8) != 0,
                   .cuts = (how & 16) != 0,
                   .calls = 1u + (how >> 5) % 4u});
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto card = std::make_unique<fuzz::WatchedCard>(setup(input));
    // Most of what there is to see comes after it.
    if (input.byte() < 0xF0) card->send(testing::command_apdu(wire::command::select, wire::aid, 0));
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) step(*card, input);
    return 0;
}
