// SPDX-License-Identifier: Apache-2.0
#include "bookkeeper.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "platform_host.hpp"

namespace simulation {
namespace {

constexpr auto unaccounted_name = "account/unaccounted";

std::string named(const char* kind, const AccountId& id)
{
    return std::string(kind) + "/" + std::string(id.text());
}

std::string holder_of(const std::string& card_id)
{
    return "account/H-" + card_id;
}

bool is_open_kind(OrderKind kind)
{
    return kind == OrderKind::open || kind == OrderKind::reset_key;
}

}  // namespace

std::string other_side_of(const Operation& operation)
{
    const bool moves_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
    return named(moves_cash ? "cash" : "account", operation.account.value());
}

const Bookkeeper::Gap* Bookkeeper::Card::gap_of(std::uint32_t place) const
{
    const auto found = std::ranges::find_if(gaps, [&](const Gap& gap) { return gap.has(place); });
    return found == gaps.end() ? nullptr : &*found;
}

bool Bookkeeper::Card::has_settled(std::uint32_t place) const
{
    const auto* gap = gap_of(place);
    return place <= sequence && (gap == nullptr || gap->late.contains(place));
}

bool Bookkeeper::Card::is_whole() const
{
    return std::ranges::all_of(
        gaps, [](const Gap& gap) { return gap.late.size() == gap.last - gap.first + 1; });
}

const Bookkeeper::Account* Bookkeeper::find(const AccountId& account) const
{
    const auto found = accounts_.find(named("account", account));
    return found == accounts_.end() ? nullptr : &found->second;
}

void Bookkeeper::declared_lost(const CardId& card_id)
{
    auto& card = cards_[card_id];
    if (!card.lost_since) card.lost_since = environment_.clock;
}

void Bookkeeper::take(const Entry& entry)
{
    check(entry.time >= last_time_, "I20", "the ledger's time goes back");
    last_time_ = entry.time;
    const auto awaited = gap_without_payment_;
    gap_without_payment_.reset();
    if (awaited) {
        const auto* record = entry.record();
        check(record != nullptr && record->operation.kind == Kind::payment &&
                  record->receipt.result.card_id == awaited->first &&
                  record->receipt.result.sequence == awaited->second,
              "I23", "a gap without its payment behind it");
    }
    if (const auto* record = entry.record()) return take(*record);
    if (const auto* order = entry.account_record()) return take(*order);
    take(*entry.gap());
}

void Bookkeeper::move(const std::string& from, const std::string& to, std::int64_t amount)
{
    for (const auto& [name, by] : {std::pair(from, -amount), std::pair(to, amount)}) {
        if (name.starts_with("card/")) continue;
        auto& account = accounts_[name];
        account.balance += by;
        check(account.balance >= 0 || !name.starts_with("account/"), "I8",
              name + " gave more than it had");
    }
}

// I19: without its owner's word a card's result debits no account but the card's own.
void Bookkeeper::check_consent(const Card& card, const Record& record) const
{
    const auto& operation = record.operation;
    const auto side = operation.account ? other_side_of(operation) : std::string();
    const bool needs =
        operation.kind == Kind::transfer_in && side != holder_of(operation.card_id.to_string());
    check(needs == record.consent.has_value(), "I19", "a consent is missing, or for nothing");
    if (!needs) return;
    if (card.write_off && card.write_off->operation == operation) {
        check(is_word(card.write_off->key, operation, *record.consent) ||
                  is_word(card.write_off->key_before, operation, *record.consent),
              "I19", "a transfer that was written off, without its owner's word");
        return;
    }
    const auto account = accounts_.find(side);
    check(account != accounts_.end() && account->second.key.has_value(), "I19",
          side + " is not open, and was debited");
    check(is_word(account->second.key, operation, *record.consent) ||
              is_word(account->second.key_before, operation, *record.consent),
          "I19", side + " was debited without its owner's word");
}

bool Bookkeeper::is_word(const std::optional<PublicKey>& key, const Operation& operation,
                         const Signature& consent) const
{
    return key && environment_.words.contains({*key, operation.digest()}) &&
           verify_consent(operation, consent, issuer_.card_root, *key);
}

bool Bookkeeper::is_signed_by_issuer(const auto& object) const
{
    return std::ranges::any_of(issuer_.operation_keys, [&](const PublicKey& key) {
        return verify(object, key).has_value();
    });
}

// Of a card that value was recovered from, or written off.
void Bookkeeper::check_given_up(const Card& card, const Operation& operation) const
{
    if (!card.given_up_at) return;
    const auto kind = operation.kind;
    check(kind == Kind::payment || kind == Kind::cancel || kind == Kind::terminate ||
              operation.sequence <= std::uint64_t{*card.given_up_at} + 1,
          "I22", "a new operation of a card that was given up");
}

void Bookkeeper::take(const Record& record)
{
    const auto& result = record.receipt.result;
    auto& card = cards_[result.card_id];
    check_given_up(card, record.operation);
    check_consent(card, record);
    const auto gap =
        std::ranges::find_if(card.gaps, [&](const Gap& one) { return one.has(result.sequence); });
    if (gap != card.gaps.end())
        take_late(card, *gap, record);
    else
        take_next(card, record);
}

// The newest that it has executed are the card's, whenever their result came.
void Bookkeeper::set_limits(Card& card, const Operation& operation)
{
    const auto* limits = std::get_if<Limits>(&operation.parameter);
    if (limits == nullptr || operation.sequence < card.limits_at) return;
    card.limits = *limits;
    card.limits_at = operation.sequence;
}

void Bookkeeper::take_next(Card& card, const Record& record)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    check(result.sequence == card.sequence + 1, "I5", "records out of order");
    check(result.previous_result == card.last_result, "I5",
          "a record that does not continue the chain");
    card.sequence = result.sequence;
    card.last_result = result.digest();
    card.balance += operation.amount.to_minor_units();
    card.state = result.state;
    check(card.balance == static_cast<std::int64_t>(result.balance.to_minor_units()), "I5",
          "a record whose balance does not follow");
    const bool offline = operation.kind == Kind::payment;
    card.spent = offline ? card.spent - operation.amount.to_minor_units() : 0;
    card.may_be_online = card.may_be_online && offline;
    set_limits(card, operation);
    if (!moves_value(operation.kind)) return;
    const bool written_off = operation.kind == Kind::transfer_in && card.write_off &&
                             card.write_off->operation == operation;
    if (written_off) environment_.probes.reach("transfer came after it was written off");
    const auto side = written_off ? "outside/losses" : other_side_of(operation);
    move(side, "card/", operation.amount.to_minor_units());
    if (side == unaccounted_name) paid_to_unaccounted_ -= operation.amount.to_minor_units();
}

