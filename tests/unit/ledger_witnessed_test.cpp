// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "issuer/signed_note.hpp"
#include "support/test_export.hpp"
#include "support/witness_keys.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// An export that holds a checkpoint on the entries that there were when it was made, cosigned by
// witnesses 1 and 3 of three.
class WitnessedExport : public Export {
public:
    WitnessedExport()
    {
        cosigned = cosign(issuer()->checkpoint(issuer().checkpoint_key()).value());
        export_it();
    }
    static std::string cosign(std::string note)
    {
        const std::string text(SignedNote::parse(note).value().text);
        for (const auto n : {1U, 3U}) note += witness_key(n).cosign(text, 1000 + n);
        return note;
    }
    void export_it()
    {
        issuer()->export_ledger(path(), issuer().checkpoint_key(), cosigned).value();
        exported = files::read(path(), longest_export).value();
    }
    LedgerReport audit(const std::string& text, unsigned wanted,
                       std::uint64_t unwitnessed = 0) const
    {
        return verify(text,
                      WitnessDemand{.policy = WitnessPolicy::parse(policy_text(wanted, 3)).value(),
                                    .most_unwitnessed = unwitnessed});
    }
    std::string fault(const std::string& text, unsigned wanted, std::uint64_t unwitnessed = 0) const
    {
        const auto report = audit(text, wanted, unwitnessed);
        REQUIRE(report.fault);
        return report.fault->what;
    }

    std::string cosigned, exported;
};

}  // namespace

TEST_CASE("an auditor who demands two of three witnesses is shown that two have seen the ledger")
{
    WitnessedExport it;
    const auto report = it.audit(it.exported, 2);
    REQUIRE(!report.fault);
    REQUIRE(report.witnessed);
    CHECK(report.witnessed->entries == 5);
    REQUIRE(report.witnessed->cosignatures.size() == 2);
    CHECK(report.witnessed->cosignatures[1].witness == 2);
    CHECK(report.witnessed->cosignatures[1].time == 1003);
    CHECK(!it.verify(it.exported).fault);  // and who demands none is content, too
    CHECK(!it.verify(it.exported).witnessed);
}

TEST_CASE("too few witnesses, or none, are a fault where they are demanded")
{
    WitnessedExport it;
    CHECK(it.fault(it.exported, 3) ==
          "too few witnesses of the policy have cosigned the checkpoint");
    CHECK(it.fault(it.text(), 1) == "no witness has cosigned a checkpoint of this ledger");
}

TEST_CASE("entries behind the cosigned checkpoint are allowed as far as the auditor says")
{
    WitnessedExport it;
    auto card = it.issuer().make_card();
    for (int i = 0; i < 2; ++i) it.issuer().run(card, Kind::top_up, 10);
    it.export_it();
    CHECK(it.audit(it.exported, 2, 2).witnessed->entries == 5);
    CHECK(!it.audit(it.exported, 2, 2).fault);
    CHECK(it.fault(it.exported, 2, 1) ==
          "more entries follow the cosigned checkpoint than may be unwitnessed");
    CHECK(it.fault(it.exported, 2) ==
          "more entries follow the cosigned checkpoint than may be unwitnessed");
}

TEST_CASE("an issuer who shows the auditor another ledger than the witnesses is found out")
{
    WitnessedExport it;
    const auto forked = [&](std::uint64_t size, const Digest& root) {
        const Checkpoint other{"issuer.test", {.size = size, .root = root}};
        const auto note = WitnessedExport::cosign(other.sign(it.issuer().checkpoint_key()).value());
        auto text = it.exported;
        text.replace(text.find(it.cosigned), it.cosigned.size(), note);
        return it.sign_again(text);
    };
    const auto head = it.issuer()->ledger_head().value();
    CHECK(!it.audit(forked(5, head.root), 2).fault);
    CHECK(it.fault(forked(5, Digest{}), 2) ==
          "the ledger does not continue the checkpoint that was cosigned");
    CHECK(it.fault(forked(3, head.root), 2, 5) ==
          "the ledger does not continue the checkpoint that was cosigned");
    CHECK(it.fault(forked(0, head.root), 2, 5) ==
          "the ledger does not continue the checkpoint that was cosigned");
    CHECK(it.fault(forked(6, head.root), 2) ==
          "the ledger is behind the checkpoint that was cosigned");
    // Whether witnesses are demanded or not.
    CHECK(it.verify(forked(5, Digest{})).fault);
}

TEST_CASE(
    "a cosigned checkpoint with a signature that is not right is a fault, whoever signs again")
{
    WitnessedExport it;
    const auto with = [&](const std::string& note) {
        auto text = it.exported;
        text.replace(text.find(it.cosigned), it.cosigned.size(), note);
        return it.sign_again(text);
    };
    auto damaged = it.cosigned;
    damaged[damaged.size() - 9] = damaged[damaged.size() - 9] == 'A' ? 'B' : 'A';
    CHECK(it.fault(with(damaged), 1) == "a witness's cosignature does not verify");
    const auto text = std::string(SignedNote::parse(it.cosigned).value().text);
    CHECK(it.fault(with(text + "\n" + witness_key(1).cosign(text, 1)), 1) ==
          "the issuer's signature of the cosigned checkpoint is not right");
    // A stranger's line is passed over.
    CHECK(!it.audit(with(it.cosigned + witness_key(8).cosign(text, 1)), 2).fault);
}

TEST_CASE("only a checkpoint of this ledger is exported as cosigned, and signatures that fit")
{
    WitnessedExport it;
    const auto key = [&] { return it.issuer().checkpoint_key().public_key(); };
    const auto refused = [&](const std::string& note) {
        const auto made = it.issuer()->export_ledger(it.path(), it.issuer().checkpoint_key(), note);
        REQUIRE(!made);
        return made.error().code;
    };
    const auto sign = [&](const Checkpoint& checkpoint) {
        return checkpoint.sign(it.issuer().checkpoint_key()).value();
    };
    CHECK(refused(sign({"issuer.test", {.size = 5, .root = Digest{}}})) == Errc::ledger_behind);
    CHECK(refused(sign({"issuer.test", {.size = 9, .root = Digest{}}})) == Errc::ledger_behind);
    CHECK(refused("nonsense") == Errc::malformed);
    CHECK(refused(Checkpoint{"issuer.test", {}}.sign(CheckpointKey(seed(77))).value()) ==
          Errc::bad_signature);
    const NoteKey large{.name = "large.test", .type = NoteKeyType::witness, .key = key()};
    it.cosigned += signature_line(large, std::vector<std::uint8_t>(2428));
    it.export_it();
    CHECK(!it.audit(it.exported, 2).fault);
    CHECK(it.exported.find("large.test") == std::string::npos);
}
