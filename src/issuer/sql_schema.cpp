// SPDX-License-Identifier: Apache-2.0
#include "sql_schema.hpp"

#include <string_view>

namespace tallycard::sql {
namespace {

// `entries` is the ledger; beside each it has the card that it names, the sequence of a record and
// its terminal, `orders` has
// those that are an account's, `journal` what each entry moved. `issued` has by what the accounts
// of cash and outside are below zero, in two halves. Contracts on chains, and the transactions that
// are under way to them, come last: what waits to be sent is no table of its own, but the entries
// from number final_entries on.
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
    limits BYTES NOT NULL CHECK(length(limits) = 34),
    offline_spent NUMBER NOT NULL CHECK(offline_spent >= 0),
    recovered NUMBER NOT NULL CHECK(recovered >= 0),
    lost_since NUMBER,
    given_up_at NUMBER,
    written_off NUMBER) KEYED;
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
    consent BYTES CHECK(length(consent) = 64),
    consented NAME,
    paid_card BYTES,
    paid_sequence NUMBER,
    UNIQUE(card_id, sequence, signed_as)) ROWS;
CREATE INDEX operations_by_account ON operations(consented) WHERE consented IS NOT NULL;
CREATE INDEX refunds ON operations(paid_card, paid_sequence) WHERE paid_card IS NOT NULL;
CREATE TABLE accounts(
    kind NUMBER NOT NULL CHECK(kind IN (1, 2, 4)),
    id NAME NOT NULL,
    balance NUMBER NOT NULL,
    reserved NUMBER NOT NULL CHECK(reserved >= 0),
    number NUMBER NOT NULL CHECK(number >= 0),
    account_key BYTES CHECK(length(account_key) = 32),
    key_before BYTES CHECK(length(key_before) = 32),
    PRIMARY KEY(kind, id),
    CHECK(kind <> 2 OR balance >= reserved)) KEYED;
CREATE TABLE entries(
    idx NUMBER PRIMARY KEY,
    time NUMBER NOT NULL CHECK(time >= 0),
    card_id BYTES REFERENCES cards,
    sequence NUMBER,
    terminal NAME,
    entry BYTES NOT NULL,
    UNIQUE(card_id, sequence)) ROWS;
CREATE INDEX entries_by_terminal ON entries(terminal, idx) WHERE terminal IS NOT NULL;
CREATE TABLE payment_references(
    idx NUMBER PRIMARY KEY REFERENCES entries,
    reference TEXT NOT NULL) ROWS;
CREATE TABLE orders(
    kind NUMBER NOT NULL,
    account NAME NOT NULL,
    number NUMBER NOT NULL,
    id BYTES NOT NULL CHECK(length(id) = 16),
    idx NUMBER NOT NULL REFERENCES entries,
    PRIMARY KEY(kind, account, number),
    UNIQUE(kind, account, id)) KEYED;
CREATE TABLE journal(
    idx NUMBER PRIMARY KEY REFERENCES entries,
    debit_kind NUMBER NOT NULL, debit NAME NOT NULL,
    credit_kind NUMBER NOT NULL, credit NAME NOT NULL,
    amount NUMBER NOT NULL CHECK(amount > 0),
    debit_after NUMBER NOT NULL, credit_after NUMBER NOT NULL) ROWS;
CREATE INDEX journal_by_debit ON journal(debit_kind, debit, idx) WHERE debit_kind <> 3;
CREATE INDEX journal_by_credit ON journal(credit_kind, credit, idx) WHERE credit_kind <> 3;
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
    terminal NAME NOT NULL,
    since NUMBER NOT NULL,
    reference TEXT,
    PRIMARY KEY(card_id, sequence, digest)) KEYED;
CREATE TABLE gaps(
    card_id BYTES NOT NULL REFERENCES cards,
    first NUMBER NOT NULL,
    last NUMBER NOT NULL,
    idx NUMBER NOT NULL REFERENCES entries,
    state_before NUMBER NOT NULL,
    balance_before NUMBER NOT NULL CHECK(balance_before >= 0),
    balance_after NUMBER NOT NULL CHECK(balance_after >= 0),
    result_before BYTES NOT NULL,
    result_after BYTES NOT NULL,
    operation_key BYTES NOT NULL,
    remaining NUMBER NOT NULL CHECK(remaining >= 0),
    PRIMARY KEY(card_id, first)) KEYED;
CREATE TABLE denials(
    line NUMBER PRIMARY KEY,
    card_id BYTES NOT NULL REFERENCES cards,
    denied NUMBER NOT NULL) ROWS;
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
