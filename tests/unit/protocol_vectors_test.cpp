// SPDX-License-Identifier: Apache-2.0
// The objects of docs/protocol.md and docs/accounts.md, section 2, against the project's vectors.
#include <tallycard/account_order.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/state_statement.hpp>

#include <bit>

#include <catch2/catch.hpp>

#include "../../src/crypto/seal.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/digest.hpp"
#include "../../src/protocol/personalisation.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;

namespace {

Parameter parameter_of(const Json& fields, Kind kind)
{
    if (!fields.contains("parameter")) return {};
    const auto bytes = from_hex(fields["parameter"]);
    if (kind == Kind::set_limits) return decode_limits(std::span(bytes).first<34>()).value();
    return PublicKey(std::span(bytes).first<32>());
}

Operation operation_of(const Json& fields)
{
    const auto kind_byte = std::stoul(fields["kind"].get<std::string>(), nullptr, 16);
    Operation op;
    op.kind = kind_from_byte(static_cast<std::uint8_t>(kind_byte)).value();
    op.card_id = value<CardId>(fields["card_id"]);
    op.sequence = fields["sequence"].get<std::uint32_t>();
    op.amount = Amount::minor_units(std::stoll(fields["amount"].get<std::string>()));
    op.unit = Unit::from_code(fields["unit"].get<std::uint16_t>()).value();
    op.nonce = value<Nonce>(fields["nonce"]);
    if (fields.contains("account"))
        op.account = AccountId::parse(fields["account"].get<std::string>());
    op.parameter = parameter_of(fields, op.kind);
    return op;
}

AccountOrder order_of(const Json& fields)
{
    const auto kind_byte = std::stoul(fields["kind"].get<std::string>(), nullptr, 16);
    AccountOrder order{
        .kind = order_kind_from_byte(static_cast<std::uint8_t>(kind_byte)).value(),
        .account = AccountId::parse(fields["account"].get<std::string>()).value(),
        .number = fields["number"].get<std::uint32_t>(),
        .amount = Amount::minor_units(std::stoll(fields["amount"].get<std::string>())),
        .unit = Unit::from_code(fields["unit"].get<std::uint16_t>()).value(),
        .id = value<OperationId>(fields["operation_id"])};
    if (fields.contains("other_side"))
        order.other = AccountId::parse(fields["other_side"].get<std::string>());
    if (fields.contains("account_key")) order.key = value<PublicKey>(fields["account_key"]);
    if (fields.contains("reference"))
        order.reference = Reference::parse(fields["reference"].get<std::string>());
    return order;
}

Gap gap_of(const Json& v)
{
    const auto& fields = v["fields"];
    return {.card_id = value<CardId>(fields["card_id"]),
            .last = fields["last_missing_sequence"].get<std::uint32_t>(),
            .balance = Balance::minor_units(std::stoull(fields["balance"].get<std::string>())),
            .last_result = value<Digest>(fields["previous_result_digest"]),
            .issuer_signature = value<Signature>(v["issuer_signature"])};
}

// The object that these bytes decode to and that encodes to them.
template <class T>
T read_back(const Bytes& bytes)
{
    const auto decoded = T::decode(bytes);
    REQUIRE(decoded);
    REQUIRE(decoded->valid());
    CHECK(bytes_of(decoded->encode().bytes()) == bytes);
    return *decoded;
}

template <class T>
std::optional<Errc> refusal(std::span<const std::uint8_t> bytes)
{
    const auto decoded = T::decode(bytes);
    if (decoded) return std::nullopt;
    return decoded.error().code;
}

// The error of decoding an object of this type. Empty where it takes it.
std::optional<Errc> refusal_of(const std::string& type, std::span<const std::uint8_t> bytes)
{
    if (type == "operation") return refusal<Operation>(bytes);
    if (type == "first instruction") return refusal<FirstInstruction>(bytes);
    if (type == "result") return refusal<CardResult>(bytes);
    if (type == "state statement") return refusal<StateStatement>(bytes);
    if (type == "personalisation") return refusal<Personalisation>(bytes);
    if (type == "record") return refusal<Record>(bytes);
    if (type == "account order") return refusal<AccountOrder>(bytes);
    if (type == "account record") return refusal<AccountRecord>(bytes);
    if (type == "gap") return refusal<Gap>(bytes);
    if (type == "entry") return refusal<Entry>(bytes);
    if (type == "PAY data") return refusal<PayData>(bytes);
    if (type == "REQUEST data") {
        const auto decoded = RequestData::decode(bytes, Kind::transfer_out);
        return decoded ? std::nullopt : std::optional(decoded.error().code);
    }
    throw std::runtime_error("no such type: " + type);
}

// How many objects of the file are refused as malformed.
int count_malformed(const std::string& file)
{
    int malformed = 0;
    for (const auto& v : load_vectors(file, "objects")) {
        CAPTURE(v["type"].get<std::string>(), v["rule"].get<std::string>());
        const bool is_malformed = refusal_of(v["type"], from_hex(v["hex"])) == Errc::malformed;
        CHECK(is_malformed);
        malformed += is_malformed;
    }
    return malformed;
}

// RFC 9162, section 2.1.1, word by word.
Digest tree_hash(std::span<const Digest> leaves)
{
    if (leaves.size() == 1) return leaves.front();
    const auto left = std::bit_floor(leaves.size() - 1);
    Bytes node = {1};
    for (const auto& half : {leaves.first(left), leaves.subspan(left)}) {
        const auto hash = tree_hash(half);
        node.insert(node.end(), hash.bytes().begin(), hash.bytes().end());
    }
    return sha256(node);
}

}  // namespace

