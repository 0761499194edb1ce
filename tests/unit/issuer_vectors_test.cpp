// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "issuer/books.hpp"
#include "issuer/settlement.hpp"
#include "support/test_issuer.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::vector<Record> vector_records()
{
    std::vector<Record> records;
    for (const auto& entry : testing::card_entries()) {
        const auto bytes = [&](const char* field) { return testing::from_hex(entry.at(field)); };
        Record record{Operation::decode(bytes("operation")).value(), std::nullopt, {}};
        if (!entry.at("issuer_signature").is_null())
            record.issuer_signature = testing::value<Signature>(entry.at("issuer_signature"));
        record.receipt = {CardResult::decode(bytes("result")).value(),
                          testing::value<Signature>(entry.at("card_signature"))};
        records.push_back(record);
    }
    return records;
}

CardRow vector_card()
{
    const auto card = testing::load_vectors("results.json", "card");
    CardRow row;
    row.card_id = testing::value<CardId>(card.at("card_id"));
    row.public_key = testing::value<PublicKey>(card.at("P"));
    return row;
}

// As if the platform had signed it; nonces are random, so that it never would again.
void insert_signed(StoreTransaction& store, const Record& record)
{
    OperationRow row;
    row.id = OperationId(record.operation.nonce.bytes());
    row.first = {record.operation, *record.issuer_signature};
    row.terminal = account_id("T1");
    if (is_credit(record.operation.kind)) {
        // Not Books::reserve(): the vectors' card holds more than one issuer would put at stake.
        const auto name = Books::other_side(record.operation).value();
        auto account = store.account(name).value().value_or(AccountRow{.name = name});
        account.reserved += record.operation.amount.to_minor_units();
        store.put_account(account).value();
    }
    store.insert_operation(row).value();
}

}  // namespace

TEST_CASE("the chain of the vectors settles, and its records are those of entries.json")
{
    const TemporaryFolder folder;
    const auto store = create_sqlite_store(folder.file("store")).value();
    const auto transaction = store->write().value();
    transaction->insert_card(vector_card()).value();
    const auto records = vector_records();
    for (const auto& record : records)
        if (record.operation.kind == Kind::transfer_in ||
            record.operation.kind == Kind::transfer_out)
            transaction
                ->put_account(
                    {.name = associated_account(*record.operation.account), .balance = 1'000'000})
                .value();
    // What another till handed in between, in entries.json.
    const auto till = cash_account(account_id("till-1"));
    transaction->put_account({.name = till, .balance = 10'000}).value();
    std::vector<PublicKey> keys;
    for (const auto& key : testing::load_vectors("entries.json", "operation_public_keys"))
        keys.push_back(testing::value<PublicKey>(key));
    Settler settler(*transaction, Unit::from_code(156).value(), keys);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& record = records[i];
        if (record.issuer_signature) insert_signed(*transaction, record);
        const auto settlement =
            settler.settle({record.receipt, ExecutedOperation{record.operation, {}}}).value();
        REQUIRE(settlement.settled);
        REQUIRE(settlement.ledger_index == i);
        REQUIRE(transaction->record(i).value() == record);
    }
    REQUIRE(records.size() == 17);
    REQUIRE(transaction->sum_of_books().value() == 1'010'000);
}