// I23: what is late moves between its payee and what the gap has left, and stays within that.
void Bookkeeper::take_late(Card& card, Gap& gap, const Record& record)
{
    const auto& operation = record.operation;
    environment_.probes.reach("late result settled");
    check(gap.late.emplace(operation.sequence, operation).second, "I23",
          "a late result settled twice");
    check(operation.kind == Kind::payment || operation.sequence == gap.first, "I23",
          "a late result that no gap can have");
    set_limits(card, operation);
    gap.left += operation.amount.to_minor_units();
    check(gap.left >= 0, "I23", "a gap left more than it had");
    if (!moves_value(operation.kind)) return;
    if (operation.amount > Amount{}) environment_.probes.reach("late credit settled");
    const bool written_off = operation.kind == Kind::transfer_in && card.write_off &&
                             card.write_off->operation == operation;
    if (written_off) environment_.probes.reach("late transfer came after it was written off");
    const auto side = written_off ? "outside/losses" : other_side_of(operation);
    move(side, unaccounted_name, operation.amount.to_minor_units());
    if (side == unaccounted_name) paid_to_unaccounted_ -= operation.amount.to_minor_units();
}

void Bookkeeper::take(const tallycard::Gap& gap)
{
    environment_.probes.reach("gap made");
    check(is_signed_by_issuer(gap), "I11", "a gap without the issuer's signature");
    auto& card = cards_[gap.card_id];
    const auto balance = static_cast<std::int64_t>(gap.balance.to_minor_units());
    check(gap.last > card.sequence && gap.last - card.sequence <= 15, "I23",
          "a gap of no sequences, or of too many");
    check(balance <= card.balance, "I23", "a gap that gives the card value");
    check(card.state != CardState::terminated, "I23", "a gap of a terminated card");
    const auto moved = card.balance - balance;
    card.gaps.push_back(
        {.first = card.sequence + 1, .last = gap.last, .moved = moved, .left = moved, .late = {}});
    if (moved > 0) move("card/", unaccounted_name, moved);
    card.may_be_online = environment_.signed_for.contains({gap.card_id, card.sequence + 1});
    card.spent += moved;
    card.sequence = gap.last;
    card.balance = balance;
    card.last_result = gap.last_result;
    card.state = CardState::operational;
    gap_without_payment_ = CardPlace{gap.card_id, gap.last + 1};
}

