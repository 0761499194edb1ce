// SPDX-License-Identifier: Apache-2.0
// Orders of accounts: of their owners, and of the issuer's operator.
#include <algorithm>

#include "world.hpp"

namespace simulation {
namespace {

// True for an error that says that the order has not been executed. One of the store's, or one
// after which nobody knows, says nothing of an earlier call.
bool is_answer(const Error& error)
{
    return error.effect == Effect::none && error.code != Errc::store_failed &&
           error.code != Errc::file_in_use && error.code != Errc::issuer_unreachable;
}

}  // namespace

Merchant* World::merchant_of(const AccountId& account)
{
    const auto found = std::ranges::find(merchants_, account, &Merchant::account);
    return found == merchants_.end() ? nullptr : &*found;
}

AccountRow World::account_row(const AccountName& name)
{
    const Injector::Pause pause(environment_.injector);
    const auto row = host_.platform().account(name);
    return row && *row ? **row : AccountRow{.name = name};
}

// With the key in force; null where the account is not open.
std::shared_ptr<AccountSigner> World::owner_of(const AccountId& account)
{
    auto* owner = merchant_of(account);
    return owner == nullptr ? nullptr : owner->signer(account_row(associated_account(account)).key);
}

AccountOrder World::draft(OrderKind kind, const AccountId& account, std::uint64_t seed)
{
    AccountOrder order{.kind = kind,
                       .account = account,
                       .number = 0,
                       .amount = {},
                       .unit = host_.issuer().currency.unit,
                       .id = operation_id(seed)};
    order.number = account_row(account_of(order)).number + 1;
    if (needs_reference(kind)) order.reference = Reference::parse("case 17");
    return order;
}

// With its owner's word, where the kind needs one.
std::optional<SignedOrder> World::sign_order(const AccountOrder& order)
{
    if (!order.valid()) return std::nullopt;
    if (!needs_owner(order.kind)) return SignedOrder{order, std::nullopt};
    const bool possession = order.kind == OrderKind::open || order.kind == OrderKind::reset_key;
    auto* owner = merchant_of(order.account);
    const auto key = possession ? order.key : account_row(account_of(order)).key;
    const auto signer = owner == nullptr ? nullptr : owner->signer(key);
    if (!signer) return std::nullopt;
    return SignedOrder{order, signer->sign(host_.issuer().card_root, order).value()};
}

void World::open_accounts(Random& random)
{
    for (std::size_t i = 0; i < most_merchants; ++i)
        merchants_.emplace_back(environment_, merchant_name(i), static_cast<std::uint8_t>(i));
    auto order = draft(OrderKind::open, shop(), random.next());
    order.key = merchants_.front().make_key();
    begin_order(order, 0);
    check(orders_.back().state == Intent::State::applied, "set-up", "open");
}

void World::begin_order(const AccountOrder& order, std::size_t terminal)
{
    const auto signed_order = sign_order(order);
    if (!signed_order) return;
    auditor_.ordered(order);
    orders_.push_back({.order = *signed_order, .terminal = terminal % programs_.size()});
    ask_order(orders_.size() - 1);
}

void World::ask_order(std::size_t number)
{
    struct Busy {
        OrderIntent& intent;
        explicit Busy(OrderIntent& which) : intent(which) { intent.busy = true; }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;
        ~Busy() { intent.busy = false; }
    };
    auto& intent = orders_[number];
    const Busy busy(intent);
    running_ = intent.terminal;
    const auto reply = programs_[intent.terminal].network->execute(intent.order);
    if (reply) {
        check(intent.state != Intent::State::not_applied, "outcome", "an order refused, then done");
        intent.state = Intent::State::applied;
    } else if (!is_answer(reply.error())) {
        environment_.probes.reach("order in doubt");
    } else {
        check(intent.state != Intent::State::applied, "outcome", "an order done, then refused");
        intent.state = Intent::State::not_applied;
        environment_.probes.reach("order refused");
    }
    environment_.say("   " + std::string(name(intent.order.order.kind)) + " of " +
                     std::string(intent.order.order.account.text()) + ": " +
                     (reply ? "executed" : reply.error().message()));
}

void World::ask_order_again(const Step& step)
{
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < orders_.size(); ++i)
        if (orders_[i].state != Intent::State::not_applied && !orders_[i].busy) open.push_back(i);
    if (!open.empty()) ask_order(open[step.other % open.size()]);
}

// A refused order has not happened.
void World::check_orders() const
{
    for (const auto& intent : orders_)
        check(intent.state != Intent::State::not_applied ||
                  !auditor_.books().has_executed(intent.order.order),
              "outcome", "an order that was refused is in the ledger");
}

OrderKind World::pick_order(const AccountRow& row, Random& random)
{
    if (!row.key) return OrderKind::open;
    if (row.balance == 0 && random.one_in(2)) return OrderKind::close;
    constexpr std::array<OrderKind, 8> kinds = {
        OrderKind::pay_out, OrderKind::pay_out, OrderKind::pay_out,     OrderKind::move,
        OrderKind::move,    OrderKind::move,    OrderKind::replace_key, OrderKind::close};
    return kinds[random.below(kinds.size())];
}

// All that is there, all that is free, or what comes to mind.
std::int64_t World::pick_debit(const AccountRow& row, Random& random)
{
    switch (random.below(4)) {
    case 0: return -std::max<std::int64_t>(1, row.balance);
    case 1: return -std::max<std::int64_t>(1, row.balance - row.reserved);
    default: return -1 - static_cast<std::int64_t>(random.below(500));
    }
}

void World::order(const Step& step)
{
    Random random(step.seed);
    auto& owner = merchant(step.other);
    const auto row = account_row(associated_account(owner.account()));
    auto order = draft(pick_order(row, random), owner.account(), random.next());
    if (sets_key(order.kind)) order.key = owner.make_key();
    if (order.kind == OrderKind::pay_out) order.other = AccountId::parse("bank");
    if (order.kind == OrderKind::move)
        order.other = random.one_in(3) ? holder_account(card(step.card).id())
                                       : merchant(step.other + 1 + random.below(2)).account();
    if (order.kind == OrderKind::pay_out || order.kind == OrderKind::move)
        order.amount = Amount::minor_units(pick_debit(row, random));
    begin_order(order, step.terminal);
}

// The operator's orders, but for those that concern lost cards.
void World::operate(const Step& step)
{
    Random random(step.seed);
    const auto units = 1 + static_cast<std::int64_t>(random.below(2'000));
    constexpr std::array<OrderKind, 5> kinds = {OrderKind::pay_in, OrderKind::pay_in,
                                                OrderKind::adjust, OrderKind::hand_in,
                                                OrderKind::reset_key};
    const auto kind = kinds[random.below(kinds.size())];
    auto& owner = merchant(step.other);
    const bool is_holders = random.one_in(4) && kind != OrderKind::reset_key;
    auto account = is_holders ? holder_account(card(step.card).id()) : owner.account();
    if (kind == OrderKind::hand_in) account = program(step.terminal).name;
    auto order = draft(kind, account, random.next());
    if (kind == OrderKind::reset_key)
        order.key = owner.make_key();
    else
        order.other = AccountId::parse("bank");
    const bool gives = kind != OrderKind::pay_in && random.one_in(2);
    if (kind != OrderKind::reset_key) order.amount = Amount::minor_units(gives ? -units : units);
    begin_order(order, step.terminal);
}

}  // namespace simulation
