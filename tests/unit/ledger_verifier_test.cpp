// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <fstream>

#include "crypto/ed25519.hpp"
#include "issuer/files.hpp"
#include "issuer/ledger_audit.hpp"
#include "support/test_export.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::size_t line_with(const std::vector<std::string>& lines, std::string_view start, int skip = 0)
{
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i].starts_with(start) && skip-- == 0) return i;
    FAIL("no such line: " << start);
    return 0;
}

// One line changed, then all signed again: the fault must be found there.
template <class Change>
LedgerFault fault_at(std::string_view start, int skip, Change&& change)
{
    Export exported;
    auto lines = Export::lines(exported.text());
    const auto at = line_with(lines, start, skip);
    change(lines, at);
    const auto report = exported.verify(exported.sign_again(Export::join(lines)));
    REQUIRE(report.fault);
    INFO(report.fault->what);
    CHECK(report.fault->line == at + 1);
    return *report.fault;
}

Entry entry_of(const std::string& line)
{
    std::vector<std::uint8_t> bytes((line.size() - 6) / 2);
    REQUIRE(detail::from_hex(std::string_view(line).substr(6), bytes));
    return Entry::decode(bytes).value();
}

template <class Change>
auto record_with(Change change)
{
    return [change](std::vector<std::string>& lines, std::size_t at) {
        auto entry = entry_of(lines[at]);
        change(std::get<DeliveredRecord>(entry.what).record);
        lines[at] = "entry " + to_hex(entry.encode());
    };
}

}  // namespace

TEST_CASE("a ledger that is right has no fault, and its sums are the books'")
{
    Export exported;
    const auto report = exported.verify(exported.text());
    REQUIRE(!report.fault);
    REQUIRE(report.cards == 2);
    REQUIRE(report.entries == 5);
    REQUIRE(report.accounts == 4);
    REQUIRE(report.on_cards == 3470);
    REQUIRE(report.in_accounts == 1230);
    REQUIRE(report.cash == -4700);
    REQUIRE(report.checkpoint.head.size == 5);
    REQUIRE(exported.verify(exported.sign_again(exported.text())).fault == std::nullopt);
}

