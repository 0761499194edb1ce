// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include <tallycard/ledger_verifier.hpp>
#include <tallycard/verify.hpp>

#include "ledger_audit.hpp"
#include "ledger_export.hpp"
#include "ledger_reader.hpp"
#include "signed_note.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

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
          checks_(threads)
    {
    }

    bool is_open() const { return reader_.is_open(); }
    LedgerReport run()
    {
        static_cast<void>(header() && cosigned() && checked(&Verifier::cards, report_.cards) &&
                          checked(&Verifier::records, report_.records) && checkpoint() &&
                          standings() && accounts() && books() && end());
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
        report_.witnessed = Witnessed{.records = opened->head.size, .cosignatures = *found};
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

    bool records()
    {
        if (!check_earlier()) return false;
        while (auto words = line_of("record")) {
            const auto hex = words->next();
            std::array<std::uint8_t, Record::max_encoded> buffer;
            const std::span bytes =
                std::span(buffer).first(std::min(hex.size() / 2, buffer.size()));
            if (!words->at_end() || !detail::from_hex(hex, bytes)) return fault("malformed record");
            const auto record = Record::decode(bytes);
            if (!record) return fault("malformed record");
            const auto& result = record->receipt.result;
            if (const auto wrong = audit_.add_record(reader_.number(), *record))
                return fault(wrong, result.card_id, result.sequence);
            if (checks_.fault()) return false;
            tree_.append(merkle::leaf_hash(bytes));
            if (!check_earlier()) return false;
            reader_.advance();
        }
        return true;
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
            return fault("more records follow the cosigned checkpoint than may be unwitnessed");
        return true;
    }

    bool checkpoint()
    {
        if (reader_.line() != "checkpoint") return fault("malformed line, or one out of place");
        if (known_ && known_->head.size > tree_.size())
            return fault("the ledger is behind the checkpoint that is known");
        if (!witnessed()) return false;
        reader_.advance();
        const auto note = take_note(5);
        const auto opened = Checkpoint::open(note, issuer_->origin, issuer_->checkpoint_key);
        if (!opened) return fault("the checkpoint's signature does not verify");
        report_.checkpoint = *opened;
        if (opened->head.size != tree_.size())
            return fault("the checkpoint is on another number of records");
        if (opened->head.root != tree_.root())
            return fault("the checkpoint is on other records: the Merkle root differs");
        return true;
    }

    bool standings()
    {
        for (const auto& [id, card] : audit_.cards()) {
            auto words = line_of("standing");
            if (!words) return fault("the standing of a card is missing", id);
            words->require(words->parsed<CardId>() == id);
            words->require(words->number<std::uint32_t>() == card.settled);
            words->require(words->number<std::uint64_t>() == card.balance.to_minor_units());
            words->require(words->next() == name(card.state));
            words->require(words->parsed<PublicKey>() == card.operation_key);
            if (!words->at_end())
                return fault("the standing is not what the records say", id, card.settled);
            on_cards_ += static_cast<std::int64_t>(card.balance.to_minor_units());
            reader_.advance();
        }
        return true;
    }

    bool accounts()
    {
        std::optional<AccountId> last;
        auto unlisted = audit_.accounts();
        auto kind = AccountKind::cash;
        while (auto words = line_of("account")) {
            const auto word = words->next();
            const auto id = words->parsed<AccountId>();
            const auto balance = words->number<std::int64_t>();
            if (kind == AccountKind::cash && word == export_word(AccountKind::associated)) {
                kind = AccountKind::associated;
                last.reset();
            }
            if (!words->at_end() || word != export_word(kind)) return fault("malformed account");
            if (last && *last >= *id) return fault("the accounts are not in order");
            last = id;
            const auto found = unlisted.find(AccountName{kind, *id});
            if (balance != (found == unlisted.end() ? 0 : found->second))
                return fault("the account's balance is not what the records say");
            if (found != unlisted.end()) unlisted.erase(found);
            (kind == AccountKind::cash ? cash_ : in_accounts_) += balance;
            ++report_.accounts;
            reader_.advance();
        }
        if (!unlisted.empty()) return fault("an account that the records name is missing");
        return true;
    }

    bool books()
    {
        if (on_cards_ + in_accounts_ + cash_ != 0) return fault("the books do not sum up to zero");
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        if (on_cards_ > most || in_accounts_ > most || cash_ < -most)
            return fault("the books are larger than 2^63");
        report_.on_cards = static_cast<std::int64_t>(on_cards_);
        report_.in_accounts = static_cast<std::int64_t>(in_accounts_);
        report_.cash = static_cast<std::int64_t>(cash_);
        return true;
    }

    bool end()
    {
        if (reader_.line() != "end") return fault("malformed line, or one out of place");
        reader_.advance();
        const auto statement = export_statement(reader_.hash());
        const auto note = take_note(4);
        const auto text = open_note(note, issuer_->origin, issuer_->checkpoint_key);
        if (!text) return fault("the export's signature does not verify");
        if (*text != statement) return fault("the export is not what the issuer signed");
        if (!reader_.at_end()) return fault("something follows the end");
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
    WideAmount on_cards_ = 0, in_accounts_ = 0, cash_ = 0;
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
