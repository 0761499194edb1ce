// SPDX-License-Identifier: Apache-2.0
#include "till.hpp"

#include <tallycard/pin.hpp>
#include <tallycard/verify.hpp>

#include "../../src/protocol/command_data.hpp"
#include "fuzz.hpp"

namespace fuzz {

using namespace tallycard;

TerminalSettings Till::settings(const AccountId& name, OperationJournal* journal)
{
    return {.card_root = IssuerWorld::settings().issuer.card_root,
            .name = name,
            .observer = nullptr,
            .journal = journal};
}

Till::Till(Input& input, OperationJournal* journal)
    : input_(input),
      card_(world_.image, input.one_in(2)),
      link_(card_, input),
      issuer_(world_.platform(), input),
      terminal_(issuer_, settings(name(), journal)),
      other_(issuer_, settings(account_of("till-2"), nullptr))
{
    link_.watch([this](std::span<const std::uint8_t> command) { hear(command); });
    std::string right = "4711", wrong = "4712";
    right_pin_.emplace(make_pin_block(right).value());
    wrong_pin_.emplace(make_pin_block(wrong).value());
}

void Till::operate()
{
    const auto shop = account_of("shop");
    const auto id = this->id();
    const auto amount = Amount::minor_units(units());
    begin_call();
    switch (input_.below(15)) {
    case 0:
    case 1: return check(id, terminal_.top_up(link_, id, amount));
    case 2: return debit(terminal_, Kind::cash_out, id, amount);
    case 3: return debit(terminal_, Kind::transfer_out, id, amount);
    case 4: return transfer_in(id, amount, shop);
    case 5: return administer(id);
    case 6:
    case 7: return pay(id, amount, shop);
    case 8: return card_to_card(id, amount);
    case 9: return (void)terminal_.resolve(link_);
    case 10: return (void)terminal_.void_pending(link_);
    case 11: return look();
    case 12: return change_pin();
    case 13: return settle();
    default: return ask_elsewhere(amount);
    }
}

void Till::end()
{
    link_.be_honest();
    issuer_.be_honest();
    (void)card_.reconnect();
    begin_call();
    const auto resolved = terminal_.resolve(link_);
    FUZZ_CHECK(resolved && !resolved->standing.is_pending());
    const auto standing = world_.platform().standing(world_.applet_card, std::nullopt);
    const auto& memory = card_.now();
    FUZZ_CHECK(standing && !standing->is_pending() && !standing->denied);
    FUZZ_CHECK(standing->settled == memory.sequence && standing->balance == memory.balance);
    FUZZ_CHECK(world_.view().sum == 0);
    FUZZ_CHECK(world_.platform().evidence().value().empty());
    FUZZ_CHECK(world_.platform().restored().value() == 0);
    FUZZ_CHECK(memory.has_pin != memory.awaits_pin);
}

void Till::begin_call(bool has_pin_for_one)
{
    meant_.reset();
    may_mean_any_ = has_pin_for_one;
    pin_is_given_ = false;
}

// Commands to the card, heard by it or not. A PIN stands until the next SELECT.
void Till::hear(std::span<const std::uint8_t> command)
{
    if (command.size() < 6) return;
    const auto data = command.subspan(5, std::min<std::size_t>(command[4], command.size() - 5));
    switch (command[1]) {
    case 0xA4: pin_is_given_ = false; break;
    case 0x20: pin_is_given_ = true; break;
    case 0x30: {
        const auto kind = kind_from_byte(command[2]);
        FUZZ_CHECK(kind && needs_request(*kind));
        const auto wanted = RequestData::decode(data, *kind);
        FUZZ_CHECK(wanted);
        FUZZ_CHECK(*kind != Kind::cash_out || wanted->account == caller_ || !is_watched_);
        check_meant({*kind, wanted->amount, wanted->account});
        break;
    }
    case 0x32: hear_execute(data); break;
    case 0x34: {
        const auto order = PayData::decode(data);
        FUZZ_CHECK(order);
        check_meant({Kind::payment, order->amount, order->payee});
        break;
    }
    default: break;
    }
}

void Till::hear_execute(std::span<const std::uint8_t> data)
{
    const auto first = FirstInstruction::decode(data);
    FUZZ_CHECK(first);
    const auto& operation = first->operation;
    if (is_debit(operation.kind)) FUZZ_CHECK(!is_watched_ || issuer_.has_asked(caller_, operation));
    FUZZ_CHECK(!pin_is_given_ || operation.account);
    if (operation.account) check_meant({operation.kind, operation.amount, *operation.account});
}

void Till::check_meant(const Meant& said)
{
    if (!pin_is_given_ || !is_watched_) return;
    if (may_mean_any_) meant_ = said;
    may_mean_any_ = false;
    FUZZ_CHECK(meant_ == said);
}

std::int64_t Till::units()
{
    constexpr std::int64_t telling[] = {0, 1, 10'00, 40'00, 50'00, 50'01, 100'00, 200'01, -1};
    return telling[input_.below(std::size(telling))];
}

HolderPin Till::pin()
{
    switch (input_.below(4)) {
    case 0: return &*right_pin_;
    case 1: return HolderPin::at_reader();
    case 2: return input_.one_in(4) ? &*wrong_pin_ : nullptr;
    default: return {};
    }
}

bool Till::is_in_log(const Operation& operation) const
{
    const auto* const entry = card_.now().find(operation.sequence);
    return card_.now().sequence >= operation.sequence + 16 ||
           (entry != nullptr && entry->operation == chip::OperationBytes(operation.encode()));
}

void Till::check_applied(const Applied& applied) const
{
    const CardSigner signer(chip::clone(card_.now().secrets.scalar),
                            chip::clone(card_.now().secrets.nonce_secret));
    FUZZ_CHECK(verify(applied.receipt, signer.public_key()));
    FUZZ_CHECK(applied.receipt.result.operation == applied.operation.digest());
    FUZZ_CHECK(is_in_log(applied.operation));
    const auto* const entry = card_.now().find(applied.operation.sequence);
    if (entry == nullptr || applied.operation.kind == Kind::payment) return;
    const FirstInstruction first{applied.operation, entry->issuer_signature};
    const auto& keys = IssuerWorld::settings().issuer.operation_keys;
    FUZZ_CHECK(verify(first, keys[0]) || verify(first, keys[1]));
}

void Till::check(const OperationId& id, const Outcome& outcome)
{
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        check_applied(*applied);
        FUZZ_CHECK(applied->settlement && applied->settlement->settled);
        FUZZ_CHECK(!applied->settlement->restored);
        const auto& operation = applied->operation;
        const bool is_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
        FUZZ_CHECK(!is_cash || operation.account == caller_);
    }
    const auto* refused = std::get_if<NotApplied>(&outcome);
    if (refused == nullptr) return;
    FUZZ_CHECK(refused->reason.effect == Effect::none);
    const auto status = world_.platform().status(id, caller_);
    FUZZ_CHECK(status || status.error().code == Errc::unknown_operation);
    FUZZ_CHECK(!status || status->progress == Progress::voided ||
               refused->reason.code == Errc::conflict || refused->reason.code == Errc::bad_amount);
}

