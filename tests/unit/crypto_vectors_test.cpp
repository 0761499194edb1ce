// SPDX-License-Identifier: Apache-2.0
// docs/protocol.md, section 4, against the project's vectors, RFC 8032's, and those of others.
#include <tallycard/record.hpp>
#include <tallycard/verify.hpp>

#include <catch2/catch.hpp>

#include <sodium/crypto_sign_ed25519.h>

#include "../../src/crypto/card_derivation.hpp"
#include "../../src/crypto/card_signer.hpp"
#include "../../src/crypto/ed25519.hpp"
#include "../../src/crypto/signed_message.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/wire.hpp"
#include "support/secrets.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;

namespace {

CardSigner signer_of(const Json& card)
{
    return CardSigner(secret<CardScalar>(card["S"]), secret<NonceSecret>(card["z"]));
}

// The strict rule on a message that carries its own tag, or none: as the external vectors have it.
bool verifies(const Bytes& message, const Bytes& key, const Bytes& signature)
{
    if (key.size() != PublicKey::size || signature.size() != Signature::size) return false;
    return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(),
                                               key.data()) == 0;
}

}  // namespace

TEST_CASE("the self-test accepts this libsodium", "[crypto]")
{
    REQUIRE(self_test());
}

TEST_CASE("both sides derive the same card key", "[crypto]")
{
    int seen = 0;
    for (const auto& v : load_vectors("keys.json", "derivations")) {
        SoftwareCardRoot root(secret<KeySeed>(v["root_seed"]));
        const auto card_id = value<CardId>(v["card_id"]);
        CHECK(root.public_key() == value<PublicKey>(v["A"]));
        // With RFC 8032's nonce, as a token makes it.
        const auto signature = ed25519::sign_secret(secret<KeySeed>(v["root_seed"]), {},
                                                    wire::domain::card_key, card_id.bytes());
        const auto key = card_key_from(signature, root.public_key(), card_id);
        REQUIRE(key);
        CHECK(key->certificate == value<Certificate>(v["R"]));
        CHECK(bytes_of(key->scalar.reveal()) == from_hex(v["S"]));
        CHECK(key->public_key == value<PublicKey>(v["P"]));
        const auto derived =
            derive_card_public_key(root.public_key(), card_id, value<Certificate>(v["R"]));
        REQUIRE(derived);
        CHECK(*derived == value<PublicKey>(v["P"]));
        auto z = std::string(64, '0');
        const CardSigner card(secret<CardScalar>(v["S"]), secret<NonceSecret>(Json(z)));
        CHECK(card.public_key() == *derived);
        ++seen;
    }
    CHECK(seen >= 8);
}

TEST_CASE("a root key or certificate outside the prime-order group is refused", "[crypto]")
{
    int refused = 0;
    for (const auto& v : load_vectors("keys.json", "reject")) {
        CAPTURE(v["why"].get<std::string>());
        const auto key = derive_card_public_key(
            value<PublicKey>(v["A"]), value<CardId>(v["card_id"]), value<Certificate>(v["R"]));
        REQUIRE_FALSE(key);
        CHECK(key.error().code == Errc::bad_signature);
        ++refused;
    }
    CHECK(refused == 11);
}

TEST_CASE("issuer and card make the vectors' signatures, and they verify", "[crypto]")
{
    const auto vectors = load_vectors("operations.json");
    const auto key = value<PublicKey>(vectors["operation_public_key"]);
    SoftwareOperationSigner issuer(secret<KeySeed>(vectors["operation_seed"]));
    CHECK(issuer.public_key() == key);
    const auto card = signer_of(vectors["card"]);
    for (const auto& v : vectors["operations"]) {
        const auto op = *Operation::decode(from_hex(v["encoded"]));
        if (v.contains("issuer_signature")) {
            const auto signature = issuer.sign(op);
            REQUIRE(signature);
            CHECK(*signature == value<Signature>(v["issuer_signature"]));
            CHECK(verify(FirstInstruction{op, *signature}, key));
        }
        if (!v.contains("second_instruction")) continue;
        const auto fresh = from_hex(v["second_instruction"]["fresh"]);
        const auto second =
            *SecondInstruction::decode(from_hex(v["second_instruction"]["encoded"]));
        const auto signature =
            card.sign_with(wire::domain::request, op.encode(), std::span(fresh).first<32>());
        REQUIRE(signature);
        CHECK(*signature == second.card_signature);
        CHECK(verify(second, card.public_key()));
    }
}

TEST_CASE("a root key in software makes another key each time, and each is the card's", "[crypto]")
{
    SoftwareCardRoot root(secret_of<KeySeed>(7));
    const auto card_id = bytes_value<CardId>(0x21);
    const auto one = root.derive(card_id).value(), other = root.derive(card_id).value();
    CHECK(one.certificate != other.certificate);
    CHECK(one.public_key != other.public_key);
    for (const auto* key : {&one, &other})
        CHECK(derive_card_public_key(root.public_key(), card_id, key->certificate).value() ==
              key->public_key);
}

