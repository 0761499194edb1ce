// SPDX-License-Identifier: Apache-2.0
#include "sql_schema.hpp"

#include <string_view>

namespace tallycard::sql {
namespace {

// `issued` has by what the cash accounts are below zero, in two halves. Contracts on chains, and
// the transactions that are under way to them, come last: what waits to be sent is no table of its
// own, but the records from number final_entries on.
constexpr const char* schema = R"(
CREATE TABLE issuer(
    one NUMBER PRIMARY KEY CHECK(one = 1),
    description TEXT NOT NULL) ROWS;
CREATE TABLE cards(
    card_id BYTES PRIMARY KEY CHECK(length(card_id) = 16),
    certificate BYTES NOT NULL UNIQUE,
    public_key BYTES NOT NULL UNIQUE,
    transport_key BYTES NOT NULL UNIQUE,
    first_operation_key BYTES NOT NULL,
    operation_key BYTES NOT NULL,
    issued NUMBER NOT NULL,
    denied NUMBER NOT NULL,
    state NUMBER NOT NULL,
    settled NUMBER NOT NULL,
    balance NUMBER NOT NULL CHECK(balance >= 0),
    last_result BYTES NOT NULL,
    limits BYTES NOT NULL CHECK(length(limits) = 34)) KEYED;
CREATE TABLE personalisations(
    card_id BYTES PRIMARY KEY REFERENCES cards,
    sealed BYTES NOT NULL) KEYED;
CREATE TABLE operations(
    ROW_NUMBER
    id BYTES UNIQUE,
    request BYTES NOT NULL,
    card_id BYTES NOT NULL REFERENCES cards,
    sequence NUMBER NOT NULL,
    signed_as NUMBER NOT NULL,
    first BYTES NOT NULL,
    terminal NAME,
    UNIQUE(card_id, sequence, signed_as)) ROWS;
CREATE TABLE accounts(
    kind NUMBER NOT NULL CHECK(kind IN (1, 2)),
    id NAME NOT NULL,
    balance NUMBER NOT NULL,
    reserved NUMBER NOT NULL CHECK(reserved >= 0),
    PRIMARY KEY(kind, id),
    CHECK(kind = 1 OR balance >= reserved)) KEYED;
CREATE TABLE records(
    idx NUMBER PRIMARY KEY,
    card_id BYTES NOT NULL REFERENCES cards,
    sequence NUMBER NOT NULL,
    record BYTES NOT NULL,
    UNIQUE(card_id, sequence)) ROWS;
CREATE TABLE journal(
    idx NUMBER PRIMARY KEY REFERENCES records,
    debit_kind NUMBER NOT NULL, debit NAME NOT NULL,
    credit_kind NUMBER NOT NULL, credit NAME NOT NULL,
    amount NUMBER NOT NULL CHECK(amount > 0)) ROWS;
CREATE TABLE nodes(
    level NUMBER NOT NULL,
    idx NUMBER NOT NULL,
    hash BYTES NOT NULL CHECK(length(hash) = 32),
    PRIMARY KEY(level, idx)) KEYED;
CREATE TABLE kept(
    card_id BYTES NOT NULL REFERENCES cards,
    sequence NUMBER NOT NULL,
    digest BYTES NOT NULL,
    receipt BYTES NOT NULL,
    executed BYTES NOT NULL,
    PRIMARY KEY(card_id, sequence, digest)) KEYED;
CREATE TABLE evidence(
    serial NUMBER PRIMARY KEY,
    card_id BYTES NOT NULL REFERENCES cards,
    digest BYTES NOT NULL UNIQUE,
    reason NUMBER NOT NULL,
    receipt BYTES NOT NULL,
    operation BYTES) ROWS;
CREATE INDEX evidence_by_card ON evidence(card_id);
CREATE TABLE checkpoint(
    one NUMBER PRIMARY KEY CHECK(one = 1),
    note TEXT NOT NULL) ROWS;
CREATE TABLE issued(
    one NUMBER PRIMARY KEY CHECK(one = 1),
    high NUMBER NOT NULL,
    low NUMBER NOT NULL) ROWS;
INSERT INTO issued(one, high, low) VALUES(1, 0, 0);
CREATE TABLE chains(
    chain_id NUMBER NOT NULL CHECK(chain_id > 0),
    contract BYTES NOT NULL CHECK(length(contract) = 20),
    final_entries NUMBER NOT NULL CHECK(final_entries >= 0),
    PRIMARY KEY(chain_id, contract)) KEYED;
CREATE TABLE outbox(
    chain_id NUMBER NOT NULL,
    contract BYTES NOT NULL,
    nonce NUMBER NOT NULL CHECK(nonce >= 0),
    kind NUMBER NOT NULL,
    state NUMBER NOT NULL,
    first NUMBER NOT NULL,
    entries NUMBER NOT NULL,
    block NUMBER NOT NULL,
    hash BYTES NOT NULL CHECK(length(hash) = 32),
    raw BYTES NOT NULL,
    PRIMARY KEY(chain_id, contract, nonce),
    FOREIGN KEY(chain_id, contract) REFERENCES chains) KEYED;
)";

void replace_all(std::string& text, std::string_view word, std::string_view by)
{
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
        text.replace(at, word.size(), by);
}

std::string spoken(const Dialect& dialect)
{
    std::string text = schema;
    replace_all(text, "ROW_NUMBER", dialect.row_number);
    replace_all(text, "NUMBER", dialect.number);
    replace_all(text, "BYTES", dialect.bytes);
    replace_all(text, "NAME", dialect.name);
    replace_all(text, "ROWS;", dialect.rows + std::string(";"));
    replace_all(text, "KEYED;", dialect.keyed + std::string(";"));
    return text;
}

}  // namespace

Result<void> make_tables(Database& database, const Dialect& dialect)
{
    return database.run(spoken(dialect));
}

Result<void> check_version(std::int64_t version)
{
    if (version < 1) return damaged();
    if (version == schema_version) return {};
    return Error{.code = version > schema_version ? Errc::store_newer : Errc::store_older,
                 .detail = static_cast<std::uint32_t>(version),
                 .where = "store"};
}

}  // namespace tallycard::sql