// By the till that calls.
void Till::debit(Terminal& terminal, Kind kind, const OperationId& id, Amount amount)
{
    const auto shop = account_of("shop");
    const auto pin = this->pin();
    const bool is_cash = kind == Kind::cash_out;
    meant_ = Meant{kind, -amount, is_cash ? caller_ : shop};
    check(id, is_cash ? terminal.cash_out(link_, id, amount, pin)
                      : terminal.transfer_out(link_, id, amount, shop, pin));
}

// The other till begins a debit, and perhaps does not come to its end.
void Till::ask_elsewhere(Amount amount)
{
    caller_ = account_of("till-2");
    const auto id = id_of<OperationId>(7 + input_.byte() % 2u);
    debit(other_, input_.one_in(2) ? Kind::transfer_out : Kind::cash_out, id, amount);
    caller_ = name();
}

// With the word of the account's owner, of somebody else, or of nobody; a refund, now and then.
void Till::transfer_in(const OperationId& id, Amount amount, const AccountId& from)
{
    auto owner = IssuerWorld::owner(input_.one_in(8) ? 1 : 0);
    const auto how = input_.below(8);
    if (how == 7) return check(id, terminal_.transfer_in(link_, id, amount, from));
    if (how < 5) return check(id, terminal_.transfer_in(link_, id, amount, from, &owner));
    const PaymentName payment{world_.applet_card, 1u + input_.byte() % 4u};
    check(id, terminal_.refund(link_, id, amount, from, owner, payment));
}

