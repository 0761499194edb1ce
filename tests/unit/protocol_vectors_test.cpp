// SPDX-License-Identifier: Apache-2.0
// The objects of docs/protocol.md, section 2, against the project's vectors.
#include <tallycard/instructions.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/record.hpp>
#include <tallycard/state_statement.hpp>

#include <catch2/catch.hpp>

#include "../../src/crypto/seal.hpp"
#include "../../src/protocol/command_data.hpp"
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

bool accepted(const std::string& type, std::span<const std::uint8_t> bytes)
{
    if (type == "operation") return Operation::decode(bytes).has_value();
    if (type == "first instruction") return FirstInstruction::decode(bytes).has_value();
    if (type == "result") return CardResult::decode(bytes).has_value();
    if (type == "state statement") return StateStatement::decode(bytes).has_value();
    if (type == "personalisation") return Personalisation::decode(bytes).has_value();
    if (type == "record") return Record::decode(bytes).has_value();
    if (type == "PAY data") return PayData::decode(bytes).has_value();
    if (type == "REQUEST data") return RequestData::decode(bytes, Kind::transfer_out).has_value();
    throw std::runtime_error("no such type: " + type);
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

TEST_CASE("results form a chain, and state statements and records read back", "[protocol]")
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
    int records = 0;
    for (const auto& v : testing::card_entries()) {
        if (!v["consent"].is_null()) continue;
        const auto record = Record::decode(from_hex(v["record"]));
        REQUIRE(record);
        CHECK(bytes_of(record->encode().bytes()) == from_hex(v["record"]));
        ++records;
    }
    CHECK(records == 16);
}

TEST_CASE("every object of invalid.json is refused as malformed", "[protocol]")
{
    int refused = 0;
    for (const auto& v : load_vectors("invalid.json", "objects")) {
        CAPTURE(v["type"].get<std::string>(), v["rule"].get<std::string>());
        const auto bytes = from_hex(v["hex"]);
        const bool is_accepted = accepted(v["type"], bytes);
        CHECK_FALSE(is_accepted);
        refused += !is_accepted;
    }
    CHECK(refused == 534);
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
