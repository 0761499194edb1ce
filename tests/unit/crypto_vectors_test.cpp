// SPDX-License-Identifier: Apache-2.0
// The signatures of docs/protocol.md, section 4, and docs/accounts.md, section 2, against the
// project's vectors, RFC 8032's, and those of others.
#include <tallycard/entry.hpp>
#include <tallycard/verify.hpp>

#include <algorithm>
#include <deque>
#include <map>

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

// True where any of the issuer's operation keys in the file signed this.
template <class Signed>
bool verifies_under_any(const Signed& object, const Json& keys)
{
    return std::ranges::any_of(
        keys, [&](const Json& key) { return verify(object, value<PublicKey>(key)).has_value(); });
}

// The owners of the accounts of entries.json, entry by entry.
class Owners {
public:
    explicit Owners(const Json& ledger) : root_(value<PublicKey>(ledger["card_root_public_key"]))
    {
        for (const auto& seed : ledger["account_seeds"])
            signers_.emplace_back(secret<KeySeed>(seed));
    }
    // Also sets the key that the order sets.
    void check(const AccountOrder& order, const Signature& owner)
    {
        auto& keys = keys_[order.account];
        const bool proves_possession = sets_key(order.kind) && order.kind != OrderKind::replace_key;
        const auto key = proves_possession ? order.key.value() : keys.in_force.value();
        CHECK(verify_owner(order, owner, root_, key));
        CHECK(signer(key).sign(root_, order).value() == owner);
        if (!order.key) return;
        keys.replaced = order.kind == OrderKind::open ? std::nullopt : keys.in_force;
        keys.in_force = order.key;
    }
    // Counts under the key in force and under the one that this key replaced.
    void check(const Operation& operation, const Signature& consent)
    {
        const auto& keys = keys_.at(operation.account.value());
        for (const auto& key : {keys.in_force, keys.replaced}) {
            if (!key || !verify_consent(operation, consent, root_, *key)) continue;
            CHECK(signer(*key).consent(root_, operation).value() == consent);
            return;
        }
        FAIL_CHECK("no key of the account");
    }

private:
    struct Keys {
        std::optional<PublicKey> in_force, replaced;
    };
    SoftwareAccountSigner& signer(const PublicKey& key)
    {
        const auto found =
            std::ranges::find_if(signers_, [&](auto& one) { return one.public_key() == key; });
        REQUIRE(found != signers_.end());
        return *found;
    }
    PublicKey root_;
    std::deque<SoftwareAccountSigner> signers_;
    std::map<AccountId, Keys> keys_;
};

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

TEST_CASE("results and statements carry signatures that verify", "[crypto]")
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
}

TEST_CASE("owner and issuer make the vectors' signatures of account orders, and they verify",
          "[crypto]")
{
    const auto vectors = load_vectors("account_orders.json");
    const auto root = value<PublicKey>(vectors["card_root_public_key"]);
    const auto key = value<PublicKey>(vectors["operation_public_key"]);
    SoftwareOperationSigner issuer(secret<KeySeed>(vectors["operation_seed"]));
    int owners = 0, alone = 0;
    for (const auto& v : vectors["orders"]) {
        CAPTURE(v["fields"].dump());
        const auto record = AccountRecord::decode(from_hex(v["account_record"])).value();
        CHECK(issuer.sign(record.order, record.owner_signature).value() == record.issuer_signature);
        CHECK(verify(record, key));
        if (!record.owner_signature) {
            ++alone;
            continue;
        }
        SoftwareAccountSigner owner(secret<KeySeed>(v["owner"]["seed"]));
        CHECK(owner.public_key() == value<PublicKey>(v["owner"]["public_key"]));
        CHECK(owner.sign(root, record.order).value() == *record.owner_signature);
        CHECK(verify_owner(record.order, *record.owner_signature, root, owner.public_key()));
        CHECK_FALSE(verify_owner(record.order, *record.owner_signature, key, owner.public_key()));
        auto without = record;
        without.owner_signature.reset();
        CHECK_FALSE(verify(without, key));
        ++owners;
    }
    CHECK(owners == 13);
    CHECK(alone == 15);
}