TEST_CASE("operations encode to the vectors' bytes and decode back", "[protocol]")
{
    int seen = 0;
    for (const auto& v : load_vectors("operations.json", "operations")) {
        CAPTURE(v["fields"].dump());
        const auto op = operation_of(v["fields"]);
        const auto encoded = from_hex(v["encoded"]);

        REQUIRE(op.valid());
        CHECK(name(op.kind) == v["fields"]["name"].get<std::string>());
        CHECK(bytes_of(op.encode().bytes()) == encoded);
        CHECK(op.digest() == value<Digest>(v["digest"]));
        const auto decoded = Operation::decode(encoded);
        REQUIRE(decoded);
        CHECK(*decoded == op);
        ++seen;
    }
    CHECK(seen == 34);
}

TEST_CASE("instructions are the object and the signature, byte for byte", "[protocol]")
{
    int transfers = 0;
    for (const auto& v : load_vectors("operations.json", "operations")) {
        if (v.contains("first_instruction")) {
            const auto bytes = from_hex(v["first_instruction"]);
            const auto first = FirstInstruction::decode(bytes);
            REQUIRE(first);
            CHECK(first->issuer_signature == value<Signature>(v["issuer_signature"]));
            CHECK(bytes_of(first->encode().bytes()) == bytes);
        }
        if (v.contains("second_instruction")) {
            const auto bytes = from_hex(v["second_instruction"]["encoded"]);
            const auto second = SecondInstruction::decode(bytes);
            REQUIRE(second);
            CHECK(bytes_of(second->encode().bytes()) == bytes);
            ++transfers;
        }
    }
    CHECK(transfers == 10);
}

TEST_CASE("results form a chain, and state statements read back", "[protocol]")
{
    const auto vectors = load_vectors("results.json");
    Digest previous;
    for (const auto& v : vectors["results"]) {
        const auto encoded = from_hex(v["encoded"]);
        const auto result = CardResult::decode(encoded);
        REQUIRE(result);
        CHECK(bytes_of(result->encode().bytes()) == encoded);
        CHECK(result->previous_result == previous);
        CHECK(result->operation == Operation::decode(from_hex(v["operation"]))->digest());
        CHECK(std::to_string(result->balance.to_minor_units()) == v["fields"]["balance"]);
        previous = result->digest();
        CHECK(previous == value<Digest>(v["digest"]));
        const auto receipt = Receipt::decode(from_hex(v["third_instruction"]));
        REQUIRE(receipt);
        CHECK(bytes_of(receipt->encode().bytes()) == from_hex(v["third_instruction"]));
    }
    for (const auto& v : vectors["state_statements"]) {
        const auto statement = StateStatement::decode(from_hex(v["encoded"]));
        REQUIRE(statement);
        CHECK(bytes_of(statement->encode().bytes()) == from_hex(v["encoded"]));
    }
}

TEST_CASE("account orders and their records encode to the vectors' bytes and decode back",
          "[protocol]")
{
    int seen = 0;
    for (const auto& v : load_vectors("account_orders.json", "orders")) {
        CAPTURE(v["fields"].dump());
        const auto order = order_of(v["fields"]);
        const bool has_owner = !v["owner_signature"].is_null();

        REQUIRE(order.valid());
        CHECK(name(order.kind) == v["fields"]["name"].get<std::string>());
        CHECK(order_kind_from_name(name(order.kind)) == order.kind);
        CHECK(needs_owner(order.kind) == has_owner);
        CHECK(bytes_of(order.encode().bytes()) == from_hex(v["encoded"]));
        CHECK(read_back<AccountOrder>(from_hex(v["encoded"])) == order);
        AccountRecord record{order, {}, value<Signature>(v["issuer_signature"])};
        if (has_owner) record.owner_signature = value<Signature>(v["owner_signature"]);
        CHECK(read_back<AccountRecord>(from_hex(v["account_record"])) == record);
        ++seen;
    }
    CHECK(seen == 28);
}

