// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "issuer/account_orders.hpp"
#include "issuer/books.hpp"
#include "issuer/ledger_export.hpp"
#include "issuer/ledger_tree.hpp"
#include "issuer/settlement.hpp"
#include "support/test_issuer.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

using testing::Json, testing::value;

template <class T>
std::optional<T> optional_value(const Json& hex)
{
    return hex.is_null() ? std::nullopt : std::optional(value<T>(hex));
}

// The ledger of entries.json, settled anew.
class VectorLedger {
public:
    explicit VectorLedger(StoreTransaction& store) : store_(&store)
    {
        settings_.issuer.currency.unit = Unit::from_code(all_.at("unit")).value();
        settings_.issuer.card_root = value<PublicKey>(all_.at("card_root_public_key"));
        for (const auto& key : all_.at("operation_public_keys"))
            settings_.issuer.operation_keys.push_back(value<PublicKey>(key));
        const auto seed = testing::load_vectors("account_orders.json", "operation_seed");
        signer_ = std::make_shared<SoftwareOperationSigner>(testing::secret<KeySeed>(seed));
        settings_.signers = {signer_};
        for (const auto& card : all_.at("cards")) {
            const auto row = row_of(card);
            store.insert_card(row).value();
            store.put_account({.name = associated_account(holder_account(row.card_id))}).value();
        }
    }

    const Json& entries() const { return all_.at("entries"); }
    const Json& at_the_end(const char* what) const { return all_.at(what); }

    void settle(const Json& entry)
    {
        const auto operation = Operation::decode(testing::from_hex(entry.at("operation"))).value();
        const auto signature = optional_value<Signature>(entry.at("issuer_signature"));
        if (signature)
            sign({operation, *signature}, optional_value<Signature>(entry.at("consent")));
        const Receipt receipt{CardResult::decode(testing::from_hex(entry.at("result"))).value(),
                              value<Signature>(entry.at("card_signature"))};
        const auto terminal = entry.at("terminal").get<std::string>();
        const auto settled =
            Settler(*store_, settings_, time_of(entry))
                .settle(submission(receipt, ExecutedOperation{operation, {}}, terminal.c_str()))
                .value();
        CHECK(settled.settled);
        CHECK(!settled.restored);
    }
    void execute(const Json& entry)
    {
        const auto order = AccountOrder::decode(testing::from_hex(entry.at("order"))).value();
        if (names_card(order.kind)) give_up(order);
        const SignedOrder signed_order{order,
                                       optional_value<Signature>(entry.at("owner_signature"))};
        const auto done = AccountOrders(*store_, settings_, time_of(entry)).execute(signed_order);
        REQUIRE(done);
        CHECK(done->record.issuer_signature == value<Signature>(entry.at("issuer_signature")));
    }

private:
    static CardRow row_of(const Json& card)
    {
        CardRow row;
        row.card_id = value<CardId>(card.at("card_id"));
        row.certificate = value<Certificate>(card.at("certificate"));
        row.public_key = value<PublicKey>(card.at("public_key"));
        row.transport_key = sha256(row.card_id.bytes());
        row.first_operation_key = row.operation_key = value<PublicKey>(card.at("operation_key"));
        return row;
    }
    static Time time_of(const Json& entry)
    {
        return Time(std::chrono::milliseconds(entry.at("time").get<std::int64_t>()));
    }
    // As if the platform had signed it; nonces are random, so that it never would again.
    void sign(const FirstInstruction& first, const std::optional<Signature>& consent)
    {
        OperationRow row;
        row.id = OperationId(first.operation.nonce.bytes());
        row.first = first;
        row.terminal = account_id("till-1");
        row.consent = consent;
        if (is_credit(first.operation.kind)) {
            // Not Books::reserve(): one card holds more than an issuer would put at stake.
            auto account = Books(*store_).find_or_new(*other_side(first.operation)).value();
            account.reserved += first.operation.amount.to_minor_units();
            store_->put_account(account).value();
        }
        store_->insert_operation(row).value();
    }
    // Facts that the ledger does not show: the card is on the deny list, and, of a write-off, the
    // transfer that is pending.
    void give_up(const AccountOrder& order)
    {
        auto card = store_->card(order.card()).value().value();
        set_denied(*store_, card, true).value();
        if (order.kind != OrderKind::write_off) return;
        const Operation operation{.kind = Kind::transfer_in,
                                  .card_id = card.card_id,
                                  .sequence = card.settled + 1,
                                  .amount = Amount::minor_units(1),
                                  .unit = order.unit,
                                  .nonce = id_of<Nonce>(1),
                                  .account = order.account,
                                  .parameter = {}};
        sign({operation, signer_->sign(operation).value()}, Signature{});
    }

    const Json all_ = testing::load_vectors("entries.json");
    StoreTransaction* store_;
    PlatformSettings settings_;
    std::shared_ptr<SoftwareOperationSigner> signer_;
};

std::string line_of(const CardRow& row)
{
    auto line = "standing " + row.card_id.to_string() + ' ' + std::to_string(row.settled) + ' ' +
                std::to_string(row.balance.to_minor_units()) + ' ' + name(row.state) + ' ' +
                row.operation_key.to_string();
    return row.recovered > 0 ? line + ' ' + std::to_string(row.recovered) : line;
}

std::string line_of(const AccountRow& row)
{
    return std::string("account ") + export_word(row.name.kind) + ' ' +
           std::string(row.name.id.text()) + ' ' + std::to_string(row.balance) + ' ' +
           std::to_string(row.number) + ' ' + (row.key ? row.key->to_string() : "-");
}

}  // namespace

TEST_CASE("the results and orders of entries.json make its ledger, byte by byte")
{
    const TemporaryFolder folder;
    const auto store = create_sqlite_store(folder.file("store")).value();
    const auto transaction = store->write().value();
    VectorLedger ledger(*transaction);
    std::uint64_t index = 0;
    for (const auto& entry : ledger.entries()) {
        CAPTURE(index, entry.at("name"));
        if (entry.contains("operation")) {
            ledger.settle(entry);
        } else {
            ledger.execute(entry);
        }
        const auto made = transaction->entry(index++).value();
        REQUIRE(made);
        CHECK(to_hex(made->encode()) == entry.at("encoded"));
        CHECK(LedgerTree(*transaction).root(index).value().to_string() == entry.at("root"));
        CHECK(transaction->sum_of_books().value() == 0);
    }
    CHECK(index == 37);

    std::vector<std::string> lines;
    for (const auto& row : transaction->cards({}, 10).value()) lines.push_back(line_of(row));
    // Of the other card's holder account no entry knows.
    const auto other = associated_account(
        holder_account(value<CardId>(ledger.at_the_end("cards").at(0).at("card_id"))));
    for (const auto& row : transaction->accounts({}, 100).value())
        if (row.name != other) lines.push_back(line_of(row));
    CHECK(Json(lines) == ledger.at_the_end("standing_and_account_lines"));
    std::vector<std::string> denials;
    for (const auto& line : transaction->deny_list(0, 10).value())
        denials.push_back(line.to_string());
    CHECK(Json(denials) == ledger.at_the_end("deny_list"));
}