TEST_CASE("an account's key makes the vectors' consents, and no other signature is one", "[crypto]")
{
    const auto vectors = load_vectors("consents.json");
    const auto root = value<PublicKey>(vectors["card_root_public_key"]);
    int good = 0, bad = 0;
    for (const auto& v : vectors["good"]) {
        const auto operation = Operation::decode(from_hex(v["operation"])).value();
        const SecondInstruction asked{operation, value<Signature>(v["card_signature"])};
        CHECK(verify(asked, value<PublicKey>(vectors["card"]["P"])));
        if (v["consent"].is_null()) continue;
        const auto consent = value<Signature>(v["consent"]);
        SoftwareAccountSigner owner(secret<KeySeed>(v["account_seed"]));
        CHECK(owner.public_key() == value<PublicKey>(v["account"]["key"]));
        CHECK(owner.consent(root, operation).value() == consent);
        CHECK(verify_consent(operation, consent, root, owner.public_key()));
        ++good;
    }
    for (const auto& v : vectors["bad"]) {
        if (v["error"] != "bad_signature") continue;
        CAPTURE(v["why"].get<std::string>());
        const auto verified = verify_consent(Operation::decode(from_hex(v["operation"])).value(),
                                             value<Signature>(v["consent"]), root,
                                             value<PublicKey>(v["account"]["key"]));
        REQUIRE_FALSE(verified);
        CHECK(verified.error().code == Errc::bad_signature);
        ++bad;
    }
    CHECK(good == 3);
    CHECK(bad == 27);
}

TEST_CASE("every signature in a ledger verifies, an owner's under the key of its time", "[crypto]")
{
    const auto vectors = load_vectors("entries.json");
    const auto& keys = vectors["operation_public_keys"];
    std::map<CardId, PublicKey> cards;
    for (const auto& card : vectors["cards"])
        cards[value<CardId>(card["card_id"])] = value<PublicKey>(card["public_key"]);
    Owners owners(vectors);
    int receipts = 0, instructions = 0, consents = 0, orders = 0, words = 0;
    for (const auto& v : vectors["entries"]) {
        CAPTURE(v["name"].get<std::string>(), v["time"].get<std::int64_t>());
        const auto entry = Entry::decode(from_hex(v["encoded"])).value();
        if (const auto* record = entry.account_record()) {
            CHECK(verifies_under_any(*record, keys));
            if (record->owner_signature) owners.check(record->order, *record->owner_signature);
            words += record->owner_signature.has_value();
            ++orders;
            continue;
        }
        const auto& [operation, issuers, receipt, consent] = *entry.record();
        CHECK(verify(receipt, cards.at(operation.card_id)));
        if (issuers) CHECK(verifies_under_any(FirstInstruction{operation, *issuers}, keys));
        if (consent) owners.check(operation, *consent);
        instructions += issuers.has_value();
        consents += consent.has_value();
        ++receipts;
    }
    CHECK(receipts == 21);
    CHECK(instructions == 17);
    CHECK(consents == 1);
    CHECK(orders == 16);
    CHECK(words == 9);
}

TEST_CASE("the issuer makes the vectors' signatures of gaps, and they verify", "[crypto]")
{
    const auto vectors = load_vectors("gaps.json");
    const auto& keys = vectors["operation_public_keys"];
    SoftwareOperationSigner issuer(secret<KeySeed>(vectors["operation_seed"]));
    int good = 0, forged = 0;
    for (const auto& v : vectors["cases"]) {
        const auto gap = Gap::decode(from_hex(v["gap"]["encoded"])).value();
        CHECK(issuer.sign(gap).value() == gap.issuer_signature);
        CHECK(verify(gap, issuer.public_key()));
        ++good;
    }
    for (const auto& v : vectors["bad"]["gaps"]) {
        const auto why = v["why"].get<std::string>();
        CAPTURE(why);
        const bool is_forged = why.starts_with("signed") || why.starts_with("bit flipped");
        const auto gap = Gap::decode(from_hex(v["encoded"])).value();
        CHECK(verifies_under_any(gap, keys) == !is_forged);
        forged += is_forged;
    }
    CHECK(good == 10);
    CHECK(forged == 11);
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
