// SPDX-License-Identifier: Apache-2.0
// Orders of accounts, consents to transfers in, lost cards, gaps and the deny list.
#include <algorithm>

#include <tallycard/deny_list.hpp>
#include <tallycard/verify.hpp>

#include "hostile_terminal.hpp"

namespace fuzz {

using namespace tallycard;

namespace {

constexpr OrderKind kinds[] = {
    OrderKind::open,        OrderKind::pay_in,    OrderKind::pay_out,        OrderKind::move,
    OrderKind::replace_key, OrderKind::close,     OrderKind::adjust,         OrderKind::recover,
    OrderKind::hand_in,     OrderKind::reset_key, OrderKind::recover_holder, OrderKind::write_off};

constexpr const char* names[] = {"shop", "another", "T1", "unaccounted"};

Signature flipped(const Signature& signature)
{
    std::array<std::uint8_t, Signature::size> bytes{};
    std::ranges::copy(signature.bytes(), bytes.begin());
    bytes[0] ^= 1u;
    return Signature(bytes);
}

}  // namespace

void HostileTerminal::accounts()
{
    switch (input_.below(8)) {
    case 0: return declare_lost();
    case 1: return close_gaps();
    case 2: return pass_time();
    case 3: return order_raw();
    default: return order();
    }
}

std::optional<PublicKey> HostileTerminal::key_of(const AccountId& account)
{
    const auto quiet = IssuerWorld::quiet();
    const auto standing = world_.platform().account_standing(account);
    return standing ? standing->key : std::nullopt;
}

// Mostly one that the account may take next.
AccountOrder HostileTerminal::draft()
{
    const auto kind = kinds[input_.below(std::size(kinds))];
    auto account = account_of(names[input_.below(std::size(names))]);
    if (input_.one_in(4)) account = holder_account(card().id());
    const auto key = input_.below(3);
    auto order = world_.order(kind, account, 0, nullptr, key).order;
    order.id = id();
    if (input_.one_in(8)) order.number += input_.byte() - 4u;
    const bool gives = kind == OrderKind::pay_out || kind == OrderKind::move ||
                       (kind != OrderKind::pay_in && !names_card(kind) && input_.one_in(2));
    if (!sets_key(kind) && kind != OrderKind::close && kind != OrderKind::write_off)
        order.amount = Amount::minor_units(gives ? -amount() : amount());
    if (names_outside(kind)) order.other = account_of("bank");
    if (kind == OrderKind::move)
        order.other = input_.one_in(2) ? holder_account(card().id()) : account_of("another");
    if (names_card(kind)) order.other = AccountId::parse(card().id().to_string());
    if (input_.one_in(16)) order.reference = Reference::parse("somebody else's");
    return order;
}

// A key's word to it, to another order, a damaged one, or none.
std::optional<Signature> HostileTerminal::word_to(const AccountOrder& order)
{
    const auto how = input_.below(8);
    if (how == 7 || (!needs_owner(order.kind) && how > 0)) return std::nullopt;
    auto meant = order;
    if (how == 6) ++meant.number;
    const auto& root = IssuerWorld::settings().issuer.card_root;
    auto owner = IssuerWorld::owner(input_.below(3));
    const auto signature = owner.sign(how == 5 ? owner.public_key() : root, meant).value();
    return how == 4 ? flipped(signature) : signature;
}

void HostileTerminal::order()
{
    SignedOrder asked{draft(), std::nullopt};
    if (!orders_.empty() && input_.one_in(4)) asked = orders_[input_.below(orders_.size())];
    if (asked.order.valid() && !asked.owner) asked.owner = word_to(asked.order);
    const auto key = key_of(asked.order.account);
    const auto done = world_.platform().execute(asked);
    if (done) check_executed(asked, *done, key);
    if (asked.order.valid()) orders_.push_back(asked);
    changed(done);
}

void HostileTerminal::order_raw()
{
    const auto order = AccountOrder::decode(input_.counted());
    std::optional<Signature> owner;
    const auto bytes = input_.bytes(Signature::size);
    if (bytes.size() == Signature::size)
        owner = Signature(std::span<const std::uint8_t, Signature::size>(bytes));
    if (!order) return;
    const auto key = key_of(order->account);
    const SignedOrder asked{*order, owner};
    const auto done = world_.platform().execute(asked);
    if (done) check_executed(asked, *done, key);
    changed(done);
}

// I19, I21: with the owner's word where the kind needs one, under the key in force; in its turn;
// and in the ledger. The same one again answers what it answered.
void HostileTerminal::check_executed(const SignedOrder& asked, const ExecutedOrder& done,
                                     const std::optional<PublicKey>& key)
{
    const auto& order = asked.order;
    const bool is_new = done.ledger_index >= last_.entries;
    auto numbered = order;
    if (!is_new) numbered.number = done.record.order.number;  // it was asked for before
    FUZZ_CHECK(done.record.order == numbered && done.record.valid());
    if (is_new && needs_owner(order.kind)) {
        const bool possession = order.kind == OrderKind::open || order.kind == OrderKind::reset_key;
        const auto& under = possession ? order.key : key;
        FUZZ_CHECK(
            under && asked.owner &&
            verify_owner(order, *asked.owner, IssuerWorld::settings().issuer.card_root, *under));
    }
    const auto quiet = IssuerWorld::quiet();
    const auto entry = world_.platform().entry(done.ledger_index);
    FUZZ_CHECK(is_failing_ || (entry && *entry));
    if (entry && *entry)
        FUZZ_CHECK((*entry)->account_record() != nullptr &&
                   *(*entry)->account_record() == done.record && (*entry)->time == done.time);
    const auto again = world_.platform().execute(asked);
    FUZZ_CHECK(is_failing_ || (again && again->ledger_index == done.ledger_index));
}

// As word_to(), to a transfer in.
std::optional<Signature> HostileTerminal::consent_to(const Operation& operation)
{
    const auto how = input_.below(8);
    if (!needs_consent(operation) || how == 7) return std::nullopt;
    auto meant = operation;
    if (how == 6) ++meant.sequence;
    auto owner = IssuerWorld::owner(how == 5 ? 1 : 0);
    const auto& root = IssuerWorld::settings().issuer.card_root;
    const auto consent = owner.consent(root, meant).value();
    return how == 4 ? flipped(consent) : consent;
}

// I19, and that no payment is given back twice.
void HostileTerminal::check_consent(const TransferRequest& request)
{
    const auto& operation = request.second.operation;
    FUZZ_CHECK(needs_consent(operation) == request.consent.has_value());
    if (!request.consent) return;
    const auto key = key_of(*operation.account);
    FUZZ_CHECK(is_failing_ || key);
    if (key)
        FUZZ_CHECK(verify_consent(operation, *request.consent,
                                  IssuerWorld::settings().issuer.card_root, *key));
    if (!request.refunds) return;
    const auto quiet = IssuerWorld::quiet();
    const auto paid = world_.platform().prove(request.refunds->card_id, request.refunds->sequence);
    FUZZ_CHECK(is_failing_ || paid);
    const auto* record = paid ? paid->entry.record() : nullptr;
    if (record == nullptr) return;
    FUZZ_CHECK(record->operation.kind == Kind::payment &&
               record->operation.account == operation.account);
    FUZZ_CHECK(operation.amount.magnitude() <= record->operation.amount.magnitude());
}

void HostileTerminal::declare_lost()
{
    const auto id = input_.one_in(16) ? CardId() : card().id();
    const auto done = world_.platform().declare_lost(id);
    if (done) {
        const auto quiet = IssuerWorld::quiet();
        const auto found = world_.platform().recoverable(id);
        FUZZ_CHECK(is_failing_ || found);
        if (found) {
            FUZZ_CHECK(found->kept >= 0 && found->held_back >= 0 && found->free >= 0);
            FUZZ_CHECK(found->kept + found->held_back + found->free == found->book);
        }
    }
    changed_by_hand(done);
}

void HostileTerminal::close_gaps()
{
    const auto made = world_.platform().close_gaps();
    if (made && *made == 0 && !is_failing_) FUZZ_CHECK(world_.view() == last_);
    changed(made);
}

// Mostly forward; what the platform writes meanwhile it writes in order (I20).
void HostileTerminal::pass_time()
{
    const auto days = std::chrono::days(input_.byte());
    auto& clock = IssuerWorld::clock();
    clock = input_.one_in(4) ? clock - days : clock + 2 * days;
    const auto entries = world_.platform().entries(0, 256);
    if (!entries) return changed(entries);
    FUZZ_CHECK(std::ranges::is_sorted(*entries, {}, &Entry::time));
    changed(entries);
}

void HostileTerminal::look_at_gaps()
{
    const auto id = card().id();
    changed(world_.platform().gaps(id));
    changed(world_.platform().kept(id));
    changed(world_.platform().recoverable(id));
    changed(world_.platform().cards_with_kept(std::nullopt, 1 + input_.below(4)));
}

// Each line changes something, and the note is the issuer's word to the whole list.
void HostileTerminal::look_at_deny_list()
{
    const auto whole = world_.platform().deny_list(0, IssuerWorld::checkpoint_key());
    if (!whole) return changed(whole);
    DenyList list;
    for (const auto& line : whole->lines) FUZZ_CHECK(list.append(line));
    const auto& issuer = IssuerWorld::settings().issuer;
    const auto head = DenyListHead::open(whole->note, issuer.origin, issuer.checkpoint_key);
    FUZZ_CHECK(head && list.matches(*head));
    const auto from = input_.below(4);
    const auto part = world_.platform().deny_list(from, IssuerWorld::checkpoint_key());
    if (part)
        FUZZ_CHECK(part->lines.size() == whole->lines.size() - std::min(from, whole->lines.size()));
    changed(part);
}

}  // namespace fuzz