// Whose word an order needs: of kinds 20 and 29 the new key's.
void Bookkeeper::check_owner(const AccountRecord& record, const Account& account) const
{
    const auto& order = record.order;
    check(record.owner_signature.has_value() == needs_owner(order.kind), "I19",
          "an order with an owner's signature too many, or without");
    if (!needs_owner(order.kind)) return;
    const auto& key = is_open_kind(order.kind) ? order.key : account.key;
    const bool given = key && environment_.words.contains({*key, digest_of(order)});
    check(given && verify_owner(order, *record.owner_signature, issuer_.card_root, *key), "I19",
          std::string(name(order.kind)) + " without the owner's word");
}

void Bookkeeper::check_state(const AccountOrder& order, const Account& account) const
{
    if (order.kind == OrderKind::hand_in) return;
    if (order.kind == OrderKind::open) {
        check(!account.key && !order.account.text().starts_with("H-") &&
                  order.account.text() != "unaccounted",
              "I21", "opened what is open, or can't be");
        return;
    }
    const auto holder = card_of_holder_account(order.account);
    if (holder && cards_.contains(*holder)) {
        check(order.kind == OrderKind::pay_in || order.kind == OrderKind::adjust ||
                  order.kind == OrderKind::recover || order.kind == OrderKind::recover_holder ||
                  order.kind == OrderKind::write_off,
              "I21", "an order that no holder account takes");
        const bool draws = order.kind == OrderKind::adjust && order.amount < Amount{};
        check(!draws || !cards_.at(*holder).given_up_at, "I22",
              "a lost card's holder account was drawn on");
        return;
    }
    check(account.key.has_value(), "I21", "an order for an account that is not open");
}

void Bookkeeper::change_keys(const AccountOrder& order, Account& account) const
{
    if (order.kind == OrderKind::open) {
        if (account.balance > 0) environment_.probes.reach("unclaimed account claimed");
        account.key_before.reset();
        account.key = order.key;
    } else if (sets_key(order.kind)) {
        account.key_before = account.key;
        account.key = order.key;
    } else if (order.kind == OrderKind::close) {
        check(account.balance == 0, "I21", "an account was closed that had something");
        account.key.reset();
        account.key_before.reset();
    }
}

void Bookkeeper::take(const AccountRecord& record)
{
    const auto& order = record.order;
    const auto digest = digest_of(order);
    check(is_signed_by_issuer(record), "I11", "an order without the issuer's signature");
    const bool cash = order.kind == OrderKind::hand_in;
    const auto account_name = named(cash ? "cash" : "account", order.account);
    auto& account = accounts_[account_name];
    check(ordered_.contains(digest), "I19", "an order that nobody gave");
    check(executed_.insert(digest).second, "I21", "an order executed twice");
    check(order.number == account.number + 1, "I21", account_name + ": an order out of its turn");
    check(account.ids.insert(order.id).second, "I21", account_name + ": one id, two orders");
    account.number = order.number;
    check_state(order, account);
    check_owner(record, account);
    change_keys(order, account);
    environment_.probes.reach((std::string("order executed: ") + name(order.kind)).c_str());
    const auto amount = order.amount.to_minor_units();
    if (!names_card(order.kind)) {
        if (amount == 0) return;
        const bool moves = order.kind == OrderKind::move;
        return move(named(moves ? "account" : "outside", *order.other), account_name, amount);
    }
    auto& card = cards_[order.card()];
    if (order.kind == OrderKind::recover) recover(order, card);
    if (order.kind == OrderKind::write_off) write_off(order, card);
    if (order.kind == OrderKind::recover) move("card/", account_name, amount);
    if (order.kind == OrderKind::recover_holder)
        move(holder_of(order.card().to_string()), account_name, amount);
    if (!card.given_up_at) card.given_up_at = card.sequence;
}

