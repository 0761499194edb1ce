// SPDX-License-Identifier: Apache-2.0
#include "till.hpp"

#include <tallycard/pin.hpp>
#include <tallycard/verify.hpp>

#include "fuzz.hpp"

namespace fuzz {

using namespace tallycard;

TerminalSettings Till::settings(OperationJournal* journal)
{
    return {.card_root = IssuerWorld::settings().issuer.card_root,
            .name = account_of("till-1"),
            .observer = nullptr,
            .journal = journal};
}

Till::Till(Input& input, OperationJournal* journal)
    : input_(input),
      card_(world_.image, input.one_in(2)),
      link_(card_, input),
      issuer_(world_.platform(), input),
      terminal_(issuer_, settings(journal))
{
    std::string right = "4711", wrong = "4712";
    right_pin_.emplace(make_pin_block(right).value());
    wrong_pin_.emplace(make_pin_block(wrong).value());
}

void Till::operate()
{
    const auto shop = account_of("shop");
    const auto id = this->id();
    const auto amount = Amount::minor_units(units());
    switch (input_.below(14)) {
    case 0:
    case 1: return check(id, terminal_.top_up(link_, id, amount));
    case 2: return check(id, terminal_.cash_out(link_, id, amount, pin()));
    case 3: return check(id, terminal_.transfer_out(link_, id, amount, shop, pin()));
    case 4: return check(id, terminal_.transfer_in(link_, id, amount, shop));
    case 5: return administer(id);
    case 6:
    case 7: return pay(id, amount, shop);
    case 8: return card_to_card(id, amount);
    case 9: return (void)terminal_.resolve(link_);
    case 10: return (void)terminal_.void_pending(link_);
    case 11: return look();
    case 12: return change_pin();
    default: return settle();
    }
}

void Till::end()
{
    link_.be_honest();
    issuer_.be_honest();
    (void)card_.reconnect();
    const auto resolved = terminal_.resolve(link_);
    FUZZ_CHECK(resolved);
    const auto standing = world_.platform().standing(world_.applet_card);
    const auto& memory = card_.now();
    FUZZ_CHECK(standing && !standing->pending && !standing->denied);
    FUZZ_CHECK(standing->settled == memory.sequence && standing->balance == memory.balance);
    FUZZ_CHECK(world_.view().sum == 0);
    FUZZ_CHECK(world_.platform().evidence().value().empty());
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
}

void Till::check(const OperationId& id, const Outcome& outcome)
{
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        check_applied(*applied);
        FUZZ_CHECK(applied->settlement && applied->settlement->settled);
    }
    const auto* refused = std::get_if<NotApplied>(&outcome);
    if (refused == nullptr) return;
    FUZZ_CHECK(refused->reason.effect == Effect::none);
    const auto status = world_.platform().status(id);
    FUZZ_CHECK(!status || status->progress == Progress::voided ||
               refused->reason.code == Errc::conflict || refused->reason.code == Errc::bad_amount);
}

void Till::pay(const OperationId& id, Amount amount, const AccountId& payee)
{
    const auto asked = input_.one_in(2) ? Asked::again : Asked::first_time;
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
    constexpr Kind kinds[] = {Kind::block, Kind::unblock, Kind::reset_pin_tries, Kind::set_limits,
                              Kind::replace_operation_key};
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
    const auto both = terminal_.card_to_card(link_, link_, id, amount, pin());
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
    for (const auto& entry : *history)
        FUZZ_CHECK(entry.receipt.result.sequence == entry.operation.sequence);
}

void Till::change_pin()
{
    if (input_.one_in(2)) return (void)terminal_.change_pin_at_reader(link_);
    (void)terminal_.change_pin(link_, *right_pin_, *right_pin_);
}

}  // namespace fuzz