void Till::pay(const OperationId& id, Amount amount, const AccountId& payee)
{
    const auto asked = input_.one_in(2) ? Asked::again : Asked::first_time;
    meant_ = Meant{Kind::payment, -amount, payee};
    const auto outcome = terminal_.pay(link_, id, amount, payee, pin(), asked);
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        check_applied(*applied);
        paid_.push_back(*applied);
    }
}

void Till::settle()
{
    if (paid_.empty()) return;
    const auto& paid = paid_[input_.below(paid_.size())];
    (void)terminal_.settle(paid.operation, paid.receipt);
}

void Till::administer(const OperationId& id)
{
    constexpr Kind kinds[] = {Kind::block,
                              Kind::unblock,
                              Kind::reset_pin_tries,
                              Kind::set_limits,
                              Kind::replace_operation_key,
                              Kind::open_pin};
    const auto kind = kinds[input_.below(std::size(kinds))];
    Parameter parameter;
    if (kind == Kind::set_limits) parameter = card_.now().limits;
    if (kind == Kind::replace_operation_key)
        parameter = IssuerWorld::settings().issuer.operation_keys[input_.below(2)];
    check(id, terminal_.administer(link_, id, kind, parameter));
}

// From the card to itself: both halves, and the account between them.
void Till::card_to_card(const OperationId& id, Amount amount)
{
    const auto pin = this->pin(), receiver_pin = this->pin();
    std::optional<CardId> receiver;
    if (input_.one_in(2)) receiver = input_.one_in(4) ? world_.cards[0].id() : world_.applet_card;
    meant_ = Meant{Kind::transfer_out, -amount, holder_account(world_.applet_card)};
    const auto both = terminal_.card_to_card(link_, link_, id, amount, pin, receiver_pin, receiver);
    const bool is_other = receiver && *receiver != world_.applet_card;
    FUZZ_CHECK(!is_other || !both.in || std::holds_alternative<InDoubt>(*both.in));
    if (const auto* out = std::get_if<Applied>(&both.out)) check_applied(*out);
    if (!both.in) return;
    FUZZ_CHECK(std::holds_alternative<Applied>(both.out));
    if (const auto* in = std::get_if<Applied>(&*both.in)) check_applied(*in);
}

void Till::look()
{
    (void)terminal_.identify(link_);
    const auto state = terminal_.state(link_, pin());
    if (state) FUZZ_CHECK(state->card_id == world_.applet_card);
    const auto history = terminal_.history(link_);
    if (!history) return;
    for (const auto& [executed, receipt] : *history) {
        FUZZ_CHECK(executed.valid() && receipt.result.sequence == executed.operation.sequence);
        FUZZ_CHECK(receipt.result.operation == executed.operation.digest());
    }
}

void Till::change_pin()
{
    switch (input_.below(3)) {
    case 0: return (void)terminal_.change_pin(link_, *right_pin_, *right_pin_);
    case 1: return (void)terminal_.change_pin_at_reader(link_);
    default: (void)terminal_.set_pin(link_, *right_pin_);
    }
}

}  // namespace fuzz
