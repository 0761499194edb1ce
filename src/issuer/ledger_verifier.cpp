// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include <tallycard/deny_list.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/verify.hpp>

#include "base64.hpp"
#include "ledger_audit.hpp"
#include "ledger_export.hpp"
#include "ledger_reader.hpp"
#include "signed_note.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

__extension__ using WideAmount = __int128;

// Walks through the sections of an export. Each section returns whether to go on.
class Verifier {
public:
    Verifier(const std::string& path, const IssuerDescription& issuer,
             const std::optional<Checkpoint>& known, const std::optional<WitnessDemand>& witnesses,
             unsigned threads)
        : reader_(path),
          issuer_(&issuer),
          known_(known),
          demand_(witnesses),
          audit_(issuer, checks_),
          checks_(issuer, threads)
    {
    }

    bool is_open() const { return reader_.is_open(); }
    LedgerReport run()
    {
        const bool right = header() && cosigned() && checked(&Verifier::cards, report_.cards) &&
                           checked(&Verifier::entries, report_.entries) && checkpoint() &&
                           standings() && accounts() && books() && deny_list() && end();
        if (right) sum_up();
        return report_;
    }

private:
    bool header()
    {
        const auto expected = "tallycard-ledger 1\n" + issuer_->to_text();
        std::string_view rest = expected;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            if (reader_.line() != rest.substr(0, end))
                return fault("this is not a ledger of the issuer whose description is pinned");
            reader_.advance();
            rest.remove_prefix(end + 1);
        }
        return true;
    }

    // A section whose lines' checks are answered later: what they find comes before what ended the
    // reading.
    bool checked(bool (Verifier::*section)(), std::uint64_t& lines)
    {
        const auto first = reader_.number();
        (this->*section)();
        checks_.finish();
        if (checks_.fault()) report_.fault = checks_.fault();
        lines = (report_.fault ? report_.fault->line : reader_.number()) - first;
        return !report_.fault;
    }

    bool cosigned()
    {
        if (reader_.line() != "cosigned")
            return !demand_ || fault("no witness has cosigned a checkpoint of this ledger");
        reader_.advance();
        auto note = take_note(4);
        while (reader_.line() && reader_.line()->starts_with("\xE2\x80\x94 ") &&
               note.size() <= longest_note)
            note += take_note(1);
        const auto opened =
            Checkpoint::open_cosigned(note, issuer_->origin, issuer_->checkpoint_key);
        if (!opened) return fault("the issuer's signature of the cosigned checkpoint is not right");
        cosigned_ = *opened;
        if (!demand_) return true;
        const auto found = demand_->policy.check(note);
        if (!found && found.error().code == Errc::witnesses_missing)
            return fault("too few witnesses of the policy have cosigned the checkpoint");
        if (!found) return fault("a witness's cosignature does not verify");
        report_.witnessed = Witnessed{.entries = opened->head.size, .cosignatures = *found};
        return true;
    }

    bool cards()
    {
        while (auto words = line_of("card")) {
            const auto id = words->parsed<CardId>();
            const auto certificate = words->parsed<Certificate>();
            const auto key = words->parsed<PublicKey>();
            if (!words->at_end()) return fault("malformed card");
            if (const auto wrong = audit_.add_card(reader_.number(), *id, *certificate, *key))
                return fault(wrong, *id);
            if (checks_.fault()) return false;
            reader_.advance();
        }
        return true;
    }

    bool entries()
    {
        if (!check_earlier()) return false;
        while (auto words = line_of("entry")) {
            const auto hex = words->next();
            std::array<std::uint8_t, Entry::max_encoded> buffer;
            const std::span bytes =
                std::span(buffer).first(std::min(hex.size() / 2, buffer.size()));
            if (!words->at_end() || !detail::from_hex(hex, bytes)) return fault("malformed entry");
            const auto entry = Entry::decode(bytes);
            if (!entry) return fault("malformed entry");
            if (const auto wrong = audit_.add_entry(reader_.number(), *entry))
                return fault_of(*entry, wrong);
            if (checks_.fault()) return false;
            tree_.append(merkle::leaf_hash(bytes));
            if (!check_earlier()) return false;
            reader_.advance();
        }
        if (const auto wrong = audit_.end_entries()) return fault(wrong);
        return true;
    }

    bool fault_of(const Entry& entry, Objection what)
    {
        fault(what);
        if (const auto* record = entry.record()) {
            report_.fault->card = record->receipt.result.card_id;
            report_.fault->sequence = record->receipt.result.sequence;
        }
        if (const auto* gap = entry.gap()) {
            report_.fault->card = gap->card_id;
            report_.fault->sequence = gap->last;
        }
        if (const auto* order = entry.account_record())
            report_.fault->account = order->order.account;
        return false;
    }

    // What was a checkpoint once has to be one still.
    bool check_earlier()
    {
        const auto is_other = [&](const std::optional<Checkpoint>& earlier) {
            return earlier && tree_.size() == earlier->head.size &&
                   tree_.root() != earlier->head.root;
        };
        if (is_other(known_))
            return fault("the ledger does not continue the checkpoint that is known");
        if (is_other(cosigned_))
            return fault("the ledger does not continue the checkpoint that was cosigned");
        return true;
    }

    bool witnessed()
    {
        if (!cosigned_) return true;
        if (cosigned_->head.size > tree_.size())
            return fault("the ledger is behind the checkpoint that was cosigned");
        if (demand_ && tree_.size() - cosigned_->head.size > demand_->most_unwitnessed)
            return fault("more entries follow the cosigned checkpoint than may be unwitnessed");
        return true;
    }

    bool checkpoint()
    {
        if (reader_.line() != "checkpoint") return fault("malformed line, or one out of place");
        if (known_ && known_->head.size > tree_.size())
            return fault("the ledger is behind the checkpoint that is known");
        if (!witnessed()) return false;
        reader_.advance();
        report_.checkpoint = {.origin = issuer_->origin, .head = {tree_.size(), tree_.root()}};
        const auto root = base64::encode(report_.checkpoint.head.root.bytes());
        return note_line(issuer_->origin, "the checkpoint is of another origin") &&
               note_line(std::to_string(tree_.size()),
                         "the checkpoint is on another number of entries") &&
               note_line(root, "the checkpoint is on other entries: the Merkle root differs") &&
               note_signature("the checkpoint's signature does not verify");
    }

    bool standings()
    {
        for (const auto& [id, card] : audit_.cards()) {
            auto words = line_of("standing");
            if (!words) return fault("the standing of a card is missing", id);
            words->require(words->parsed<CardId>() == id);
            words->require(words->number<std::uint32_t>() == card.now.sequence);
            words->require(words->number<std::uint64_t>() == card.now.balance.to_minor_units());
            words->require(is_state(words->next(), card.now));
            words->require(words->parsed<PublicKey>() == card.now.operation_key);
            const auto recovered = audit_.recovered(id);
            if (recovered > 0) words->require(words->number<std::int64_t>() == recovered);
            if (!words->at_end())
                return fault("the standing is not what the entries say", id, card.now.sequence);
            reader_.advance();
        }
        return true;
    }

    // A card without a result may still be in the making, which no entry says.
    static bool is_state(std::string_view word, const SettledCard& card)
    {
        return word == name(card.state) || (card.sequence == 0 && word == name(CardState::blank));
    }

    bool accounts()
    {
        const auto& all = audit_.accounts();
        auto next = all.begin();  // of those that have to be there
        std::optional<AccountName> last;
        while (auto words = line_of("account")) {
            const auto kind = account_kind(words->next());
            const auto id = words->parsed<AccountId>();
            if (!kind || !id) return fault("malformed account");
            const AccountName name{*kind, *id};
            if (last && *last >= name) return fault("the accounts are not in order");
            last = name;
            if (next != all.end() && next->first < name)
                return fault("an account that the entries name is missing");
            static const LedgerAccounts::Account untouched;
            const bool is_known = next != all.end() && next->first == name;
            if (!account(*words, is_known ? next->second : untouched)) return false;
            if (is_known) ++next;
            ++report_.accounts;
            reader_.advance();
        }
        if (next != all.end()) return fault("an account that the entries name is missing");
        return true;
    }

    static std::optional<AccountKind> account_kind(std::string_view word)
    {
        for (const auto kind : {AccountKind::cash, AccountKind::associated, AccountKind::outside})
            if (word == export_word(kind)) return kind;
        return std::nullopt;
    }

    bool account(text::Words& words, const LedgerAccounts::Account& account)
    {
        const auto balance = words.number<std::int64_t>();
        const auto number = words.number<std::uint32_t>();
        const auto key = words.next();
        if (!words.at_end()) return fault("malformed account");
        if (balance != account.balance)
            return fault("the account's balance is not what the entries say");
        if (number != account.number)
            return fault("the account's last order is not what the entries say");
        if (key != (account.keys ? account.keys->key.to_string() : "-"))
            return fault("the account's key is not what the entries say");
        return true;
    }

    bool books()
    {
        for (const auto& [id, card] : audit_.cards()) {
            on_cards_ += static_cast<std::int64_t>(card.now.balance.to_minor_units());
            recovered_ += audit_.recovered(id);
        }
        for (const auto& [name, account] : audit_.accounts()) {
            auto& sum = name.kind == AccountKind::cash      ? cash_
                        : name.kind == AccountKind::outside ? outside_
                                                            : in_accounts_;
            sum += account.balance;
        }
        if (on_cards_ - recovered_ + in_accounts_ + cash_ + outside_ != 0)
            return fault("the books do not sum up to zero");
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        for (const auto sum : {on_cards_, recovered_, in_accounts_, cash_, outside_})
            if (sum > most || sum < -most) return fault("the books are larger than 2^63");
        return true;
    }

    bool deny_list()
    {
        if (reader_.line() != "deny-list") return fault("malformed line, or one out of place");
        reader_.advance();
        const auto origin = issuer_->origin + "/deny-list";
        while (reader_.line() != origin) {
            const auto line = reader_.line() ? DenyListLine::parse(*reader_.line()) : std::nullopt;
            if (!line) return fault("malformed line, or one out of place");
            if (!audit_.cards().contains(line->card))
                return fault("the card is not one of the ledger's", line->card);
            if (!denied_.append(*line))
                return fault("the line of the deny list changes nothing", line->card);
            reader_.advance();
        }
        for (const auto& [id, card] : audit_.lost_cards())
            if (!denied_.is_denied(id)) return fault("a lost card is not on the deny list", id);
        return note_line(origin, "the deny list is of another origin") &&
               note_line(std::to_string(denied_.lines()),
                         "the deny list has another number of lines") &&
               note_line(base64::encode(denied_.hash().bytes()),
                         "the deny list is on other lines: their hash differs") &&
               note_time() && note_signature("the deny list's signature does not verify");
    }

    bool note_time()
    {
        text::Words words(reader_.line().value_or(""));
        const auto most = static_cast<std::uint64_t>(last_time.time_since_epoch().count());
        words.require(words.number<std::uint64_t>() <= most);
        if (!words.at_end()) return fault("malformed time of the deny list");
        return note_line(std::string(*reader_.line()), "malformed time of the deny list");
    }

    bool end()
    {
        if (reader_.line() != "end") return fault("malformed line, or one out of place");
        reader_.advance();
        std::string_view rest;
        const auto statement = export_statement(reader_.hash());
        for (rest = statement; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
            if (!note_line(std::string(rest.substr(0, rest.find('\n'))),
                           "the export is not what the issuer signed"))
                return false;
        }
        if (!note_signature("the export's signature does not verify")) return false;
        if (!reader_.at_end()) return fault("something follows the end");
        return true;
    }

    void sum_up()
    {
        audit_.list(report_);
        report_.on_cards = static_cast<std::int64_t>(on_cards_);
        report_.recovered = static_cast<std::int64_t>(recovered_);
        report_.in_accounts = static_cast<std::int64_t>(in_accounts_);
        report_.cash = static_cast<std::int64_t>(cash_);
        report_.outside = static_cast<std::int64_t>(outside_);
        report_.denied.assign(denied_.denied().begin(), denied_.denied().end());
        for (const auto& [id, card] : audit_.lost_cards()) {
            const auto& balance = audit_.cards().at(id).now.balance;
            const auto loss = card.recovered - static_cast<std::int64_t>(balance.to_minor_units());
            if (loss > 0) report_.losses.emplace(id, loss);
        }
        for (const auto& [name, account] : audit_.accounts()) {
            if (name.kind != AccountKind::associated || account.balance == 0) continue;
            if (name.id == unaccounted()) {
                report_.unaccounted = account.balance;
            } else if (!account.keys && !audit_.is_holder_account(name.id)) {
                report_.unclaimed.emplace(name.id, account.balance);
            }
        }
    }

    // A note whose text is known is compared line by line, so that a fault has its line.
    bool note_line(std::string expected, Objection otherwise)
    {
        if (reader_.line() != expected) return fault(otherwise);
        reader_.advance();
        note_ += std::move(expected) + '\n';
        return true;
    }

    bool note_signature(Objection otherwise)
    {
        if (reader_.line() != "") return fault(otherwise);
        reader_.advance();
        note_ += '\n';
        note_ += reader_.line().value_or("");
        note_ += '\n';
        const auto opened = open_note(note_, issuer_->origin, issuer_->checkpoint_key);
        if (!opened) return fault(otherwise);
        reader_.advance();
        note_.clear();
        return true;
    }

    std::optional<text::Words> line_of(std::string_view name)
    {
        if (!reader_.line()) return std::nullopt;
        text::Words words(*reader_.line());
        if (words.next() != name) return std::nullopt;
        return words;
    }

    std::string take_note(int lines)
    {
        std::string note;
        for (int i = 0; i < lines && reader_.line(); ++i, reader_.advance()) {
            note += *reader_.line();
            note += '\n';
        }
        return note;
    }

    bool fault(Objection what, const std::optional<CardId>& card = {}, std::uint32_t sequence = 0)
    {
        report_.fault =
            LedgerFault{.line = reader_.number(), .card = card, .sequence = sequence, .what = what};
        return false;
    }

    LedgerReader reader_;
    const IssuerDescription* issuer_;
    std::optional<Checkpoint> known_, cosigned_;
    std::optional<WitnessDemand> demand_;
    LedgerAudit audit_;
    LedgerChecks checks_;  // whose threads write into what the audit knows: they end first
    merkle::Frontier tree_;
    LedgerReport report_;
    DenyList denied_;
    std::string note_;  // as far as it has been read
    WideAmount on_cards_ = 0, recovered_ = 0, in_accounts_ = 0, cash_ = 0, outside_ = 0;
};

}  // namespace

Result<LedgerReport> verify_ledger(const std::string& path, const IssuerDescription& issuer,
                                   const std::optional<Checkpoint>& known,
                                   const std::optional<WitnessDemand>& witnesses, unsigned threads)
{
    if (const auto safe = self_test(); !safe) return safe.error();
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    Verifier verifier(path, issuer, known, witnesses, threads);
    if (!verifier.is_open()) return Error{.code = Errc::file_missing, .where = "ledger"};
    return verifier.run();
}

}  // namespace tallycard