TEST_CASE("an empty ledger has no fault")
{
    TestIssuer issuer;
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    REQUIRE(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("I12: every flipped bit of an export is found", "[file]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto text = files::read(path, longest_export).value();
    std::size_t found = 0;
    for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
        auto flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        std::ofstream(path, std::ios::binary) << flipped;
        if (verify_ledger(path, issuer.description(), {}, {}, 1).value().fault) ++found;
    }
    REQUIRE(text.size() > 1'500);
    REQUIRE(found == 8 * text.size());
}

TEST_CASE("an export that was cut anywhere, or goes on, is not taken")
{
    Export exported;
    const auto& text = exported.text();
    std::size_t found = 0;
    for (std::size_t size = 0; size < text.size(); size += 7)
        if (exported.verify(text.substr(0, size)).fault) ++found;
    REQUIRE(found == (text.size() + 6) / 7);
    REQUIRE(exported.verify(text + "\n").fault->what == "something follows the end");
    REQUIRE(exported.verify(text + "x").fault);
}

TEST_CASE("an issuer's signature that does not verify is named with card and sequence")
{
    const auto fault = fault_at(
        "entry ", 3, record_with([](Record& record) { record.issuer_signature = Signature{}; }));
    REQUIRE(fault.what == "the issuer's signature does not verify under the card's operation key");
    REQUIRE(fault.card == id_of<CardId>(1));
    REQUIRE(fault.sequence == 3);
}

TEST_CASE("a card's signature that does not verify is named")
{
    const auto fault =
        fault_at("entry ", 2,
                 record_with([](Record& record) { record.receipt.card_signature = Signature{}; }));
    REQUIRE(fault.what == "the card's signature does not verify");
    REQUIRE(fault.sequence == 2);
}

TEST_CASE("a payment made larger is named")
{
    const auto fault = fault_at("entry ", 2, record_with([](Record& record) {
                                    record.operation.amount = Amount::minor_units(-1231);
                                }));
    REQUIRE(fault.what == "the result is not that of the operation");
}

TEST_CASE("a record left out, or given twice, is named where the card's sequence breaks")
{
    auto fault = fault_at("entry ", 2, [](auto& lines, std::size_t at) {
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    });
    REQUIRE(fault.what == "the sequence is not the card's next one");
    REQUIRE(fault.sequence == 3);
    fault = fault_at("entry ", 3, [](auto& lines, std::size_t at) { lines[at] = lines[at - 1]; });
    REQUIRE(fault.what == "the sequence is not the card's next one");
}

TEST_CASE("a balance that does not follow is named before any signature")
{
    const auto fault = fault_at("entry ", 2, record_with([](Record& record) {
                                    record.receipt.result.balance = Balance::minor_units(5000);
                                }));
    REQUIRE(fault.what == "the balance does not follow");
}

TEST_CASE("a chain or a state that does not follow is named")
{
    auto fault = fault_at("entry ", 2, record_with([](Record& record) {
                              record.receipt.result.previous_result = Digest{};
                          }));
    REQUIRE(fault.what == "the result does not continue the card's chain");
    fault = fault_at("entry ", 4, record_with([](Record& record) {
                         record.receipt.result.state = CardState::operational;
                     }));
    REQUIRE(fault.what == "the state does not follow");
}

TEST_CASE("a certificate of another card gives a key under which nothing verifies")
{
    Export exported;
    auto lines = Export::lines(exported.text());
    const auto a = line_with(lines, "card "), b = a + 1;
    const auto certificate_a = lines[a].substr(38, 64), certificate_b = lines[b].substr(38, 64);
    lines[a].replace(38, 64, certificate_b);
    const auto report = exported.verify(exported.sign_again(Export::join(lines)));
    REQUIRE(report.fault->what == "the card's signature does not verify");
    REQUIRE(report.fault->line == line_with(lines, "entry ") + 1);
    REQUIRE(certificate_a != certificate_b);
}

TEST_CASE("a card of an operation key that the auditor has not pinned is named")
{
    const auto fault = fault_at("card ", 0, [](auto& lines, std::size_t at) {
        lines[at].replace(lines[at].size() - 64, 64, ed25519::public_key(seed(66)).to_string());
    });
    REQUIRE(fault.what == "the operation key is not one of the issuer's");
}

TEST_CASE("I1: an account that is overdrawn is a fault, though the sums agree")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto& keys = issuer.description().operation_keys;
    LedgerChecks checks(issuer.description(), 1);
    LedgerAudit audit(issuer.description(), checks);
    REQUIRE(audit.add_card(1, card.id(), card.certificate(), keys.front()) == nullptr);

    const Operation operation{.kind = Kind::transfer_in,
                              .card_id = card.id(),
                              .sequence = 1,
                              .amount = Amount::minor_units(100),
                              .unit = issuer.description().currency.unit,
                              .nonce = id_of<Nonce>(1),
                              .account = holder_account(card.id()),
                              .parameter = {}};
    const auto signature = SoftwareOperationSigner(seed(1)).sign(operation).value();
    const auto receipt = card.execute({operation, signature});
    const Entry entry{
        {}, DeliveredRecord{{operation, signature, receipt, std::nullopt}, account_id("T1")}};
    const auto* objection = audit.add_entry(2, entry);
    REQUIRE(!checks.fault());
    REQUIRE(objection != nullptr);
    CHECK(std::string(objection) == "the account does not hold that much");
}

TEST_CASE("an account that is not what the entries say is named")
{
    auto fault = fault_at("account associated shop", 0, [](auto& lines, std::size_t at) {
        lines[at] = "account associated shop 1231 0 -";
    });
    REQUIRE(fault.what == "the account's balance is not what the entries say");
    fault = fault_at("account associated shop", 0,
                     [](auto& lines, std::size_t at) { lines[at] = "account associated x 0 0 -"; });
    REQUIRE(fault.what == "an account that the entries name is missing");
    fault = fault_at("account cash T1", 0,
                     [](auto& lines, std::size_t at) { lines[at] = "account cash T1 -4699 0 -"; });
    REQUIRE(fault.what == "the account's balance is not what the entries say");
}

TEST_CASE("a standing that is not what the entries say is named")
{
    const auto fault = fault_at("standing ", 0, [](auto& lines, std::size_t at) {
        const auto where = lines[at].find(" 2770 ");
        REQUIRE(where != std::string::npos);
        lines[at].replace(where, 6, " 9999 ");
    });
    REQUIRE(fault.what == "the standing is not what the entries say");
    REQUIRE(fault.card == id_of<CardId>(1));
}

TEST_CASE("a ledger of another issuer is not this issuer's")
{
    Export exported;
    auto issuer = exported.issuer().description();
    issuer.origin = "other.test";
    const auto report = verify_ledger(exported.path(), issuer).value();
    REQUIRE(report.fault->line == 3);  // its origin
    REQUIRE(verify_ledger(exported.path() + "-none", issuer).error().code == Errc::file_missing);
}

TEST_CASE("an export must continue the checkpoint that the auditor knows")
{
    Export exported;
    const auto& issuer = exported.issuer().description();
    const auto verify_with = [&](const Checkpoint& known) {
        return verify_ledger(exported.path(), issuer, known).value().fault;
    };
    const auto first = exported.verify(exported.text()).checkpoint;
    auto card = exported.issuer().make_card();
    exported.issuer().run(card, Kind::top_up, 1);
    const auto shorter = exported.text();
    exported.export_again();
    REQUIRE(!verify_with(first));
    const auto second = exported.verify(exported.text()).checkpoint;
    auto other = first;
    other.head.root = Digest{};
    REQUIRE(verify_with(other)->what ==
            "the ledger does not continue the checkpoint that is known");
    files::replace(exported.path(), shorter).value();
    REQUIRE(verify_with(second)->what == "the ledger is behind the checkpoint that is known");
}
