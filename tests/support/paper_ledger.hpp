// SPDX-License-Identifier: Apache-2.0
// A ledger without a platform: a test settles whatever it wants, signed with all of an issuer's
// keys, and gets an export of it in which everything else is as it must be.
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tallycard/deny_list.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/store_rows.hpp>

#include "crypto/software_keys.hpp"
#include "issuer/ledger_export.hpp"
#include "protocol/digest.hpp"
#include "secrets.hpp"
#include "simulated_card.hpp"
#include "temporary_folder.hpp"

namespace tallycard::test {

inline AccountId account_named(std::string_view name)
{
    return AccountId::parse(name).value();
}

inline std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

inline std::string text_of(const std::vector<std::string>& lines)
{
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

// The notes of an export, made again with this key by an issuer who changed something: the
// checkpoint, that of the deny list where `deny_list` is given, and the last one.
inline std::string signed_again(std::string text, const std::string& origin,
                                const CheckpointKey& key,
                                const std::optional<DenyListHead>& deny_list = std::nullopt)
{
    merkle::Frontier tree;
    for (const auto& line : lines_of(text)) {
        if (!line.starts_with("entry ")) continue;
        std::vector<std::uint8_t> bytes((line.size() - 6) / 2);
        if (detail::from_hex(std::string_view(line).substr(6), bytes))
            tree.append(merkle::leaf_hash(bytes));
    }
    const auto replace = [&](std::string_view from, std::string_view to, const std::string& note) {
        const auto begin = text.find(from) + from.size();
        text.replace(begin, text.find(to, begin - 1) + 1 - begin, note);
    };
    const Checkpoint checkpoint{origin, {tree.size(), tree.root()}};
    replace("\ncheckpoint\n", "\nstanding ", checkpoint.sign(key).value());
    if (deny_list)
        replace('\n' + origin + "/deny-list\n", "\nend\n",
                deny_list->sign(key).value().substr(origin.size() + 11));
    text.resize(text.rfind("\nend\n") + 5);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto hash = sha256({bytes, text.size()});
    return text + key.sign_note(export_statement(hash), origin).value();
}

// Keys of the issuer that a test may misuse: a seed is this byte, repeated.
enum class Seed : std::uint8_t { operation = 2, next_operation = 3, root = 4, checkpoint = 5 };

class PaperLedger {
public:
    PaperLedger()
    {
        issuer_.origin = "paper.test";
        issuer_.currency = {.unit = Unit::from_code(978).value(), .exponent = 2};
        issuer_.card_root = root_.public_key();
        issuer_.checkpoint_key = checkpoint_key().public_key();
        for (const auto seed : {Seed::operation, Seed::next_operation})
            issuer_.operation_keys.push_back(signer(seed).public_key());
    }

    const IssuerDescription& issuer() const { return issuer_; }
    static CheckpointKey checkpoint_key()
    {
        return CheckpointKey(
            testing::secret_of<KeySeed>(static_cast<std::uint8_t>(Seed::checkpoint)));
    }
    static SoftwareOperationSigner signer(Seed seed)
    {
        return SoftwareOperationSigner(
            testing::secret_of<KeySeed>(static_cast<std::uint8_t>(seed)));
    }

    // A card of the ledger; `listed` false: none of it.
    SimulatedCard make_card(std::uint8_t number, bool listed = true)
    {
        const CardId id = testing::bytes_value<CardId>(number);
        SimulatedCard card(id, root_.derive(id).value(), issuer_.currency.unit);
        const auto key = issuer_.operation_keys.front();
        if (listed)
            cards_.emplace(id,
                           Card{.certificate = card.certificate(), .key = key, .first_key = key});
        return card;
    }

    // The card executes it, the issuer signs it, and its owner where there is one.
    Record record(SimulatedCard& card, const Operation& operation,
                  SoftwareAccountSigner* owner = nullptr, Seed seed = Seed::operation)
    {
        Record record{
            .operation = operation, .issuer_signature = {}, .receipt = card.execute(operation)};
        if (operation.kind != Kind::payment)
            record.issuer_signature = signer(seed).sign(operation).value();
        if (needs_consent(operation))
            record.consent =
                owner ? owner->consent(issuer_.card_root, operation).value() : Signature{};
        return record;
    }
    Record record(SimulatedCard& card, Kind kind, std::int64_t amount = 0,
                  const char* account = nullptr, SoftwareAccountSigner* owner = nullptr)
    {
        return record(card, card.make(kind, amount, account), owner);
    }

    // The next order of that account.
    AccountOrder order(OrderKind kind, const std::string& account, std::int64_t amount = 0,
                       const std::string& other = {})
    {
        AccountOrder order{.kind = kind,
                           .account = account_named(account),
                           .amount = Amount::minor_units(amount),
                           .unit = issuer_.currency.unit,
                           .id = next_id()};
        order.number = accounts_[account_of(order)].number + 1;
        if (!other.empty()) order.other = account_named(other);
        if (needs_reference(kind)) order.reference = Reference::parse(std::string_view("because"));
        return order;
    }
    AccountRecord record(const AccountOrder& order, SoftwareAccountSigner* owner = nullptr,
                         Seed seed = Seed::operation)
    {
        AccountRecord record{.order = order, .owner_signature = {}, .issuer_signature = {}};
        if (needs_owner(order.kind))
            record.owner_signature =
                owner ? owner->sign(issuer_.card_root, order).value() : Signature{};
        record.issuer_signature = signer(seed).sign(order, record.owner_signature).value();
        return record;
    }

    // The gap in front of this payment.
    Gap gap(const Record& payment, Seed seed = Seed::operation)
    {
        const auto& result = payment.receipt.result;
        return sign({.card_id = result.card_id,
                     .last = result.sequence - 1,
                     .balance = checked_add(result.balance, -payment.operation.amount).value(),
                     .last_result = result.previous_result,
                     .issuer_signature = {}},
                    seed);
    }
    static Gap sign(Gap gap, Seed seed = Seed::operation)
    {
        gap.issuer_signature = signer(seed).sign(gap).value();
        return gap;
    }

    // Settles it, true or not, some time later.
    void add(const Record& record)
    {
        add({.time = tick(), .what = DeliveredRecord{record, account_named("T9")}});
    }
    void add(const AccountRecord& record) { add({.time = tick(), .what = record}); }
    void add(const Gap& gap) { add({.time = tick(), .what = gap}); }
    void add(const Entry& entry)
    {
        entries_.push_back("entry " + to_hex(entry.encode()));
        if (const auto* record = entry.record()) post(*record);
        if (const auto* order = entry.account_record()) post(order->order);
        if (const auto* gap = entry.gap()) post(*gap);
    }
    Time now() const { return now_; }

    void deny(const CardId& card, bool denied = true)
    {
        const DenyListLine line{.card = card, .denied = denied};
        if (!deny_list_.append(line)) throw std::logic_error("a line that changes nothing");
        deny_lines_.push_back(line.to_string());
    }
    DenyListHead deny_list_head() const
    {
        return {.origin = issuer_.origin,
                .lines = deny_list_.lines(),
                .hash = deny_list_.hash(),
                .time = now_};
    }

    // Of the last entry, from 1.
    std::size_t last_line() const { return first_entry() + entries_.size() - 1; }

    std::string text() const
    {
        auto text = "tallycard-ledger 1\n" + issuer_.to_text();
        for (const auto& [id, card] : cards_)
            text += "card " + id.to_string() + ' ' + card.certificate.to_string() + ' ' +
                    card.first_key.to_string() + '\n';
        text += text_of(entries_) + "checkpoint\n";
        for (const auto& [id, card] : cards_) text += standing_line(id, card);
        for (const auto& [name, account] : accounts_) text += account_line(name, account);
        text += "deny-list\n" + text_of(deny_lines_);
        text += deny_list_head().sign(checkpoint_key()).value() + "end\n";
        return signed_again(text, issuer_.origin, checkpoint_key());
    }
    LedgerReport verify(const std::string& text, unsigned threads = 1) const
    {
        const auto path = folder_.file("ledger");
        std::ofstream(path, std::ios::binary) << text;
        return verify_ledger(path, issuer_, {}, {}, threads).value();
    }

private:
    struct Card {
        Certificate certificate;
        PublicKey key, first_key;
        std::uint32_t sequence = 0;
        Balance balance{};
        CardState state = CardState::operational;
        std::int64_t recovered = 0;
        std::optional<AccountId> written_off{};
    };
    struct Account {
        std::int64_t balance = 0;
        std::uint32_t number = 0;
        std::optional<PublicKey> key{};
    };

    Time tick() { return now_ += std::chrono::seconds(1); }
    OperationId next_id()
    {
        std::array<std::uint8_t, OperationId::size> bytes{};
        bytes[0] = ++ids_;
        return OperationId(bytes);
    }
    std::size_t first_entry() const
    {
        return lines_of(issuer_.to_text()).size() + cards_.size() + 2;
    }

    // A balance that leaves 64 bits wraps: the lie is found before anybody looks at the balance.
    void move(const AccountName& name, Amount by)
    {
        auto& balance = accounts_[name].balance;
        static_cast<void>(__builtin_add_overflow(balance, by.to_minor_units(), &balance));
    }
    void post(const Record& record)
    {
        const auto& [operation, signature, receipt, consent] = record;
        if (!cards_.contains(operation.card_id)) return;
        auto& card = cards_[operation.card_id];
        const bool late = receipt.result.sequence <= card.sequence;
        if (!late) {
            card.sequence = receipt.result.sequence;
            card.balance = receipt.result.balance;
            card.state = receipt.result.state;
        }
        if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) card.key = *key;
        auto name = other_side(operation);
        if (!name) return;
        if (operation.kind == Kind::transfer_in && card.written_off == operation.account) {
            name = outside_account(account_named("losses"));
            card.written_off.reset();
        }
        move(*name, -operation.amount);
        if (late) move(associated_account(unaccounted()), operation.amount);
    }
    void post(const Gap& gap)
    {
        if (!cards_.contains(gap.card_id)) return;
        auto& card = cards_[gap.card_id];
        const auto moved = static_cast<std::int64_t>(card.balance.to_minor_units()) -
                           static_cast<std::int64_t>(gap.balance.to_minor_units());
        if (moved != 0) move(associated_account(unaccounted()), Amount::minor_units(moved));
        card.sequence = gap.last;
        card.balance = gap.balance;
        card.state = CardState::operational;
    }
    void post(const AccountOrder& order)
    {
        auto& account = accounts_[account_of(order)];
        account.number = order.number;
        move(account_of(order), order.amount);
        if (order.key) account.key = order.key;
        if (order.kind == OrderKind::close) account.key.reset();
        if (order.kind == OrderKind::move) move(associated_account(*order.other), -order.amount);
        if (names_outside(order.kind)) move(outside_account(*order.other), -order.amount);
        if (!names_card(order.kind) || !cards_.contains(order.card())) return;
        auto& card = cards_[order.card()];
        if (order.kind == OrderKind::recover) card.recovered += order.amount.to_minor_units();
        if (order.kind == OrderKind::write_off) card.written_off = order.account;
        if (order.kind == OrderKind::recover_holder)
            move(associated_account(holder_account(order.card())), -order.amount);
    }

    static std::string standing_line(const CardId& id, const Card& card)
    {
        auto line = "standing " + id.to_string() + ' ' + std::to_string(card.sequence) + ' ' +
                    std::to_string(card.balance.to_minor_units()) + ' ' + name(card.state) + ' ' +
                    card.key.to_string();
        if (card.recovered > 0) line += ' ' + std::to_string(card.recovered);
        return line + '\n';
    }
    static std::string account_line(const AccountName& name, const Account& account)
    {
        std::string line = "account ";
        line += export_word(name.kind);
        line += ' ';
        line += name.id.text();
        line += ' ' + std::to_string(account.balance) + ' ' + std::to_string(account.number) + ' ';
        return line + (account.key ? account.key->to_string() : "-") + '\n';
    }

    TemporaryFolder folder_;
    SoftwareCardRoot root_{testing::secret_of<KeySeed>(static_cast<std::uint8_t>(Seed::root))};
    IssuerDescription issuer_;
    std::map<CardId, Card> cards_;
    std::map<AccountName, Account> accounts_;
    std::vector<std::string> entries_, deny_lines_;
    DenyList deny_list_;
    Time now_{std::chrono::milliseconds(1'767'225'600'000)};
    std::uint8_t ids_ = 0;
};

}  // namespace tallycard::test
