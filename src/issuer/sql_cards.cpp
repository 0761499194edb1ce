// SPDX-License-Identifier: Apache-2.0
#include "../protocol/command_data.hpp"
#include "sql_transaction.hpp"

#define TALLYCARD_CARD_COLUMNS                                                              \
    "card_id, certificate, public_key, transport_key, first_operation_key, operation_key, " \
    "issued, denied, state, settled, balance, last_result, limits"
#define TALLYCARD_OPERATION_COLUMNS "id, request, first, terminal, signed_as"

namespace tallycard::sql {
namespace {

constexpr const char* find_card = "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE card_id = $1";
constexpr const char* find_card_of_transport_key =
    "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE transport_key = $1";
constexpr const char* list_cards =
    "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE card_id > $1 ORDER BY card_id LIMIT $2";
constexpr const char* insert_card_row =
    "INSERT INTO cards(" TALLYCARD_CARD_COLUMNS
    ") VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
constexpr const char* update_card_row =
    "UPDATE cards SET operation_key = $1, issued = $2, denied = $3, state = $4, settled = $5, "
    "balance = $6, last_result = $7, limits = $8 WHERE card_id = $9";
constexpr const char* find_personalisation =
    "SELECT sealed FROM personalisations WHERE card_id = $1";
constexpr const char* insert_personalisation =
    "INSERT INTO personalisations(card_id, sealed) VALUES($1, $2) ON CONFLICT DO NOTHING";
constexpr const char* drop_personalisation = "DELETE FROM personalisations WHERE card_id = $1";
constexpr const char* find_operation =
    "SELECT " TALLYCARD_OPERATION_COLUMNS " FROM operations WHERE id = $1";
constexpr const char* find_operations =
    "SELECT " TALLYCARD_OPERATION_COLUMNS
    " FROM operations WHERE card_id = $1 AND sequence = $2 ORDER BY signed_as";
constexpr const char* insert_operation_row =
    "INSERT INTO operations(id, request, card_id, sequence, signed_as, first, terminal) "
    "VALUES($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
constexpr const char* count_restored = "SELECT count(*) FROM operations WHERE signed_as = 2";
constexpr const char* keep_row =
    "INSERT INTO kept(card_id, sequence, digest, receipt, executed) "
    "VALUES($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
constexpr const char* find_kept =
    "SELECT receipt, executed FROM kept WHERE card_id = $1 AND sequence = $2 ORDER BY digest";
constexpr const char* drop_kept_rows = "DELETE FROM kept WHERE card_id = $1 AND sequence = $2";
constexpr const char* count_kept = "SELECT count(*) FROM kept";
constexpr const char* insert_evidence =
    "INSERT INTO evidence(serial, card_id, digest, reason, receipt, operation) "
    "VALUES((SELECT coalesce(max(serial), 0) + 1 FROM evidence), $1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING";
constexpr const char* list_evidence =
    "SELECT reason, receipt, operation FROM evidence ORDER BY serial LIMIT $1 OFFSET $2";
constexpr const char* find_evidence =
    "SELECT reason, receipt, operation FROM evidence WHERE card_id = $1 ORDER BY serial";

CardRow read_card(Query& query)
{
    CardRow row;
    row.card_id = query.bytes<CardId>();
    row.certificate = query.bytes<Certificate>();
    row.public_key = query.bytes<PublicKey>();
    row.transport_key = query.bytes<Digest>();
    row.first_operation_key = query.bytes<PublicKey>();
    row.operation_key = query.bytes<PublicKey>();
    row.issued = query.number() != 0;
    row.denied = query.number() != 0;
    const auto state = query.number();
    const auto known = card_state_from_byte(static_cast<std::uint8_t>(state));
    query.require(state >= 0 && state <= 255 && known && *known != CardState::blank);
    row.state = known.value_or(CardState::operational);
    const auto settled = query.number();
    query.require(settled >= 0 && settled <= 0xFFFFFFFF);
    row.settled = static_cast<std::uint32_t>(settled);
    const auto balance = query.number();
    query.require(balance >= 0);
    row.balance = Balance::minor_units(balance >= 0 ? static_cast<std::uint64_t>(balance) : 0);
    row.last_result = query.bytes<Digest>();
    const auto limits = query.bytes<FixedBytes<34, struct LimitsColumn>>();
    const auto decoded = decode_limits(limits.bytes());
    query.require(decoded.has_value());
    row.limits = decoded.value_or(Limits{});
    return row;
}

OperationRow read_operation(Query& query)
{
    OperationRow row;
    if (query.next_is_null()) {
        query.skip();
    } else {
        row.id = query.bytes<OperationId>();
    }
    row.request = query.bytes<Digest>();
    row.first = object<FirstInstruction>(query);
    if (query.next_is_null()) {
        query.skip();
    } else {
        row.terminal = AccountId::parse(query.text());
        query.require(row.terminal.has_value());
    }
    const auto as = query.number();
    query.require(as >= 0 && as <= static_cast<int>(SignedAs::restored));
    row.as = static_cast<SignedAs>(as);
    query.require(row.first.operation.kind != Kind::payment);  // which nobody signs here
    return row;
}

KeptRow read_kept(Query& query)
{
    KeptRow row;
    row.receipt = object<Receipt>(query);
    row.executed = object<ExecutedOperation>(query);
    return row;
}

EvidenceRow read_evidence(Query& query)
{
    EvidenceRow row;
    const auto reason = query.number();
    query.require(reason >= 1 && reason <= static_cast<int>(EvidenceReason::wrong_state));
    row.reason = static_cast<EvidenceReason>(reason);
    row.receipt = object<Receipt>(query);
    if (!query.next_is_null()) row.operation = object<Operation>(query);
    return row;
}

}  // namespace

Result<std::optional<CardRow>> Transaction::card(const CardId& card_id)
{
    auto query = database_->query(find_card);
    query.bind(card_id.bytes());
    return one_row(query, read_card);
}

Result<std::optional<CardRow>> Transaction::card_of_transport_key(const Digest& digest)
{
    auto query = database_->query(find_card_of_transport_key);
    query.bind(digest.bytes());
    return one_row(query, read_card);
}

Result<std::optional<SealedPersonalisation>> Transaction::personalisation(const CardId& card_id)
{
    auto query = database_->query(find_personalisation);
    query.bind(card_id.bytes());
    return one_row(query, [](Query& row) {
        const auto bytes = row.blob();
        row.require(!bytes.empty() && bytes.size() <= SealedPersonalisation::capacity);
        return row.ok() ? SealedPersonalisation(bytes) : SealedPersonalisation();
    });
}

Result<void> Transaction::put_personalisation(const CardId& card_id,
                                              const SealedPersonalisation& sealed)
{
    if (sealed.size() == 0)
        return database_->query(drop_personalisation).bind(card_id.bytes()).run();
    auto query = database_->query(insert_personalisation);
    return query.bind(card_id.bytes()).bind(sealed.bytes()).run_for_one();
}

Result<void> Transaction::insert_card(const CardRow& row)
{
    const auto limits = encode_limits(row.limits);
    auto query = database_->query(insert_card_row);
    query.bind(row.card_id.bytes()).bind(row.certificate.bytes()).bind(row.public_key.bytes());
    query.bind(row.transport_key.bytes()).bind(row.first_operation_key.bytes());
    query.bind(row.operation_key.bytes()).bind(row.issued).bind(row.denied);
    query.bind(static_cast<std::int64_t>(row.state)).bind(std::int64_t{row.settled});
    query.bind(as_column(row.balance.to_minor_units())).bind(row.last_result.bytes());
    query.bind(limits);
    return query.run_for_one();
}

Result<void> Transaction::update_card(const CardRow& row)
{
    const auto limits = encode_limits(row.limits);
    auto query = database_->query(update_card_row);
    query.bind(row.operation_key.bytes()).bind(row.issued).bind(row.denied);
    query.bind(static_cast<std::int64_t>(row.state)).bind(std::int64_t{row.settled});
    query.bind(as_column(row.balance.to_minor_units())).bind(row.last_result.bytes());
    query.bind(limits).bind(row.card_id.bytes());
    return query.run_for_one();
}

Result<std::vector<CardRow>> Transaction::cards(const std::optional<CardId>& after,
                                                std::size_t limit)
{
    auto query = database_->query(list_cards);
    // Nothing is before the empty blob.
    query.bind(after ? std::span<const std::uint8_t>(after->bytes())
                     : std::span(reinterpret_cast<const std::uint8_t*>(""), 0));
    query.bind(as_column(limit));
    return all_rows(query, read_card);
}

Result<std::optional<OperationRow>> Transaction::operation(const OperationId& id)
{
    auto query = database_->query(find_operation);
    query.bind(id.bytes());
    return one_row(query, read_operation);
}

Result<std::vector<OperationRow>> Transaction::operations(const CardId& card_id,
                                                          std::uint32_t sequence)
{
    auto query = database_->query(find_operations);
    query.bind(card_id.bytes()).bind(std::int64_t{sequence});
    return all_rows(query, read_operation);
}

Result<void> Transaction::insert_operation(const OperationRow& row)
{
    const auto& operation = row.first.operation;
    const auto first = row.first.encode();
    auto query = database_->query(insert_operation_row);
    if (row.id) {
        query.bind(row.id->bytes());
    } else {
        query.bind_null();
    }
    query.bind(row.request.bytes()).bind(operation.card_id.bytes());
    query.bind(std::int64_t{operation.sequence}).bind(static_cast<std::int64_t>(row.as));
    query.bind(first.bytes());
    if (row.terminal) {
        query.bind(row.terminal->text());
    } else {
        query.bind_null();
    }
    return query.run_for_one();
}

Result<std::uint64_t> Transaction::restored_count()
{
    const auto count = database_->number(count_restored);
    if (!count) return count.error();
    return static_cast<std::uint64_t>(*count);
}

Result<void> Transaction::keep(const KeptRow& row)
{
    const auto& result = row.receipt.result;
    const auto digest = result.digest();
    const auto receipt = row.receipt.encode();
    const auto executed = row.executed.encode();
    auto query = database_->query(keep_row);
    query.bind(result.card_id.bytes()).bind(std::int64_t{result.sequence}).bind(digest.bytes());
    query.bind(receipt.bytes()).bind(executed.bytes());
    return query.run();
}

Result<std::vector<KeptRow>> Transaction::kept(const CardId& card_id, std::uint32_t sequence)
{
    auto query = database_->query(find_kept);
    query.bind(card_id.bytes()).bind(std::int64_t{sequence});
    return all_rows(query, read_kept);
}

Result<void> Transaction::drop_kept(const CardId& card_id, std::uint32_t sequence)
{
    auto query = database_->query(drop_kept_rows);
    return query.bind(card_id.bytes()).bind(std::int64_t{sequence}).run();
}

Result<std::size_t> Transaction::kept_count()
{
    const auto count = database_->number(count_kept);
    if (!count) return count.error();
    return static_cast<std::size_t>(*count);
}

Result<void> Transaction::put_evidence(const EvidenceRow& row)
{
    const auto digest = row.receipt.result.digest();
    const auto receipt = row.receipt.encode();
    const auto operation = row.operation ? row.operation->encode() : Encoded<100>{};
    auto query = database_->query(insert_evidence);
    query.bind(row.receipt.result.card_id.bytes()).bind(digest.bytes());
    query.bind(static_cast<std::int64_t>(row.reason)).bind(receipt.bytes());
    if (row.operation) {
        query.bind(operation.bytes());
    } else {
        query.bind_null();
    }
    return query.run();
}

Result<std::vector<EvidenceRow>> Transaction::evidence(std::size_t skip, std::size_t limit)
{
    auto query = database_->query(list_evidence);
    query.bind(as_column(limit)).bind(as_column(skip));
    return all_rows(query, read_evidence);
}

Result<std::vector<EvidenceRow>> Transaction::evidence(const CardId& card_id)
{
    auto query = database_->query(find_evidence);
    query.bind(card_id.bytes());
    return all_rows(query, read_evidence);
}

}  // namespace tallycard::sql
