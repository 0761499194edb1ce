// SPDX-License-Identifier: Apache-2.0
#include "ledger_export.hpp"

#include <algorithm>

#include "base64.hpp"
#include "platform_transaction.hpp"
#include "running_hash.hpp"

namespace tallycard {
namespace {

// Lines on their way into the file, and the hash of them all.
class Lines {
public:
    explicit Lines(files::Replacement& file) : file_(&file) {}

    Result<void> put(std::string_view text)
    {
        constexpr std::size_t at_once = 1 << 16;
        hash_.update(text);
        waiting_ += text;
        return waiting_.size() < at_once ? Result<void>() : flush();
    }
    Result<void> flush()
    {
        const auto written = file_->append(waiting_);
        waiting_.clear();
        return written;
    }
    Digest hash() { return hash_.finish(); }

private:
    files::Replacement* file_;
    std::string waiting_;
    RunningHash hash_;
};

std::string card_line(const CardRow& card)
{
    return "card " + card.card_id.to_string() + ' ' + card.certificate.to_string() + ' ' +
           card.first_operation_key.to_string() + '\n';
}

std::string standing_line(const CardRow& card)
{
    const bool blank = !card.issued && card.settled == 0;
    std::string line = "standing " + card.card_id.to_string() + ' ' + std::to_string(card.settled) +
                       ' ' + std::to_string(card.balance.to_minor_units()) + ' ' +
                       name(blank ? CardState::blank : card.state) + ' ' +
                       card.operation_key.to_string();
    if (card.recovered > 0) line += ' ' + std::to_string(card.recovered);
    return line + '\n';
}

std::string account_line(const AccountRow& account)
{
    std::string line = "account ";
    line += export_word(account.name.kind);
    line += ' ';
    line += account.name.id.text();
    return line + ' ' + std::to_string(account.balance) + ' ' + std::to_string(account.number) +
           ' ' + (account.key ? account.key->to_string() : "-") + '\n';
}

Result<void> put_entries(StoreTransaction& store, Lines& lines)
{
    const auto count = store.entry_count();
    if (!count) return count.error();
    for (std::uint64_t index = 0; index < *count; ++index) {
        const auto entry = store.entry(index);
        if (!entry) return entry.error();
        if (!*entry) return Error{.code = Errc::file_damaged, .where = "ledger"};
        const auto done = lines.put("entry " + to_hex((*entry)->encode()) + '\n');
        if (!done) return done;
    }
    return {};
}

Result<void> put_deny_list(StoreTransaction& store, Lines& lines, const IssuerDescription& issuer,
                           const CheckpointKey& key, Time now)
{
    DenyList list;
    if (auto done = lines.put("deny-list\n"); !done) return done;
    const auto read = for_each_denial(store, [&](const DenyListLine& line) -> Result<void> {
        if (!list.append(line)) return damaged_deny_list();
        return lines.put(line.to_string() + '\n');
    });
    if (!read) return read;
    const auto note = deny_list_head(list, issuer, now).sign(key);
    if (!note) return note.error();
    return lines.put(*note);
}

}  // namespace

const char* export_word(AccountKind kind) noexcept
{
    switch (kind) {
    case AccountKind::cash: return "cash";
    case AccountKind::associated: return "associated";
    case AccountKind::card: return "card";
    case AccountKind::outside: return "outside";
    }
    return "?";
}

DenyListHead deny_list_head(const DenyList& list, const IssuerDescription& issuer, Time now)
{
    return {.origin = issuer.origin,
            .lines = list.lines(),
            .hash = list.hash(),
            .time = std::clamp(now, Time{}, last_time)};
}

Error damaged_deny_list()
{
    return Error{.code = Errc::file_damaged, .where = "deny list"};
}

std::string export_statement(const Digest& of_everything_before)
{
    return "tallycard export\n" + base64::encode(of_everything_before.bytes()) + '\n';
}

Result<void> write_export(files::Replacement& file, StoreTransaction& store,
                          const IssuerDescription& issuer, const ExportNotes& notes,
                          const CheckpointKey& key, Time now)
{
    Lines lines(file);
    const auto put_card = [&](const CardRow& row) { return lines.put(card_line(row)); };
    const auto put_standing = [&](const CardRow& row) { return lines.put(standing_line(row)); };
    const auto put_account = [&](const AccountRow& row) { return lines.put(account_line(row)); };

    if (auto done = lines.put("tallycard-ledger 1\n" + issuer.to_text()); !done) return done;
    if (!notes.cosigned.empty())
        if (auto done = lines.put("cosigned\n" + notes.cosigned); !done) return done;
    if (auto done = for_each_card(store, put_card); !done) return done;
    if (auto done = put_entries(store, lines); !done) return done;
    if (auto done = lines.put("checkpoint\n" + notes.checkpoint); !done) return done;
    if (auto done = for_each_card(store, put_standing); !done) return done;
    if (auto done = for_each_account(store, put_account); !done) return done;
    if (auto done = put_deny_list(store, lines, issuer, key, now); !done) return done;
    if (auto done = lines.put("end\n"); !done) return done;
    const auto statement = key.sign_note(export_statement(lines.hash()), issuer.origin);
    if (!statement) return statement.error();
    if (auto done = lines.put(*statement); !done) return done;
    return lines.flush();
}

}  // namespace tallycard
