// SPDX-License-Identifier: Apache-2.0
#include "watched_card.hpp"

#include <tallycard/card_info.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/state_statement.hpp>
#include <tallycard/verify.hpp>

#include "fuzz.hpp"

namespace fuzz {

using namespace tallycard;

namespace {

std::uint32_t sequence_in(std::span<const std::uint8_t> data)
{
    return static_cast<std::uint32_t>(Input(data.data(), data.size()).number(4));
}

}  // namespace

bool WatchedCard::Exchange::asks_amiss() const
{
    if (ins() != 0x30 || command[0] != 0x80) return false;
    const auto kind = kind_from_byte(command[2]);
    return command[3] != 0 || !kind || !needs_request(*kind);
}

void WatchedNvm::load()
{
    slots_.load();
    if (!slots_.readable()) {
        FUZZ_CHECK(!promised_);
        return;
    }
    const auto found = encoded(slots_.current());
    FUZZ_CHECK(!promised_ || found == *promised_ || (attempt_ && found == *attempt_));  // I7
    promised_ = found;
    attempt_.reset();
}

bool WatchedNvm::commit()
{
    attempt_ = encoded(*draft_);
    if (!slots_.commit()) {
        if (slots_.readable()) attempt_.reset();  // it is sure that it does not count
        return false;
    }
    promised_ = attempt_;
    attempt_.reset();
    return true;
}

WatchedCard::WatchedCard(const Setup& setup) : is_t0_(setup.is_t0)
{
    FUZZ_CHECK(chip::SlotNvm::format(storage_, setup.memory));
    if (setup.is_damaged) storage_.bytes()[chip::SlotNvm::block_size] ^= 1;
    nvm_.load();
    before_ = now();
}

void WatchedCard::power_cycle()
{
    storage_.power_on();
    nvm_.load();
    t0_.power_on();
    pin_stands_ = false;
    check_progress();
}

void WatchedCard::send(const Bytes& command)
{
    before_ = now();
    before_bytes_ = encoded(before_);
    const bool was_readable = nvm_.readable();
    std::array<std::uint8_t, chip::Applet::max_answer> out{};
    const auto size = is_t0_ ? t0_.process(command, out) : applet_.process(command, out);
    sent_.push_back(command);
    FUZZ_CHECK(size >= 2 && size <= out.size());
    if (storage_.is_off()) return power_cycle();
    const auto answer = std::span<const std::uint8_t>(out).first(size - 2);
    const std::size_t header = std::min<std::size_t>(5, command.size());
    const Exchange exchange{
        .command = command,
        .data = std::span(command).subspan(
            header, std::min<std::size_t>(command.size() - header, header < 5 ? 0 : command[4])),
        .sw = StatusWord(static_cast<std::uint16_t>(out[size - 2] << 8 | out[size - 1])),
        .answer = answer};
    FUZZ_CHECK(exchange.sw.ok() || answer.empty());
    // Whatever its length, and the card's state.
    FUZZ_CHECK(!exchange.asks_amiss() || exchange.sw == sw::wrong_p1_p2);
    const bool needs_no_memory = exchange.ins() == 0x84 || exchange.ins() == 0xC0;
    FUZZ_CHECK(was_readable || needs_no_memory || !exchange.is_done());
    // What the memory is now is not sure: the next power-on will tell.
    if (!nvm_.readable()) {
        FUZZ_CHECK(!was_readable || exchange.sw == sw::memory_failure);
        return;
    }
    if (exchange.is_done())
        check_done(exchange);
    else
        check_refused(exchange);
    check_progress();
}

// Whatever happens: I5, I8, and the life of a card.
void WatchedCard::check_progress() const
{
    if (!nvm_.readable()) return;
    const auto& after = now();
    if (before_.state == CardState::blank) return;
    FUZZ_CHECK(after.card_id == before_.card_id && after.state != CardState::blank);
    FUZZ_CHECK(before_.state != CardState::terminated || after.state == CardState::terminated);
    FUZZ_CHECK(after.sequence - before_.sequence <= 1 && after.sequence >= before_.sequence);
    const bool has_executed = after.sequence != before_.sequence;
    FUZZ_CHECK(has_executed || (after.balance == before_.balance && after.log == before_.log &&
                                after.state == before_.state));
    FUZZ_CHECK(after.balance <= before_.balance || after.balance <= before_.limits.maximum_balance);
    FUZZ_CHECK(after.offline_payments <= Limits::most_offline_payments);
    FUZZ_CHECK(after.pin_tries <= pin_tries);
    FUZZ_CHECK(!after.has_pin || !after.awaits_pin);
}

bool WatchedCard::only_a_try_is_gone() const
{
    auto expected = before_;
    --expected.pin_tries;
    return before_.pin_tries > 0 && encoded(expected) == encoded(now());
}

void WatchedCard::check_refused(const Exchange& exchange)
{
    const bool is_same = encoded(now()) == before_bytes_;
    const bool may_try = exchange.ins() == 0x20 || (exchange.ins() == 0x24 && !exchange.sets_pin());
    const auto left = exchange.sw.tries_left();
    if (left) {
        FUZZ_CHECK(may_try && *left == now().pin_tries);
        FUZZ_CHECK(is_same == exchange.data.empty() && (is_same || only_a_try_is_gone()));
        pin_stands_ = pin_stands_ && is_same;
        return;
    }
    const bool may_cost_a_try = may_try && exchange.sw == sw::memory_failure;
    FUZZ_CHECK(is_same || (may_cost_a_try && only_a_try_is_gone()));
}

bool WatchedCard::was_known(const Exchange& exchange) const
{
    for (const auto& [command, answer] : executed_) {
        if (command != exchange.command) continue;
        FUZZ_CHECK(std::ranges::equal(answer, exchange.answer));  // I6
        FUZZ_CHECK(encoded(now()) == before_bytes_);
        return true;
    }
    return false;
}

void WatchedCard::check_done(const Exchange& exchange)
{
    const bool has_executed =
        before_.state != CardState::blank && now().sequence != before_.sequence;
    if (exchange.ins() == 0x32 && !is_t0_ && was_known(exchange)) return;
    if (has_executed) check_executed(exchange);
    if (!is_t0_) check_answer(exchange);
    check_pin(exchange);
    const bool may_change_pin = has_executed || exchange.ins() == 0x24 || exchange.ins() == 0xE2;
    FUZZ_CHECK(may_change_pin || is_pin_as_before());
    const bool writes = exchange.ins() == 0x20 || exchange.ins() == 0x24 ||
                        exchange.ins() == 0x30 || exchange.ins() == 0xE2;
    FUZZ_CHECK(has_executed || writes || encoded(now()) == before_bytes_);
}

void WatchedCard::check_executed(const Exchange& exchange)
{
    const auto* const entry = now().find(now().sequence);
    FUZZ_CHECK(entry != nullptr);
    const auto operation = Operation::decode(entry->operation);
    FUZZ_CHECK(operation && operation->sequence == now().sequence);
    FUZZ_CHECK(checked_add(before_.balance, operation->amount) == now().balance);
    FUZZ_CHECK(now().state == next(before_.state, operation->kind));
    FUZZ_CHECK(operation->amount.magnitude() <= before_.limits.maximum_amount.to_minor_units());
    const auto receipt = now().receipt(*entry, now().sequence);
    FUZZ_CHECK(receipt.result.digest() == now().last_result);
    FUZZ_CHECK(receipt.result.previous_result == before_.last_result);
    FUZZ_CHECK(now().request.size() == 0);
    const CardSigner signer(chip::clone(now().secrets.scalar),
                            chip::clone(now().secrets.nonce_secret));
    FUZZ_CHECK(verify(receipt, signer.public_key()));
    if (is_debit(operation->kind)) {
        FUZZ_CHECK(pin_stands_ ||
                   operation->amount.magnitude() <= before_.limits.pin_above.to_minor_units());
        pin_stands_ = false;
    }
    check_instruction(exchange, *operation, *entry);
    check_pin_opened(operation->kind);
    if (operation->kind == Kind::open_pin) pin_stands_ = false;
    if (exchange.ins() == 0x32 && !is_t0_)
        executed_.push_back(
            {exchange.command, Bytes(exchange.answer.begin(), exchange.answer.end())});
}

// Who gave the order: the issuer, or for a payment the holder, within what is allowed offline.
void WatchedCard::check_instruction(const Exchange& exchange, const Operation& operation,
                                    const chip::LogEntry& entry) const
{
    if (operation.kind == Kind::payment) {
        FUZZ_CHECK(exchange.ins() == 0x34 && before_.state == CardState::operational);
        FUZZ_CHECK(entry.executed() == (ExecutedOperation{operation, std::nullopt}));
        FUZZ_CHECK(entry.issuer_signature == Signature());
        FUZZ_CHECK(now().offline_payments == before_.offline_payments + 1);
        FUZZ_CHECK(now().offline_payments <= before_.limits.offline_payments);
        FUZZ_CHECK(now().offline_total <= before_.limits.offline_total);
        return;
    }
    const auto first = FirstInstruction::decode(exchange.data);
    FUZZ_CHECK(exchange.ins() == 0x32 && first && first->operation == operation);
    FUZZ_CHECK(verify(*first, before_.operation_key));
    FUZZ_CHECK(entry.executed() == (ExecutedOperation{operation, first->issuer_signature}));
    FUZZ_CHECK(admits(before_.state, operation.kind));
    FUZZ_CHECK(now().offline_payments == 0 && now().offline_total == Balance{});
    if (needs_request(operation.kind))
        FUZZ_CHECK(before_.request == chip::OperationBytes(operation.encode()));
}

// Kind 16 takes the PIN away, and has the card wait for another one; no other kind does.
void WatchedCard::check_pin_opened(Kind executed) const
{
    const auto tries = executed == Kind::open_pin || executed == Kind::reset_pin_tries
                           ? pin_tries
                           : before_.pin_tries;
    FUZZ_CHECK(now().pin_tries == tries);
    if (executed != Kind::open_pin) {
        FUZZ_CHECK(is_pin_as_before());
        return;
    }
    FUZZ_CHECK(!now().has_pin && now().awaits_pin);
    FUZZ_CHECK(std::ranges::all_of(now().secrets.pin.reveal(), [](auto b) { return b == 0; }));
}

// What the card asks for is what it would execute now.
void WatchedCard::check_request(const Exchange& exchange) const
{
    const auto& memory = now();
    const auto second = SecondInstruction::decode(exchange.answer);
    FUZZ_CHECK(second && second->operation.sequence == memory.sequence + 1);
    const auto& operation = second->operation;
    FUZZ_CHECK(memory.request == chip::OperationBytes(operation.encode()));
    FUZZ_CHECK(memory.state == CardState::operational);
    FUZZ_CHECK(static_cast<std::uint8_t>(operation.kind) == exchange.command[2]);
    FUZZ_CHECK(needs_request(operation.kind));
    const auto size = operation.amount.magnitude();
    FUZZ_CHECK(size <= memory.limits.maximum_amount.to_minor_units());
    FUZZ_CHECK(!is_debit(operation.kind) || pin_stands_ ||
               size <= memory.limits.pin_above.to_minor_units());
    const auto after = checked_add(memory.balance, operation.amount);
    FUZZ_CHECK(after && (is_debit(operation.kind) || *after <= memory.limits.maximum_balance));
}

// What a card signs is about itself.
void WatchedCard::check_answer(const Exchange& exchange) const
{
    const auto& memory = now();
    const auto ins = exchange.ins();
    if (ins == 0xA4) {
        const auto info = CardInfo::decode(exchange.answer);
        FUZZ_CHECK(info && info->state == memory.state);
        FUZZ_CHECK(!memory.private_balance || !info->balance);
    } else if (ins == 0xCA) {
        const auto use = decode_limits_use(exchange.answer);
        FUZZ_CHECK(use && use->limits == memory.limits);
    } else if (ins == 0x30) {
        check_request(exchange);
    } else if (ins == 0x88) {
        const auto statement = StateStatement::decode(
            exchange.answer.first(exchange.answer.size() - 2 - Signature::size));
        FUZZ_CHECK(statement && statement->balance == memory.balance);
        FUZZ_CHECK(!memory.private_balance || pin_stands_);
    } else if (ins == 0x32 || ins == 0x34 || (ins == 0x36 && exchange.command[2] == 0)) {
        const auto receipt = Receipt::decode(exchange.answer);
        FUZZ_CHECK(receipt && receipt->result.card_id == memory.card_id);
        FUZZ_CHECK(receipt->result.sequence <= memory.sequence);
    } else if (ins == 0x36) {
        const auto executed = ExecutedOperation::decode(exchange.answer);
        const auto* const entry = memory.find(sequence_in(exchange.data));
        FUZZ_CHECK(executed && entry != nullptr && *executed == entry->executed());
    }
}

void WatchedCard::check_pin(const Exchange& exchange)
{
    if (exchange.ins() == 0xA4) pin_stands_ = false;
    if (exchange.ins() != 0x20 && exchange.ins() != 0x24) return;
    if (exchange.sets_pin()) return check_pin_set(exchange);
    FUZZ_CHECK(before_.has_pin && now().has_pin && !now().awaits_pin);
    if (exchange.data.empty()) {
        FUZZ_CHECK(pin_stands_);
        return;
    }
    FUZZ_CHECK(std::ranges::equal(exchange.data.first(8), before_.secrets.pin.reveal()));
    FUZZ_CHECK(before_.pin_tries > 0 && now().pin_tries == pin_tries);
    const auto kept = exchange.data.last(8);  // the same of VERIFY, the new one of the other
    FUZZ_CHECK(std::ranges::equal(kept, now().secrets.pin.reveal()));
    if (exchange.ins() == 0x20) pin_stands_ = true;
}

// Only a card that waits takes a PIN without the old one, once; it makes nothing stand verified.
void WatchedCard::check_pin_set(const Exchange& exchange) const
{
    FUZZ_CHECK(before_.awaits_pin && !before_.has_pin && !pin_stands_);
    auto expected = before_;
    expected.has_pin = true;
    expected.awaits_pin = false;
    expected.pin_tries = pin_tries;
    std::array<std::uint8_t, PinBlock::size> block{};
    FUZZ_CHECK(exchange.data.size() == block.size());
    std::ranges::copy(exchange.data, block.begin());
    expected.secrets.pin = PinBlock(block);
    FUZZ_CHECK(encoded(expected) == encoded(now()));
}

bool WatchedCard::is_pin_as_before() const
{
    return now().has_pin == before_.has_pin && now().awaits_pin == before_.awaits_pin &&
           std::ranges::equal(now().secrets.pin.reveal(), before_.secrets.pin.reveal());
}

}  // namespace fuzz