TEST_CASE("results, statements and records carry signatures that verify", "[crypto]")
{
    const auto vectors = load_vectors("results.json");
    const auto card = signer_of(vectors["card"]);
    for (const auto& v : vectors["results"]) {
        const auto receipt = *Receipt::decode(from_hex(v["third_instruction"]));
        const auto fresh = from_hex(v["fresh"]);
        CHECK(*card.sign_with(wire::domain::result, receipt.result.encode(),
                              std::span(fresh).first<32>()) == receipt.card_signature);
        CHECK(verify(receipt, card.public_key()));
    }
    for (const auto& v : vectors["state_statements"]) {
        const auto statement = *StateStatement::decode(from_hex(v["encoded"]));
        CHECK(verify(statement, value<Signature>(v["card_signature"]), card.public_key()));
    }
    const auto keys = load_vectors("entries.json", "operation_public_keys");
    for (const auto& v : testing::card_entries()) {
        const Receipt receipt{*CardResult::decode(from_hex(v["result"])),
                              value<Signature>(v["card_signature"])};
        CHECK(verify(receipt, card.public_key()));
        if (v["issuer_signature"].is_null()) continue;
        const FirstInstruction first{*Operation::decode(from_hex(v["operation"])),
                                     value<Signature>(v["issuer_signature"])};
        const bool verifies = verify(first, value<PublicKey>(keys[0])).has_value() ||
                              verify(first, value<PublicKey>(keys[1])).has_value();
        CHECK(verifies);
    }
}

TEST_CASE("signatures that only a lenient verifier accepts are refused", "[crypto]")
{
    int refused = 0;
    for (const auto& v : load_vectors("signatures.json", "reject")) {
        CAPTURE(v["why"].get<std::string>());
        const auto message = from_hex(v["message"]);
        CHECK_FALSE(ed25519::verify(value<Signature>(v["signature"]), {}, message,
                                    value<PublicKey>(v["public_key"])));
        ++refused;
    }
    CHECK(refused == 15);
}

TEST_CASE("RFC 8032's Ed25519 test vectors", "[crypto]")
{
    int seen = 0;
    for (const auto& v : load_vectors("rfc8032.json", "vectors")) {
        CAPTURE(v["name"].get<std::string>());
        const auto seed = secret<KeySeed>(v["seed"]);
        CHECK(ed25519::public_key(seed) == value<PublicKey>(v["public_key"]));
        const auto message = from_hex(v["message"]);
        CHECK(verifies(message, from_hex(v["public_key"]), from_hex(v["signature"])));
        ++seen;
        if (message.size() > SignedMessage::max_object) continue;
        const auto signature = ed25519::sign(seed, {}, message);
        CHECK(signature == value<Signature>(v["signature"]));
        CHECK(ed25519::verify(signature, {}, message, ed25519::public_key(seed)));
    }
    CHECK(seen == 5);
}

TEST_CASE("Wycheproof's Ed25519 cases under the strict rule", "[crypto][external]")
{
    const auto file = external_vectors("wycheproof_ed25519_test.json");
    if (!file) {
        WARN("skipped: Wycheproof's vectors are not here (TALLYCARD_EXTERNAL_VECTORS)");
        return;
    }
    int seen = 0;
    const auto vectors = read_json(*file);
    for (const auto& group : vectors["testGroups"]) {
        const auto key = from_hex(group["publicKey"]["pk"]);
        for (const auto& test : group["tests"]) {
            CAPTURE(test["tcId"].get<int>());
            CHECK(verifies(from_hex(test["msg"]), key, from_hex(test["sig"])) ==
                  (test["result"] == "valid"));
            ++seen;
        }
    }
    CHECK(seen == 151);
}

// What the strict, cofactorless rule says of each: small-order A or R (0, 1, 2, 6 to 11 by their
// encoding or group) and the cofactored-only 4 and 5 are refused; 3 has mixed-order A and R, is
// canonical and holds without the cofactor.
TEST_CASE("the 12 cases of ed25519-speccheck under the strict rule", "[crypto][external]")
{
    const auto file = external_vectors("ed25519_speccheck_cases.json");
    if (!file) {
        WARN("skipped: speccheck's vectors are not here (TALLYCARD_EXTERNAL_VECTORS)");
        return;
    }
    std::string verdicts;
    for (const auto& v : read_json(*file))
        verdicts +=
            verifies(from_hex(v["message"]), from_hex(v["pub_key"]), from_hex(v["signature"]))
                ? 'Y'
                : '-';
    CHECK(verdicts == "---Y--------");
}
