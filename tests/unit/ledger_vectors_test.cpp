// SPDX-License-Identifier: Apache-2.0
// The auditor, and the deny list, on vectors that others made.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>

#include "issuer/base64.hpp"
#include "issuer/ledger_audit.hpp"
#include "support/paper_ledger.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;
using testing::Json;

namespace {

// The export of the vectors, which ends in notes of the issuer; with our checkpoint key in place of
// the issuer's, what was changed in it can be signed again.
class GoodLedger {
public:
    GoodLedger()
    {
        std::ifstream in(file("ledger_good.txt"), std::ios::binary);
        std::ostringstream out;
        out << in.rdbuf();
        text_ = out.str();
        issuer_ = read_issuer_file(file("issuer.pub")).value();
    }

    static std::string file(const std::string& name)
    {
        return std::string(TALLYCARD_TEST_VECTORS) + "/ledger/" + name;
    }
    const IssuerDescription& issuer() const { return issuer_; }
    const std::string& text() const { return text_; }

    // Signs everything with a key that we have.
    void take_over()
    {
        const auto key = PaperLedger::checkpoint_key();
        const auto old = issuer_.checkpoint_key.to_string();
        text_.replace(text_.find(old), old.size(), key.public_key().to_string());
        issuer_.checkpoint_key = key.public_key();
        const auto lines = lines_of(text_);
        const auto at = std::ranges::find(lines, issuer_.origin + "/deny-list");
        std::array<std::uint8_t, Digest::size> hash{};
        REQUIRE(base64::decode(at[2], hash));
        const auto time = std::chrono::milliseconds(std::stoll(at[3]));
        head_ = DenyListHead{issuer_.origin, std::stoull(at[1]), Digest(hash), Time(time)};
        text_ = sign(text_);
    }
    std::string sign(const std::string& text) const
    {
        return signed_again(text, issuer_.origin, PaperLedger::checkpoint_key(), head_);
    }

    LedgerReport verify(const std::string& text, unsigned threads = 1) const
    {
        const auto path = folder_.file("ledger");
        std::ofstream(path, std::ios::binary) << text;
        return verify_ledger(path, issuer_, {}, {}, threads).value();
    }

private:
    TemporaryFolder folder_;
    std::string text_;
    IssuerDescription issuer_;
    std::optional<DenyListHead> head_;
};

std::vector<std::uint8_t> entry_in(const std::string& line)
{
    return testing::from_hex(line.substr(6));
}

// An audit, one thread's, that can be gone on with from where it is, as often as one wants.
class Audit {
public:
    explicit Audit(const IssuerDescription& issuer) : state_(std::make_unique<State>(issuer)) {}

    void add_card(const std::string& id, const std::string& certificate, const std::string& key)
    {
        REQUIRE(state_->audit.add_card(1, *CardId::parse(id), *Certificate::parse(certificate),
                                       *PublicKey::parse(key)) == nullptr);
        REQUIRE(!state_->checks->fault());
    }
    // The objection to it; nothing of it remains in a copy made before.
    std::optional<std::string> add(const Entry& entry) { return add_to(state_->audit, entry); }
    std::optional<std::string> would_add(const Entry& entry)
    {
        auto copy = state_->audit;
        return add_to(copy, entry);
    }
    const LedgerAudit& audit() const { return state_->audit; }

    // A card, and an account, as entries that the vectors do not have left them.
    void set_standing(const CardId& card_id, const SettledCard& standing)
    {
        const_cast<LedgerAudit::Card&>(state_->audit.cards().at(card_id)).now = standing;
    }
    void set_account(const std::string& name, const PublicKey& key, std::int64_t balance)
    {
        auto& all =
            const_cast<std::map<AccountName, LedgerAccounts::Account>&>(state_->audit.accounts());
        auto& account = all[associated_account(account_named(name))];
        account.balance = balance;
        account.keys = OwnerKeys{.key = key};
    }
    std::int64_t balance(const std::string& name) const
    {
        for (const auto& [known, account] : state_->audit.accounts())
            if (known.to_string() == name) return account.balance;
        return 0;
    }
    LedgerReport list() const
    {
        LedgerReport report;
        state_->audit.list(report);
        return report;
    }

private:
    struct State {
        explicit State(const IssuerDescription& of) : issuer(of), checks(std::in_place, issuer, 1U)
        {
        }
        IssuerDescription issuer;
        std::optional<LedgerChecks> checks;
        LedgerAudit audit{issuer, *checks};
    };

