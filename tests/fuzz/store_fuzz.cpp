// SPDX-License-Identifier: Apache-2.0
// A platform's store as somebody left it who can write the file: columns with other values, rows
// that are gone, bytes of the file changed. It is refused with a name, or it works, and then the
// books sum up to zero; nothing that is in it stops the process.
#include <sqlite3.h>

#include <algorithm>

#include "../../src/issuer/ledger_export.hpp"
#include "fuzz.hpp"
#include "issuer_world.hpp"
#include "same_random.hpp"
#include "store_visitor.hpp"

using namespace tallycard;
using fuzz::Input;
using fuzz::IssuerWorld;

namespace {

struct Column {
    const char *table, *name;
};
constexpr Column columns[] = {{"issuer", "description"},
                              {"cards", "card_id"},
                              {"cards", "certificate"},
                              {"cards", "public_key"},
                              {"cards", "transport_key"},
                              {"cards", "first_operation_key"},
                              {"cards", "operation_key"},
                              {"cards", "issued"},
                              {"cards", "denied"},
                              {"cards", "state"},
                              {"cards", "settled"},
                              {"cards", "balance"},
                              {"cards", "last_result"},
                              {"cards", "limits"},
                              {"cards", "offline_spent"},
                              {"cards", "recovered"},
                              {"cards", "lost_since"},
                              {"cards", "given_up_at"},
                              {"cards", "written_off"},
                              {"personalisations", "card_id"},
                              {"personalisations", "sealed"},
                              {"operations", "id"},
                              {"operations", "request"},
                              {"operations", "card_id"},
                              {"operations", "sequence"},
                              {"operations", "signed_as"},
                              {"operations", "first"},
                              {"operations", "terminal"},
                              {"operations", "consent"},
                              {"operations", "consented"},
                              {"operations", "paid_card"},
                              {"operations", "paid_sequence"},
                              {"accounts", "kind"},
                              {"accounts", "id"},
                              {"accounts", "balance"},
                              {"accounts", "reserved"},
                              {"accounts", "number"},
                              {"accounts", "account_key"},
                              {"accounts", "key_before"},
                              {"entries", "idx"},
                              {"entries", "time"},
                              {"entries", "card_id"},
                              {"entries", "sequence"},
                              {"entries", "terminal"},
                              {"entries", "entry"},
                              {"payment_references", "idx"},
                              {"payment_references", "reference"},
                              {"orders", "kind"},
                              {"orders", "account"},
                              {"orders", "number"},
                              {"orders", "id"},
                              {"orders", "idx"},
                              {"journal", "debit_kind"},
                              {"journal", "debit"},
                              {"journal", "credit_kind"},
                              {"journal", "credit"},
                              {"journal", "amount"},
                              {"journal", "debit_after"},
                              {"journal", "credit_after"},
                              {"nodes", "level"},
                              {"nodes", "idx"},
                              {"nodes", "hash"},
                              {"kept", "receipt"},
                              {"kept", "executed"},
                              {"kept", "digest"},
                              {"kept", "sequence"},
                              {"kept", "terminal"},
                              {"kept", "since"},
                              {"kept", "reference"},
                              {"gaps", "card_id"},
                              {"gaps", "first"},
                              {"gaps", "last"},
                              {"gaps", "idx"},
                              {"gaps", "state_before"},
                              {"gaps", "balance_before"},
                              {"gaps", "balance_after"},
                              {"gaps", "result_before"},
                              {"gaps", "result_after"},
                              {"gaps", "operation_key"},
                              {"gaps", "remaining"},
                              {"denials", "line"},
                              {"denials", "card_id"},
                              {"denials", "denied"},
                              {"issued", "high"},
                              {"issued", "low"},
                              {"evidence", "reason"},
                              {"evidence", "receipt"},
                              {"evidence", "operation"},
                              {"checkpoint", "note"},
                              {"chains", "chain_id"},
                              {"chains", "contract"},
                              {"chains", "final_entries"},
                              {"outbox", "nonce"},
                              {"outbox", "kind"},
                              {"outbox", "state"},
                              {"outbox", "first"},
                              {"outbox", "entries"},
                              {"outbox", "block"},
                              {"outbox", "hash"},
                              {"outbox", "raw"}};

std::string hex(std::span<const std::uint8_t> bytes)
{
    return "x'" + to_hex(bytes) + "'";
}

// A value in SQL: a number, bytes, a text, nothing, or the column's own with a byte changed.
std::string value(Input& input, const std::string& column)
{
    constexpr const char* numbers[] = {"0",
                                       "1",
                                       "2",
                                       "255",
                                       "-1",
                                       "4294967295",
                                       "4294967296",
                                       "9223372036854775807",
                                       "-9223372036854775808"};
    switch (input.below(6)) {
    case 0: return numbers[input.below(std::size(numbers))];
    case 1: return hex(input.bytes(input.below(64)));
    case 2: return "CAST(" + hex(input.bytes(input.below(32))) + " AS TEXT)";
    case 3: return "NULL";
    case 4: return column + " + " + std::to_string(static_cast<int>(input.byte()) - 128);
    default: {
        const auto at = std::to_string(1 + input.byte() % 200u);
        return "CAST(substr(" + column + ", 1, " + at + ") || " + hex(input.bytes(1)) +
               " || substr(" + column + ", " + at + " + 2) AS BLOB)";
    }
    }
}

void change_rows(Input& input)
{
    sqlite3* database = nullptr;
    FUZZ_CHECK(sqlite3_open(IssuerWorld::store_path().c_str(), &database) == SQLITE_OK);
    sqlite3_exec(database, "PRAGMA ignore_check_constraints = ON; PRAGMA journal_mode = DELETE",
                 nullptr, nullptr, nullptr);
    for (auto left = 1 + input.below(3); left > 0; --left) {
        const auto& [table, name] = columns[input.below(std::size(columns))];
        const auto where = std::string(" WHERE ") + name + " IN (SELECT " + name + " FROM " +
                           table + " LIMIT 1 OFFSET " + std::to_string(input.below(8)) + ")";
        const auto sql = input.one_in(8) ? std::string("DELETE FROM ") + table + where
                                         : std::string("UPDATE ") + table + " SET " + name + " = " +
                                               value(input, name) + where;
        sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    }
    FUZZ_CHECK(sqlite3_close(database) == SQLITE_OK);
}

// Of an earlier or a later version, or of another program: how it is refused, where opening it
// tells already.
std::optional<Errc> change_version(Input& input)
{
    struct Change {
        const char* sql;
        std::optional<Errc> refusal;
    };
    constexpr Change changes[] = {{"PRAGMA user_version = 0", Errc::file_damaged},
                                  {"PRAGMA user_version = 1", Errc::store_older},
                                  {"PRAGMA user_version = 2", Errc::store_older},
                                  {"PRAGMA user_version = 3", Errc::store_older},
                                  {"PRAGMA user_version = 4", Errc::store_older},
                                  {"PRAGMA user_version = 5", std::nullopt},
                                  {"PRAGMA user_version = 99", Errc::store_newer},
                                  {"PRAGMA user_version = -1", Errc::file_damaged},
                                  {"PRAGMA application_id = 7", Errc::file_damaged},
                                  {"DROP TABLE checkpoint", std::nullopt},
                                  {"DROP TABLE evidence", std::nullopt},
                                  {"DROP TABLE personalisations", std::nullopt},
                                  {"DROP TABLE orders", std::nullopt},
                                  {"DROP TABLE gaps", std::nullopt},
                                  {"DROP TABLE denials", std::nullopt},
                                  {"PRAGMA user_version = 6", Errc::store_newer}};
    sqlite3* database = nullptr;
    FUZZ_CHECK(sqlite3_open(IssuerWorld::store_path().c_str(), &database) == SQLITE_OK);
    const auto& change = changes[input.below(std::size(changes))];
    const auto done = sqlite3_exec(database, change.sql, nullptr, nullptr, nullptr);
    FUZZ_CHECK(sqlite3_close(database) == SQLITE_OK);
    return done == SQLITE_OK ? change.refusal : std::nullopt;
}

void change_bytes(Input& input)
{
    auto& files = IssuerWorld::disk().files();
    const auto found = files.find(IssuerWorld::store_path());
    FUZZ_CHECK(found != files.end());
    auto& bytes = found->second.now;
    for (auto left = 1 + input.below(4); left > 0; --left)
        bytes[input.number(3) % bytes.size()] = input.byte();
    if (input.one_in(16)) bytes.resize(input.number(3) % bytes.size());
}

// A card that is being issued, and that executed what the store has forgotten.
void add_forgotten(Platform& platform)
{
    const auto id = fuzz::id_of<CardId>(fuzz::unconfirmed_card);
    auto key = IssuerWorld::derive(id);
    platform.register_card(IssuerWorld::new_card(id, key)).value();
    test::SimulatedCard card(id, std::move(key), platform.issuer().currency.unit);
    const auto forgotten = IssuerWorld::sign(card.make(Kind::top_up, 100, "T1"));
    FUZZ_CHECK(platform.settle(test::submission(card.execute(forgotten.operation), forgotten))
                   .value()
                   .restored);
}

// A lost card with a gap, of whose results one has come late and one waits for a credit; a part of
// its book was recovered.
void add_lost(IssuerWorld& world)
{
    auto& platform = world.platform();
    const auto id = fuzz::id_of<CardId>(fuzz::lost_card);
    auto key = IssuerWorld::derive(id);
    platform.register_card(IssuerWorld::new_card(id, key)).value();
    platform.confirm_card(id).value();
    test::SimulatedCard card(id, std::move(key), platform.issuer().currency.unit);
    const auto top_up = [&](std::uint32_t number) {
        return platform
            .authorise({.id = fuzz::id_of<OperationId>(number),
                        .card_id = id,
                        .kind = Kind::top_up,
                        .amount = Amount::minor_units(100),
                        .parameter = {},
                        .terminal = fuzz::account_of("T1")})
            .value()
            .first;
    };
    platform.settle(test::submission(card.execute(top_up(0x20)))).value();
    const auto missing = top_up(0x21);
    (void)card.execute(missing);
    const auto waits = card.pay(110, "shop"), late = card.pay(5, "another");
    FUZZ_CHECK(!platform.settle(card.pay(3, "shop")).value().settled);
    platform.declare_lost(id).value();
    FUZZ_CHECK(platform.gaps(id).value().size() == 1);
    FUZZ_CHECK(!platform.settle(waits).value().settled);
    FUZZ_CHECK(platform.settle(late).value().settled);
    IssuerWorld::clock() += std::chrono::days(31);
    const auto card_name = id.to_string();
    const auto shop = fuzz::account_of("shop");
    platform.execute(world.order(OrderKind::recover, shop, 50, card_name.c_str())).value();
}

// Orders of an account, a consent that waits for its card, and the refund of a payment.
void add_orders(IssuerWorld& world)
{
    auto& platform = world.platform();
    const auto shop = fuzz::account_of("shop");
    const auto execute = [&](OrderKind kind, std::int64_t amount, const char* other,
                             std::size_t key = 0) {
        platform.execute(world.order(kind, shop, amount, other, key)).value();
    };
    execute(OrderKind::pay_in, 500, "bank");
    execute(OrderKind::pay_out, -100, "bank");
    execute(OrderKind::adjust, 7, "bank");
    auto replace = world.order(OrderKind::replace_key, shop);
    replace.order.key = IssuerWorld::owner(1).public_key();
    replace.owner = IssuerWorld::owner().sign(platform.issuer().card_root, replace.order).value();
    platform.execute(replace).value();
    auto& card = world.cards[1];
    TransferRequest refund{.id = fuzz::id_of<OperationId>(0x30),
                           .second = card.request(Kind::transfer_in, 50, "shop"),
                           .terminal = fuzz::account_of("T1"),
                           .consent = {},
                           .refunds = PaymentName{card.id(), 2}};
    refund.consent =
        IssuerWorld::owner(1).consent(platform.issuer().card_root, refund.second.operation).value();
    platform.authorise_transfer(refund).value();
}

// Something in every table: pending operations, kept results, evidence, a checkpoint, a chain.
const simulation::MemoryDisk::Copy& full_store()
{
    static const auto copy = [] {
        IssuerWorld world;
        auto& platform = world.platform();
        auto& card = world.cards[0];
        const auto first = platform
                               .authorise({.id = fuzz::id_of<OperationId>(1),
                                           .card_id = card.id(),
                                           .kind = Kind::top_up,
                                           .amount = Amount::minor_units(100),
                                           .parameter = {},
                                           .terminal = fuzz::account_of("T1")})
                               .value();
        platform.void_pending(card.id()).value();
        auto clone = card;
        (void)card.execute(first.first);
        const auto ahead = card.pay(5, "shop");
        platform.settle(ahead).value();
        const auto lie = clone.sign({.card_id = clone.id(),
                                     .sequence = 1,
                                     .operation = {},
                                     .balance = {},
                                     .previous_result = {},
                                     .state = CardState::operational});
        FUZZ_CHECK(!platform.settle(test::submission(lie)));
        add_lost(world);
        add_orders(world);
        add_forgotten(platform);
        platform.checkpoint(IssuerWorld::checkpoint_key()).value();
        platform.update_chain(fuzz::chain, {.sent = fuzz::transaction(0), .final_entries = 0})
            .value();
        return world.close_and_copy();
    }();
    return copy;
}

// What a platform does not ask for.
void look_below(Store& store)
{
    const auto rows = store.read();
    if (!rows) return;
    for (std::uint64_t index = 0; index < 4; ++index) {
        const auto posting = (*rows)->posting(index);
        if (posting && *posting) FUZZ_CHECK((*posting)->amount > Amount{});
    }
    (void)(*rows)->kept_count();
    (void)(*rows)->personalisation(fuzz::id_of<CardId>(fuzz::unconfirmed_card));
    (void)(*rows)->restored_count();
    (void)(*rows)->evidence(fuzz::id_of<CardId>(1));
    (void)(*rows)->record_index(fuzz::id_of<CardId>(1), 2);
    (void)(*rows)->ledger_end();
    (void)(*rows)->issued();
    (void)(*rows)->order_index(associated_account(fuzz::account_of("shop")), {});
    (void)(*rows)->consented(fuzz::account_of("shop"));
    (void)(*rows)->refunds({fuzz::id_of<CardId>(2), 2});
    (void)(*rows)->kept(fuzz::id_of<CardId>(fuzz::lost_card));
    (void)(*rows)->cards_with_kept(std::nullopt, 4);
    (void)(*rows)->gaps(fuzz::id_of<CardId>(fuzz::lost_card));
    (void)(*rows)->deny_list(0, 4);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto& files = full_store();
    IssuerWorld world;
    (void)world.close_and_copy();
    IssuerWorld::disk().restore(files);
    const auto what = input.byte();
    std::optional<Errc> refusal;
    if (what >= 0xF8)
        refusal = change_version(input);
    else if (what % 4 == 3)
        change_bytes(input);
    else
        change_rows(input);
    IssuerWorld::write_checkpoint_file({});
    auto store = open_sqlite_store(IssuerWorld::store_path());
    if (refusal) FUZZ_CHECK(!store && store.error().code == refusal);
    if (!store) return 0;
    look_below(**store);
    auto settings = IssuerWorld::settings();
    const auto how = input.byte();
    if (how >= 0xF0) settings.issuer.operation_keys.push_back(settings.issuer.card_root);
    if (how >= 0xF8) settings.issuer.origin = "issuer.other";
    auto opened = Platform::open(*std::move(store), settings);
    if (!opened) {
        FUZZ_CHECK(!opened.error().message().empty());
        return 0;
    }
    fuzz::Visitor visitor(**opened, world, input);
    visitor.look_everywhere();
    visitor.go_on();
    visitor.look_everywhere();
    return 0;
}