TEST_CASE("a record carries a consent exactly where the account is not the card's own",
          "[protocol]")
{
    int with = 0, without = 0;
    for (const auto& v : load_vectors("consents.json", "good")) {
        const auto record = read_back<Record>(from_hex(v["record"]));
        CHECK(bytes_of(record.operation.encode().bytes()) == from_hex(v["operation"]));
        CHECK(record.operation.account->text() == v["account"]["name"].get<std::string>());
        CHECK(needs_consent(record.operation) == record.consent.has_value());
        REQUIRE(record.consent.has_value() == !v["consent"].is_null());
        if (record.consent) CHECK(*record.consent == value<Signature>(v["consent"]));
        ++(record.consent ? with : without);
    }
    CHECK(with == 3);
    CHECK(without == 1);
}

TEST_CASE("entries decode and encode back, and hash to the vectors' leaves and roots", "[protocol]")
{
    std::vector<Digest> leaves;
    int results = 0, orders = 0;
    for (const auto& v : load_vectors("entries.json", "entries")) {
        CAPTURE(v["name"].get<std::string>());
        const auto bytes = from_hex(v["encoded"]);
        const auto entry = read_back<Entry>(bytes);
        CHECK(entry.time.time_since_epoch().count() == v["time"].get<std::int64_t>());
        if (const auto* delivered = entry.delivered()) {
            CHECK(delivered->terminal.text() == v["terminal"].get<std::string>());
            CHECK(name(delivered->record.operation.kind) == v["name"].get<std::string>());
            CHECK(read_back<Record>(from_hex(v["record"])) == delivered->record);
            ++results;
        }
        if (const auto* record = entry.account_record()) {
            CHECK(name(record->order.kind) == v["name"].get<std::string>());
            CHECK(read_back<AccountRecord>(from_hex(v["record"])) == *record);
            ++orders;
        }
        Bytes leaf = {0};
        leaf.insert(leaf.end(), bytes.begin(), bytes.end());
        leaves.push_back(sha256(leaf));
        CHECK(leaves.back() == value<Digest>(v["leaf"]));
        CHECK(tree_hash(leaves) == value<Digest>(v["root"]));
    }
    CHECK(results == 21);
    CHECK(orders == 16);
}

TEST_CASE("gaps encode to the vectors' bytes and decode back, and so do entries around them",
          "[protocol]")
{
    int entries = 0, late = 0, refused_by_auditors = 0;
    const auto vectors = load_vectors("gaps.json");
    for (const auto& v : vectors["cases"]) {
        CAPTURE(v["what"].get<std::string>());
        const auto gap = gap_of(v["gap"]);
        const auto encoded = from_hex(v["gap"]["encoded"]);
        CHECK(bytes_of(gap.signed_fields().bytes()) == from_hex(v["gap"]["signed"]));
        CHECK(bytes_of(gap.encode().bytes()) == encoded);
        CHECK(Gap::decode(encoded).value() == gap);
        const auto first = read_back<Entry>(from_hex(v["entries"][0]));
        REQUIRE(first.gap() != nullptr);
        CHECK(*first.gap() == gap);
        const auto second = read_back<Entry>(from_hex(v["entries"][1]));
        REQUIRE(second.record() != nullptr);
        CHECK(second.record()->operation.sequence == gap.last + 1);
        entries += 2;
        for (const auto& result : v["late"]) {
            if (!result.contains("entry")) continue;
            CHECK(read_back<Entry>(from_hex(result["entry"])).record() != nullptr);
            ++late;
        }
    }
    // Each is well-formed: what is wrong with it shows only beside the ledger.
    for (const auto& v : vectors["bad"]["gaps"])
        refused_by_auditors += Gap::decode(from_hex(v["encoded"])).has_value();
    CHECK(entries == 20);
    CHECK(late == 16);
    CHECK(refused_by_auditors == 22);
}

TEST_CASE("every object of invalid.json and invalid_accounts.json is refused as malformed",
          "[protocol]")
{
    CHECK(count_malformed("invalid.json") == 534);
    CHECK(count_malformed("invalid_accounts.json") == 385);
}

TEST_CASE("personalisations encode and seal to the vectors' bytes", "[protocol]")
{
    int seen = 0;
    for (const auto& v : load_vectors("personalise.json", "cases")) {
        if (!v.contains("encoded")) continue;
        const auto encoded = from_hex(v["encoded"]);
        const auto object = Personalisation::decode(encoded);
        REQUIRE(object);
        CHECK(bytes_of(object->encode().reveal()) == encoded);
        const auto nonce = from_hex(v["nonce"]);
        const auto key = secret<TransportKey>(v["transport_key"]);
        const auto sealed = seal(object->encode(), key, std::span(nonce).first<12>());
        CHECK(bytes_of(sealed.bytes()) == from_hex(v["command_data"]));
        const auto opened = unseal(sealed, key);
        REQUIRE(opened);
        CHECK(bytes_of(opened->reveal()) == encoded);
        if (!v["pin"].is_null()) {
            auto digits = v["pin"].get<std::string>();
            const auto block = make_pin_block(digits);
            REQUIRE(block);
            CHECK(equal(*block, *object->pin));
            CHECK(digits == std::string(digits.size(), '\0'));
        }
        ++seen;
    }
    CHECK(seen == 4);
}