    std::optional<std::string> add_to(LedgerAudit& audit, const Entry& entry)
    {
        const auto* wrong = audit.add_entry(1, entry);
        std::optional<std::string> found;
        if (wrong != nullptr) found = wrong;
        if (state_->checks->fault()) found = state_->checks->fault()->what;
        // A fault stays; another one, without, takes the place of these checks.
        if (found) state_->checks.emplace(state_->issuer, 1U);
        return found;
    }

    std::unique_ptr<State> state_;
};

std::int64_t number(const Json& text)
{
    return std::stoll(text.get<std::string>());
}

Balance balance_of(const Json& text)
{
    return Balance::minor_units(static_cast<std::uint64_t>(number(text)));
}

IssuerDescription issuer_of(const Json& vectors)
{
    IssuerDescription issuer{
        .origin = "vectors.example",
        .currency = {.unit = Unit::from_code(vectors.at("unit")).value(), .exponent = 2},
        .card_root = testing::value<PublicKey>(vectors.at("card_root_public_key")),
        .checkpoint_key = PaperLedger::checkpoint_key().public_key(),
        .operation_keys = {}};
    for (const auto& key : vectors.at("operation_public_keys"))
        issuer.operation_keys.push_back(testing::value<PublicKey>(key));
    return issuer;
}

Entry entry_of(const Json& hex)
{
    return Entry::decode(testing::from_hex(hex)).value();
}

// A result of a card with its operation, delivered with the last entry.
Entry delivered(const Json& json, Time time)
{
    Record record{.operation = Operation::decode(testing::from_hex(json.at("operation"))).value(),
                  .issuer_signature = {},
                  .receipt = {CardResult::decode(testing::from_hex(json.at("result"))).value(),
                              testing::value<Signature>(json.at("card_signature"))}};
    if (!json.at("issuer_signature").is_null())
        record.issuer_signature = testing::value<Signature>(json.at("issuer_signature"));
    if (json.contains("consent") && !json.at("consent").is_null())
        record.consent = testing::value<Signature>(json.at("consent"));
    return {.time = time, .what = DeliveredRecord{record, account_named("till-1")}};
}

// An audit in front of a gap of the vectors.
Audit audit_before(const Json& vectors, const Json& one)
{
    Audit audit(issuer_of(vectors));
    const auto key = vectors.at("operation_public_keys")[0];
    const auto& settled = one.at("settled");
    audit.add_card(one.at("card_id"), one.at("certificate"), key);
    audit.set_standing(
        testing::value<CardId>(one.at("card_id")),
        {.sequence = settled.at("sequence"),
         .balance = balance_of(settled.at("balance")),
         .last_result = testing::value<Digest>(settled.at("result_digest")),
         .state = settled.at("state") == "02" ? CardState::operational : CardState::blocked,
         .operation_key = testing::value<PublicKey>(key)});
    const auto& account = vectors.at("account");
    audit.set_account(account.at("name"), testing::value<PublicKey>(account.at("key")), 100'000);
    return audit;
}

void settle_late(Audit& audit, const Json& late)
{
    const auto time = audit.list().to.value();
    const auto outcome = late.at("outcome").get<std::string>();
    if (outcome != "settles") {
        const auto wrong = audit.would_add(delivered(late, time));
        REQUIRE(wrong);
        CHECK((outcome == "waits") == (*wrong == "the gap has not left that much"));
        CHECK((outcome == "again") == (*wrong == "the sequence has settled already" &&
                                       late.at("what") != "another one for its sequence"));
        return;
    }
    const auto moves = late.at("moves");
    const auto before = audit.audit().accounts();
    CHECK(audit.add(entry_of(late.at("entry"))) == std::nullopt);
    if (moves.empty()) {
        CHECK(before.size() == audit.audit().accounts().size());
        return;
    }
    const auto had = [&](const Json& name) {
        for (const auto& [known, account] : before)
            if (known.to_string() == name) return account.balance;
        return std::int64_t{0};
    };
    CHECK(audit.balance(moves[0]) == had(moves[0]) - number(moves[2]));
    CHECK(audit.balance(moves[1]) == had(moves[1]) + number(moves[2]));
}

Json to_json(const LedgerReport& report)
{
    Json json{{"entries", report.entries},
              {"cards", report.cards},
              {"on_cards", report.on_cards},
              {"recovered", report.recovered},
              {"cash", report.cash},
              {"accounts", report.in_accounts},
              {"outside", report.outside},
              {"unaccounted", report.unaccounted},
              {"losses", Json::object()},
              {"written_off", Json::array()},
              {"denied", Json::array()},
              {"gaps", Json::array()},
              {"unclaimed", Json::object()},
              {"claims", Json::array()},
              {"kinds", Json::object()},
              {"without_the_owner", Json::array()},
              {"from", report.from->time_since_epoch().count()},
              {"to", report.to->time_since_epoch().count()},
              {"root", report.checkpoint.head.root.to_string()}};
    for (const auto& [card, loss] : report.losses) json["losses"][card.to_string()] = loss;
    for (const auto& one : report.written_off)
        json["written_off"].push_back({{"line", one.line},
                                       {"card", one.card.to_string()},
                                       {"account", one.account.text()},
                                       {"amount", one.amount}});
    for (const auto& card : report.denied) json["denied"].push_back(card.to_string());
    for (const auto& gap : report.gaps)
        json["gaps"].push_back({{"line", gap.line},
                                {"card", gap.card.to_string()},
                                {"from", gap.first},
                                {"to", gap.last},
                                {"moved", gap.moved},
                                {"left", gap.left},
                                {"settled_late", gap.settled_late}});
    for (const auto& [name, balance] : report.unclaimed)
        json["unclaimed"][std::string(name.text())] = balance;
    for (const auto& claim : report.claims)
        json["claims"].push_back({{"line", claim.line},
                                  {"time", claim.time.time_since_epoch().count()},
                                  {"account", claim.account.text()},
                                  {"amount", claim.amount}});
    for (const auto& [name, kind] : report.kinds)
        json["kinds"][name] = {{"count", kind.count}, {"sum", kind.sum}};
    for (const auto& act : report.without_the_owner)
        json["without_the_owner"].push_back(
            {{"line", act.line},
             {"time", act.time.time_since_epoch().count()},
             {"kind", name(act.kind)},
             {"account", act.account.text()},
             {"amount", act.amount},
             {"other", act.other ? Json(act.other->text()) : Json()},
             {"reference", act.reference.text()}});
    return json;
}

}  // namespace

TEST_CASE("the export of the vectors is right, and its report is theirs")
{
    const GoodLedger good;
    const auto report = good.verify(good.text(), GENERATE(1U, 2U));
    REQUIRE(!report.fault);
    const auto expected = testing::load_vectors("ledger/report.json");
    const auto found = to_json(report);
    for (const auto& [key, value] : found.items()) {
        INFO(key);
        CHECK(value ==
              (key == "without_the_owner" ? expected.at(key).at("entries") : expected.at(key)));
    }
    CHECK(found.size() == 19);
}

TEST_CASE("the export of the vectors, signed again by another issuer, is right")
{
    GoodLedger good;
    const auto original = lines_of(good.text());
    good.take_over();
    REQUIRE(!good.verify(good.text()).fault);
    const auto lines = lines_of(good.text());
    REQUIRE(lines.size() == original.size());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i] != original[i]) ++changed;
    CHECK(changed == 5);  // the key, three signatures, and the hash of it all
}

