// SPDX-License-Identifier: Apache-2.0
#include "../protocol/command_data.hpp"
#include "sql_transaction.hpp"

#define TALLYCARD_CARD_COLUMNS                                                                 \
    "card_id, certificate, public_key, transport_key, first_operation_key, operation_key, "    \
    "issued, denied, state, settled, balance, last_result, limits, offline_spent, recovered, " \
    "lost_since, given_up_at, written_off"
#define TALLYCARD_OPERATION_COLUMNS \
    "id, request, first, terminal, signed_as, consent, paid_card, paid_sequence"

namespace tallycard::sql {
namespace {

constexpr const char* find_card = "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE card_id = $1";
constexpr const char* find_card_of_transport_key =
    "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE transport_key = $1";
constexpr const char* list_cards =
    "SELECT " TALLYCARD_CARD_COLUMNS " FROM cards WHERE card_id > $1 ORDER BY card_id LIMIT $2";
constexpr const char* insert_card_row =
    "INSERT INTO cards(" TALLYCARD_CARD_COLUMNS
    ") VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
    "$16, $17, $18) ON CONFLICT DO NOTHING";
constexpr const char* update_card_row =
    "UPDATE cards SET operation_key = $1, issued = $2, denied = $3, state = $4, settled = $5, "
    "balance = $6, last_result = $7, limits = $8, offline_spent = $9, recovered = $10, "
    "lost_since = $11, given_up_at = $12, written_off = $13 WHERE card_id = $14";
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
constexpr const char* find_consented =
    "SELECT " TALLYCARD_OPERATION_COLUMNS
    " FROM operations AS o WHERE o.consented = $1 AND NOT EXISTS(SELECT 1 FROM entries AS e WHERE "
    "e.card_id = o.card_id AND e.sequence = o.sequence) ORDER BY o.card_id, o.sequence";
constexpr const char* find_refunds =
    "SELECT " TALLYCARD_OPERATION_COLUMNS
    " FROM operations WHERE paid_card = $1 AND paid_sequence = $2 ORDER BY card_id, sequence";
constexpr const char* insert_operation_row =
    "INSERT INTO operations(id, request, card_id, sequence, signed_as, first, terminal, consent, "
    "consented, paid_card, paid_sequence) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
    "ON CONFLICT DO NOTHING";
constexpr const char* count_restored = "SELECT count(*) FROM operations WHERE signed_as = 2";
constexpr const char* keep_row =
    "INSERT INTO kept(card_id, sequence, digest, receipt, executed, terminal, since, reference) "
    "VALUES($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
constexpr const char* find_kept =
    "SELECT receipt, executed, terminal, since, reference FROM kept WHERE card_id = $1 AND "
    "sequence = $2 "
    "ORDER BY digest";
constexpr const char* find_all_kept =
    "SELECT receipt, executed, terminal, since, reference FROM kept WHERE card_id = $1 "
    "ORDER BY sequence, digest";
constexpr const char* list_cards_with_kept =
    "SELECT DISTINCT card_id FROM kept WHERE card_id > $1 ORDER BY card_id LIMIT $2";
constexpr const char* drop_kept_rows = "DELETE FROM kept WHERE card_id = $1 AND sequence = $2";
constexpr const char* count_kept = "SELECT count(*) FROM kept";
constexpr const char* list_denials =
    "SELECT card_id, denied FROM denials WHERE line >= $1 ORDER BY line LIMIT $2";
constexpr const char* insert_denial =
    "INSERT INTO denials(line, card_id, denied) "
    "VALUES((SELECT coalesce(max(line) + 1, 0) FROM denials), $1, $2) ON CONFLICT DO NOTHING";
constexpr const char* insert_evidence =
    "INSERT INTO evidence(serial, card_id, digest, reason, receipt, operation) "
    "VALUES((SELECT coalesce(max(serial), 0) + 1 FROM evidence), $1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING";
constexpr const char* list_evidence =
    "SELECT reason, receipt, operation FROM evidence ORDER BY serial LIMIT $1 OFFSET $2";
constexpr const char* find_evidence =
    "SELECT reason, receipt, operation FROM evidence WHERE card_id = $1 ORDER BY serial";

std::int64_t read_amount(Query& query)
{
    const auto amount = query.number();
    query.require(amount >= 0);
    return amount;
}

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
    row.state = read_state(query);
    row.settled = read_sequence(query);
    row.balance = read_balance(query);
    row.last_result = query.bytes<Digest>();
    const auto limits = query.bytes<FixedBytes<34, struct LimitsColumn>>();
    const auto decoded = decode_limits(limits.bytes());
    query.require(decoded.has_value());
    row.limits = decoded.value_or(Limits{});
    row.offline_spent = read_balance(query);
    row.recovered = read_amount(query);
    row.lost_since = maybe(query, read_time);
    row.given_up_at = maybe(query, read_sequence);
    row.written_off = maybe(query, read_sequence);
    return row;
}

OperationRow read_operation(Query& query)
{
    OperationRow row;
    row.id = maybe(query, [](Query& q) { return q.bytes<OperationId>(); });
    row.request = query.bytes<Digest>();
    row.first = object<FirstInstruction>(query);
    row.terminal = maybe(query, read_account_id);
    const auto as = query.number();
    query.require(as >= 0 && as <= static_cast<int>(SignedAs::restored));
    row.as = static_cast<SignedAs>(as);
    row.consent = maybe(query, [](Query& q) { return q.bytes<Signature>(); });
    row.refunds = maybe(query, [](Query& q) {
        const auto card = q.bytes<CardId>();
        return PaymentName{card, read_sequence(q)};
    });
    if (!row.refunds) query.skip();
    query.require(row.first.operation.kind != Kind::payment);  // which nobody signs here
    return row;
}

KeptRow read_kept(Query& query)
{
    return {.receipt = object<Receipt>(query),
            .executed = object<ExecutedOperation>(query),
            .terminal = read_account_id(query),
            .since = read_time(query),
            .reference = maybe(query, read_reference)};
}

// Columns of a card that may be lost.
void bind_fate(Query& query, const CardRow& row)
{
    const auto number = [](std::uint32_t n) { return std::int64_t{n}; };
    query.bind(as_column(row.offline_spent.to_minor_units())).bind(row.recovered);
    bind_maybe(query, row.lost_since, [](Time time) { return as_column(time); });
    bind_maybe(query, row.given_up_at, number);
    bind_maybe(query, row.written_off, number);
}

// Nothing is before the empty blob.
std::span<const std::uint8_t> bytes_behind(const std::optional<CardId>& after)
{
    if (after) return after->bytes();
    return {reinterpret_cast<const std::uint8_t*>(""), 0};
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
    bind_fate(query, row);
    return query.run_for_one();
}

Result<void> Transaction::update_card(const CardRow& row)
{
    const auto limits = encode_limits(row.limits);
    auto query = database_->query(update_card_row);
    query.bind(row.operation_key.bytes()).bind(row.issued).bind(row.denied);
    query.bind(static_cast<std::int64_t>(row.state)).bind(std::int64_t{row.settled});
    query.bind(as_column(row.balance.to_minor_units())).bind(row.last_result.bytes());
    query.bind(limits);
    bind_fate(query, row);
    return query.bind(row.card_id.bytes()).run_for_one();
}

Result<std::vector<CardRow>> Transaction::cards(const std::optional<CardId>& after,
                                                std::size_t limit)
{
    auto query = database_->query(list_cards);
    query.bind(bytes_behind(after)).bind(as_column(limit));
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
    const auto consented = row.consent ? operation.account : std::nullopt;
    auto query = database_->query(insert_operation_row);
    bind_maybe(query, row.id, [](const OperationId& id) { return id.bytes(); });
    query.bind(row.request.bytes()).bind(operation.card_id.bytes());
    query.bind(std::int64_t{operation.sequence}).bind(static_cast<std::int64_t>(row.as));
    query.bind(first.bytes());
    const auto name = [](const AccountId& id) { return id.text(); };
    bind_maybe(query, row.terminal, name);
    bind_maybe(query, row.consent, [](const Signature& consent) { return consent.bytes(); });
    bind_maybe(query, consented, name);
    bind_maybe(query, row.refunds, [](const PaymentName& paid) { return paid.card_id.bytes(); });
    bind_maybe(query, row.refunds,
               [](const PaymentName& paid) { return std::int64_t{paid.sequence}; });
    return query.run_for_one();
}

Result<std::vector<OperationRow>> Transaction::consented(const AccountId& account)
{
    auto query = database_->query(find_consented);
    query.bind(account.text());
    return all_rows(query, read_operation);
}

Result<std::vector<OperationRow>> Transaction::refunds(const PaymentName& payment)
{
    auto query = database_->query(find_refunds);
    query.bind(payment.card_id.bytes()).bind(std::int64_t{payment.sequence});
    return all_rows(query, read_operation);
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
    query.bind(row.terminal.text()).bind(as_column(row.since));
    bind_maybe(query, row.reference, [](const Reference& reference) { return reference.text(); });
    return query.run();
}

Result<std::vector<KeptRow>> Transaction::kept(const CardId& card_id, std::uint32_t sequence)
{
    auto query = database_->query(find_kept);
    query.bind(card_id.bytes()).bind(std::int64_t{sequence});
    return all_rows(query, read_kept);
}

Result<std::vector<KeptRow>> Transaction::kept(const CardId& card_id)
{
    auto query = database_->query(find_all_kept);
    query.bind(card_id.bytes());
    return all_rows(query, read_kept);
}

Result<std::vector<CardId>> Transaction::cards_with_kept(const std::optional<CardId>& after,
                                                         std::size_t limit)
{
    auto query = database_->query(list_cards_with_kept);
    query.bind(bytes_behind(after)).bind(as_column(limit));
    return all_rows(query, [](Query& row) { return row.bytes<CardId>(); });
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

Result<std::vector<DenyListLine>> Transaction::deny_list(std::uint64_t from, std::size_t limit)
{
    auto query = database_->query(list_denials);
    query.bind(as_column(from)).bind(as_column(limit));
    return all_rows(query, [](Query& row) {
        const auto card_id = row.bytes<CardId>();
        return DenyListLine{card_id, row.number() != 0};
    });
}

Result<void> Transaction::append_denial(const DenyListLine& row)
{
    return database_->query(insert_denial).bind(row.card.bytes()).bind(row.denied).run_for_one();
}

}  // namespace tallycard::sql