// Operations that were signed for a card and have not ended.
std::vector<Operation> Bookkeeper::pending(const std::map<CardPlace, std::vector<Operation>>& all,
                                           const CardId& card_id, const Card& card)
{
    std::vector<Operation> found;
    for (auto at = all.lower_bound({card_id, 0}); at != all.end() && at->first.first == card_id;
         ++at)
        if (!card.has_settled(at->first.second))
            found.insert(found.end(), at->second.begin(), at->second.end());
    return found;
}

void Bookkeeper::disclosed(const Operation& operation)
{
    auto& known = disclosed_[{operation.card_id, operation.sequence}];
    if (std::ranges::find(known, operation) == known.end()) known.push_back(operation);
}

std::vector<Operation> Bookkeeper::credits_in_gaps() const
{
    std::vector<Operation> found;
    for (const auto& [card_id, card] : cards_)
        for (const auto& operation : pending(disclosed_, card_id, card))
            if (operation.amount > Amount{} && operation.sequence <= card.sequence)
                found.push_back(operation);
    return found;
}

std::optional<Operation> Bookkeeper::written_off(const CardId& card_id) const
{
    const auto found = cards_.find(card_id);
    if (found == cards_.end() || !found->second.write_off) return std::nullopt;
    const auto& operation = found->second.write_off->operation;
    return found->second.has_settled(operation.sequence) ? std::nullopt : std::optional(operation);
}

// The most that it may have spent, or yet spend, of what has not settled.
std::int64_t Bookkeeper::exposure_of(const CardId& card_id, const Card& card) const
{
    const auto total = [](const Limits& limits) {
        return static_cast<std::int64_t>(limits.offline_total.to_minor_units());
    };
    auto offline = card.may_be_online ? total(card.limits)
                                      : std::max<std::int64_t>(0, total(card.limits) - card.spent);
    std::int64_t debits = 0;
    for (const auto& operation : pending(environment_.signed_for, card_id, card)) {
        const auto* limits = std::get_if<Limits>(&operation.parameter);
        offline = std::max({offline, total(card.limits), limits != nullptr ? total(*limits) : 0});
        debits = std::max(debits, -operation.amount.to_minor_units());
    }
    return offline + debits;
}

// By payments whose results are kept.
std::int64_t Bookkeeper::proven(const CardId& card_id, const Card& card) const
{
    std::int64_t sum = 0;
    for (const auto& [place, amount] : kept_)
        if (place.first == card_id && place.second > card.sequence) sum += amount;
    return sum;
}

// I22: never more than the book has, less what is known to be spent, and within the quarantine less
// what the card may still spend.
void Bookkeeper::recover(const AccountOrder& order, Card& card)
{
    const auto amount = order.amount.to_minor_units();
    const bool forked = environment_.forked.contains(order.card());
    const auto rest = card.book() - (forked ? 0 : proven(order.card(), card));
    check(amount > 0 && amount <= rest, "I22", "more was recovered than the card has");
    const auto may_spend = std::max<std::int64_t>(
        0, static_cast<std::int64_t>(card.limits.offline_total.to_minor_units()) - card.spent);
    const bool quarantined = !card.lost_since || last_time_ < *card.lost_since + quarantine;
    if (quarantined && card.state == CardState::operational)
        check(amount <= rest - std::min(rest, may_spend), "I22",
              "recovered within the quarantine what the card may still spend");
    environment_.probes.reach(quarantined ? "recovered at once" : "recovered after the quarantine");
    card.recovered += amount;
    card.exposure = exposure_of(order.card(), card);
}

void Bookkeeper::write_off(const AccountOrder& order, Card& card)
{
    check(!card.write_off, "I22", "a second transfer of a card was written off");
    for (const auto& operation : pending(disclosed_, order.card(), card)) {
        if (operation.kind != Kind::transfer_in || operation.account != order.account) continue;
        if (card.write_off && operation.sequence <= card.sequence) continue;
        const auto& account = accounts_[other_side_of(operation)];
        card.write_off =
            WriteOff{.operation = operation, .key = account.key, .key_before = account.key_before};
    }
    check(card.write_off.has_value(), "I22", "written off, and nothing was pending");
}

std::int64_t Bookkeeper::unaccounted() const
{
    auto sum = paid_to_unaccounted_;
    for (const auto& [card_id, card] : cards_)
        for (const auto& gap : card.gaps) sum += gap.left;
    return sum;
}

}  // namespace simulation