TEST_CASE("I12: an entry of which a bit is changed is refused, signed again or not", "[slow]")
{
    GoodLedger good;
    Audit audit(good.issuer());
    std::size_t refused = 0, free = 0;
    for (const auto& line : lines_of(good.text())) {
        std::istringstream words(line);
        std::string word, id, certificate, key;
        words >> word >> id >> certificate >> key;
        if (word == "card") audit.add_card(id, certificate, key);
        if (word != "entry") continue;
        const auto entry = Entry::decode(entry_in(line)).value();
        auto bytes = entry_in(line);
        const auto words_of_platform = [&](const Entry& other) {
            auto same = other;
            same.time = entry.time;
            if (auto* one = std::get_if<DeliveredRecord>(&same.what))
                if (const auto* mine = entry.delivered()) one->terminal = mine->terminal;
            return same == entry;
        };
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1 << bit % 8);
            const auto changed = Entry::decode(bytes);
            bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1 << bit % 8);
            if (changed && words_of_platform(*changed)) {
                ++free;
                continue;
            }
            ++refused;
            if (changed && !audit.would_add(*changed))
                FAIL_CHECK("bit " << bit << " of " << line << " may be changed");
        }
        REQUIRE(!audit.add(entry));
    }
    CHECK(refused > 140'000);
    CHECK(free > 3'000);
}

TEST_CASE("I12: an export in which an entry is changed is refused at its line")
{
    GoodLedger good;
    good.take_over();
    const auto right = lines_of(good.text());
    std::size_t refused = 0;
    for (std::size_t at = 0; at < right.size(); ++at) {
        if (!right[at].starts_with("entry ")) continue;
        for (const std::size_t digit : {std::size_t{60}, right[at].size() - 60}) {
            auto lines = right;
            lines[at][digit] = lines[at][digit] == '0' ? '1' : '0';
            const auto report = good.verify(good.sign(text_of(lines)));
            REQUIRE(report.fault);
            CHECK(report.fault->line == at + 1);
            ++refused;
        }
    }
    CHECK(refused == 2 * 71);
}

TEST_CASE("I23: gaps of the vectors settle, and late results in the order in which they come")
{
    const auto vectors = testing::load_vectors("gaps.json");
    std::size_t late_results = 0;
    for (const auto& one : vectors.at("cases")) {
        INFO(one.at("what"));
        auto audit = audit_before(vectors, one);
        CHECK(audit.add(entry_of(one.at("entries")[0])) == std::nullopt);
        CHECK(audit.balance("account/unaccounted") == number(one.at("moves")));
        CHECK(audit.add(entry_of(one.at("entries")[1])) == std::nullopt);
        const auto now = audit.audit().cards().begin()->second.now;
        const auto& stands = one.at("stands");
        CHECK(now.sequence == stands.at("sequence"));
        CHECK(now.balance == balance_of(stands.at("balance")));
        CHECK(now.last_result == testing::value<Digest>(stands.at("result_digest")));
        CHECK(now.state == CardState::operational);
        for (const auto& late : one.at("late")) {
            INFO(late.at("what"));
            settle_late(audit, late);
            CHECK(audit.list().gaps.at(0).left == number(late.at("left")));
            ++late_results;
        }
    }
    CHECK(late_results == 27);
}

TEST_CASE("the bad gaps of the vectors are refused where the good one settles")
{
    const auto vectors = testing::load_vectors("gaps.json");
    const auto& bad = vectors.at("bad");
    const auto is_right = [&](const Json& encoded) {
        auto audit = audit_before(vectors, bad);
        const auto gap = Gap::decode(testing::from_hex(encoded)).value();
        return !audit.add({.time = {}, .what = gap}) && !audit.add(delivered(bad.at("kept"), {}));
    };
    CHECK(is_right(bad.at("good")));
    std::size_t refused = 0;
    for (const auto& gap : bad.at("gaps")) {
        INFO(gap.at("why"));
        CHECK(!is_right(gap.at("encoded")));
        ++refused;
    }
    CHECK(refused == 22);
}

TEST_CASE("the ledger of the vectors has their leaves, roots, standings and accounts")
{
    const auto vectors = testing::load_vectors("entries.json");
    const auto issuer = issuer_of(vectors);
    const auto key = PaperLedger::checkpoint_key();
    auto text = "tallycard-ledger 1\n" + issuer.to_text();
    for (const auto& card : vectors.at("cards"))
        for (const auto* part : {"card_id", "certificate", "operation_key"})
            text += (part == std::string("card_id") ? "card " : " ") +
                    card.at(part).get<std::string>() +
                    (part == std::string("operation_key") ? "\n" : "");
    merkle::Frontier tree;
    for (const auto& entry : vectors.at("entries")) {
        const auto encoded = testing::from_hex(entry.at("encoded"));
        const auto leaf = merkle::leaf_hash(encoded);
        tree.append(leaf);
        CHECK(leaf.to_string() == entry.at("leaf"));
        CHECK(tree.root().to_string() == entry.at("root"));
        text += "entry " + entry.at("encoded").get<std::string>() + '\n';
    }
    text += "checkpoint\n";
    for (const auto& line : vectors.at("standing_and_account_lines"))
        text += line.get<std::string>() + '\n';
    text += "deny-list\n";
    for (const auto& line : vectors.at("deny_list")) text += line.get<std::string>() + '\n';
    std::string note;
    for (const auto& line : vectors.at("deny_list_note")) note += line.get<std::string>() + '\n';
    text += note + "end\n";

    const auto head = DenyListHead::open(note, issuer.origin,
                                         testing::value<PublicKey>(vectors.at("checkpoint_key")));
    REQUIRE(head);
    const TemporaryFolder folder;
    std::ofstream(folder.file("ledger")) << signed_again(text, issuer.origin, key, *head);
    const auto report = verify_ledger(folder.file("ledger"), issuer).value();
    INFO((report.fault ? std::to_string(report.fault->line) + report.fault->what : ""));
    CHECK(!report.fault);
    CHECK(report.entries == vectors.at("entries").size());
}

TEST_CASE("a deny list is appended to line by line, each of which changes something")
{
    const auto card = testing::bytes_value<CardId>(1);
    DenyList list;
    CHECK(list.hash() == sha256({}));
    CHECK(!list.append({.card = card, .denied = false}));
    CHECK(list.append({.card = card}));
    CHECK(!list.append({.card = card}));
    CHECK(list.is_denied(card));
    const auto copy = list;
    CHECK(list.append({.card = card, .denied = false}));
    CHECK(!list.is_denied(card));
    CHECK(list.lines() == 2);
    CHECK(copy.lines() == 1);
    CHECK(copy.is_denied(card));
    const auto text = '+' + card.to_string() + "\n-" + card.to_string() + '\n';
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    CHECK(list.hash() == sha256({bytes, text.size()}));
    CHECK(copy.hash() == sha256({bytes, text.size() / 2}));
}

TEST_CASE("a line of the deny list is a sign and 32 lower-case digits, nothing else")
{
    const std::string id(32, 'a');
    CHECK(DenyListLine::parse('+' + id)->denied);
    CHECK(!DenyListLine::parse('-' + id)->denied);
    CHECK(DenyListLine::parse('-' + id)->to_string() == '-' + id);
    for (const auto& wrong : {id, ' ' + id, '+' + id + '\n', '+' + id.substr(1), '+' + id + 'a',
                              '+' + std::string(32, 'A'), "++" + id.substr(1), std::string()})
        CHECK(!DenyListLine::parse(wrong));
}

TEST_CASE("a deny list's note is taken in its one form, of the issuer alone")
{
    const auto key = PaperLedger::checkpoint_key();
    const DenyListHead head{.origin = "paper.test",
                            .lines = 7,
                            .hash = sha256({}),
                            .time = Time(std::chrono::milliseconds(1'767'225'600'000))};
    const auto note = head.sign(key).value();
    CHECK(DenyListHead::open(note, "paper.test", key.public_key()).value() == head);
    CHECK(DenyListHead::open(note, "other.test", key.public_key()).error().code ==
          Errc::bad_signature);
    CHECK(DenyListHead::open(note, "paper.test", PaperLedger::signer(Seed::operation).public_key())
              .error()
              .code == Errc::bad_signature);
    const auto opened = [&](const std::string& text) {
        return DenyListHead::open(key.sign_note(text, "paper.test").value(), "paper.test",
                                  key.public_key());
    };
    const auto hash = base64::encode(sha256({}).bytes());
    CHECK(opened("paper.test/deny-list\n0\n" + hash + "\n0\n"));
    CHECK(opened("paper.test/deny-list\n0\n" + hash + "\n9007199254740991\n"));
    for (const auto& wrong :
         {"paper.test/deny-list\n0\n" + hash + "\n9007199254740992\n",
          "paper.test/deny-list\n00\n" + hash + "\n0\n",
          "paper.test/deny-list\n0\n" + hash + "\n-1\n",
          "paper.test/deny-list\n-1\n" + hash + "\n0\n", "paper.test/deny-list\n0\n" + hash + "\n",
          "paper.test/deny-list\n0\n" + hash.substr(1) + "\n0\n",
          "paper.test/deny-list\n0\n" + hash + "\n0\n0\n", "paper.test\n0\n" + hash + "\n0\n",
          "other.test/deny-list\n0\n" + hash + "\n0\n", std::string("paper.test/deny-list\n")})
        CHECK(opened(wrong).error().code == Errc::malformed);
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * note.size(); ++bit) {
        auto flipped = note;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        if (!DenyListHead::open(flipped, "paper.test", key.public_key())) ++refused;
    }
    CHECK(refused == 8 * note.size());
}
