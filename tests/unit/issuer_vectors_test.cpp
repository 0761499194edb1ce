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
    for (const auto& vector : testing::load_vectors("records.json", "records"))
        records.push_back(
            Record::decode(testing::from_hex(vector.at("encoded").get<std::string>())).value());
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
    Books(store).reserve(record.operation, row.terminal).value();
    store.insert_operation(row).value();
}

}  // namespace

TEST_CASE("the chain of the vectors settles, and its records are those of records.json")
{
    const TemporaryFolder folder;
    const auto store = create_sqlite_store(folder.file("store")).value();
    const auto transaction = store->write().value();
    transaction->insert_card(vector_card()).value();
    const auto records = vector_records();
    for (const auto& record : records)
        if (is_transfer(record.operation.kind))
            transaction
                ->put_account(
                    {.name = associated_account(*record.operation.account), .balance = 1'000'000})
                .value();
    Settler settler(*transaction, Unit::from_code(156).value());
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& record = records[i];
        if (record.issuer_signature) insert_signed(*transaction, record);
        const auto settlement = settler.settle({record.receipt, record.operation}).value();
        REQUIRE(settlement.settled);
        REQUIRE(settlement.ledger_index == i);
        REQUIRE(transaction->record(i).value() == record);
    }
    REQUIRE(records.size() == 16);
    REQUIRE(transaction->sum_of_books().value() == 1'000'000);
}
