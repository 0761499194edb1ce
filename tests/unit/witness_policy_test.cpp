// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/witness_policy.hpp>

#include "issuer/signed_note.hpp"
#include "support/witness_keys.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// A checkpoint that these witnesses cosigned.
std::string note_of(std::initializer_list<unsigned> witnesses, std::uint64_t time = 1000)
{
    auto note =
        Checkpoint{"issuer.test", {.size = 5, .root = {}}}.sign(CheckpointKey(seed(3))).value();
    const std::string text(SignedNote::parse(note).value().text);
    for (const auto n : witnesses) note += witness_key(n).cosign(text, time + n);
    return note;
}

Errc refusal(const WitnessPolicy& policy, const std::string& note)
{
    const auto checked = policy.check(note);
    REQUIRE(!checked);
    return checked.error().code;
}

std::string witness_line(const char* name, unsigned n)
{
    return std::string("witness ") + name + ' ' + witness_key(n).verifier().to_string() + '\n';
}

}  // namespace

TEST_CASE("k of n witnesses are enough, and one fewer is not")
{
    const auto policy = WitnessPolicy::parse(policy_text(2, 3)).value();
    REQUIRE(policy.witnesses().size() == 3);
    const auto found = policy.check(note_of({3, 1})).value();
    REQUIRE(found.size() == 2);
    CHECK(found[0].witness == 0);
    CHECK(found[0].time == 1001);
    CHECK(found[1].witness == 2);
    CHECK(policy.check(note_of({1, 2, 3})));
    CHECK(refusal(policy, note_of({1})) == Errc::witnesses_missing);
    CHECK(refusal(policy, note_of({})) == Errc::witnesses_missing);
}

TEST_CASE("one witness that signs twice counts once, with its newest time")
{
    const auto policy = WitnessPolicy::parse(policy_text(2, 3)).value();
    const auto twice = note_of({1, 1});
    CHECK(refusal(policy, twice) == Errc::witnesses_missing);
    const auto newer = note_of({1}, 5000);
    const auto both = twice + newer.substr(note_of({}).size());
    const auto found = policy.cosignatures(both).value();
    REQUIRE(found.size() == 1);
    CHECK(found[0].time == 5001);
}

TEST_CASE(
    "signatures of strangers are passed over, and one that a known witness did not make "
    "refuses the note")
{
    const auto policy = WitnessPolicy::parse(policy_text(1, 2)).value();
    CHECK(policy.check(note_of({7, 1, 8})).value().size() == 1);
    CHECK(refusal(policy, note_of({7, 8})) == Errc::witnesses_missing);
    // Witness 2's name and id before what it signed elsewhere.
    const std::string other = "issuer.test\n6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    const auto forged = note_of({1}) + witness_key(2).cosign(other, 1000);
    CHECK(refusal(policy, forged) == Errc::bad_signature);
    CHECK(refusal(policy, "no note") == Errc::malformed);
}

TEST_CASE("groups of groups: two of one house and any of the other")
{
    std::string text = "# two houses\n\n";
    for (const auto& [name, n] : {std::pair{"x1", 1U}, {"x2", 2U}, {"x3", 3U}, {"y1", 4U}})
        text += witness_line(name, n);
    text += "\twitness  y2\t" + witness_key(5).verifier().to_string() + " https://y2.test \n";
    text += "group x 2 x1 x2 x3\ngroup y any y1 y2\ngroup both all x y\nquorum both\n";
    const auto policy = WitnessPolicy::parse(text).value();
    CHECK(policy.witnesses()[4].url == "https://y2.test");
    CHECK(policy.check(note_of({1, 3, 5})));
    CHECK(policy.check(note_of({2, 3, 4, 5})));
    CHECK(!policy.check(note_of({1, 2, 3})));
    CHECK(!policy.check(note_of({1, 4, 5})));
}

TEST_CASE("a quorum may be one witness, or none")
{
    const auto one =
        WitnessPolicy::parse(witness_line("a", 1) + witness_line("b", 2) + "quorum b").value();
    CHECK(one.check(note_of({2})));
    CHECK(!one.check(note_of({1})));
    const auto nobody = WitnessPolicy::parse("quorum none\n").value();
    CHECK(nobody.check(note_of({})).value().empty());
    const auto unused =
        WitnessPolicy::parse(policy_text(2, 2).substr(0, policy_text(2, 2).find("quorum")) +
                             "quorum none\n")
            .value();
    CHECK(unused.check(note_of({})));
}

TEST_CASE("a policy that is not one is refused at its line")
{
    const auto line_of = [](const std::string& text) -> std::uint32_t {
        const auto policy = WitnessPolicy::parse(text);
        REQUIRE(!policy);
        REQUIRE(policy.error().code == Errc::file_malformed);
        return policy.error().detail;
    };
    const auto a = witness_line("a", 1), b = witness_line("b", 2);
    auto log = witness_key(1).verifier();
    log.type = NoteKeyType::log;
    const std::string log_line = "log " + log.to_string() + "\n";

    CHECK(line_of("") == 0);
    CHECK(line_of(a + b) == 2);                                  // no quorum
    CHECK(line_of(a + "quorum a\nquorum a\n") == 3);             // two
    CHECK(line_of(a + "quorum c\n") == 2);                       // of a stranger
    CHECK(line_of("quorum a\n" + a) == 1);                       // that comes later
    CHECK(line_of(a + a + "quorum a\n") == 2);                   // a key, twice
    CHECK(line_of(a + witness_line("a", 2) + "quorum a") == 2);  // a name, twice
    CHECK(line_of(witness_line("none", 1) + "quorum none") == 1);
    CHECK(line_of("witness a " + log.to_string() + "\nquorum a\n") == 1);
    CHECK(line_of("log " + witness_key(1).verifier().to_string() + "\nquorum none\n") == 1);
    CHECK(line_of(log_line + log_line + "quorum none\n") == 2);
    for (const auto* wanted : {"0", "3", "01", "-1", "some", "2x"})
        CHECK(line_of(a + b + "group g " + wanted + " a b\nquorum g\n") == 3);
    CHECK(line_of(a + b + "group g 1 a a\nquorum g\n") == 3);
    CHECK(line_of(a + b + "group g all a b\ngroup h any a\nquorum h\n") == 4);
    CHECK(line_of(a + "group g any g\nquorum g\n") == 2);
    CHECK(line_of(a + "group g any\nquorum g\n") == 2);
    CHECK(line_of(a + "group a any a\nquorum a\n") == 2);
    CHECK(line_of(a + "what\nquorum a\n") == 2);
    CHECK(line_of(a + "quorum a\r\n") == 2);
    CHECK(line_of("quorum none again\n") == 1);
    REQUIRE(WitnessPolicy::parse(log_line + a + "quorum a\n").value().logs().size() == 1);
}
