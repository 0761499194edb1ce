// SPDX-License-Identifier: Apache-2.0
// Requests and answers.
#include "messages.hpp"

#include <array>
#include <chrono>
#include <span>
#include <type_traits>

namespace tallycard::https {
namespace {

constexpr std::uint64_t largest_sequence = 0xFFFFFFFF, largest_amount = 0x7FFFFFFFFFFFFFFF;
constexpr std::uint64_t any_number = ~std::uint64_t{0};

Json to_json(const Limits& limits)
{
    return {{"maximum_balance", limits.maximum_balance.to_minor_units()},
            {"maximum_amount", limits.maximum_amount.to_minor_units()},
            {"pin_above", limits.pin_above.to_minor_units()},
            {"offline_payments", limits.offline_payments},
            {"offline_total", limits.offline_total.to_minor_units()}};
}

Balance balance(Fields& fields, const char* name)
{
    return Balance::minor_units(fields.number(name, Balance::largest));
}

std::optional<Limits> read_limits(const Json& json, Problem& problem)
{
    Fields fields(json, problem, "limits");
    Limits limits;
    limits.maximum_balance = balance(fields, "maximum_balance");
    limits.maximum_amount = balance(fields, "maximum_amount");
    limits.pin_above = balance(fields, "pin_above");
    limits.offline_payments = static_cast<std::uint16_t>(
        fields.number("offline_payments", Limits::most_offline_payments));
    limits.offline_total = balance(fields, "offline_total");
    if (!fields.finish()) return std::nullopt;
    return limits;
}

Limits limits(Fields& fields)
{
    const auto* json = fields.value("limits");
    if (json == nullptr) return {};
    return read_limits(*json, fields.problem()).value_or(Limits{});
}

SealedPersonalisation personalisation(Fields& fields)
{
    const auto hex = fields.text("personalisation");
    std::array<std::uint8_t, SealedPersonalisation::capacity> bytes{};
    const auto size = hex.size() / 2;
    if (size == 0 || size > bytes.size() || !detail::from_hex(hex, std::span(bytes).first(size))) {
        fields.refuse("personalisation", "1 to 255 bytes in lower-case hex are wanted");
        return {};
    }
    return SealedPersonalisation(std::span(bytes).first(size));
}

CardState state(Fields& fields, const char* field = "state")
{
    const auto text = fields.text(field);
    for (const auto state :
         {CardState::blank, CardState::operational, CardState::blocked, CardState::terminated})
        if (text == name(state)) return state;
    fields.refuse(field, "no such state");
    return CardState::blank;
}

Currency currency(Fields& fields)
{
    const auto unit = Unit::from_code(static_cast<std::uint16_t>(fields.number("unit", 0xFFFF)));
    if (!unit) fields.refuse("unit", "no such unit");
    return {.unit = unit.value_or(Unit{}),
            .exponent = static_cast<std::uint8_t>(fields.number("exponent", 0xFF))};
}

std::uint32_t sequence(Fields& fields, const char* name)
{
    return static_cast<std::uint32_t>(fields.number(name, largest_sequence));
}

std::int64_t milliseconds(Time time)
{
    return time.time_since_epoch().count();
}

Time time(Fields& fields, const char* name)
{
    const auto most = static_cast<std::uint64_t>(milliseconds(last_time));
    return Time(std::chrono::milliseconds(fields.number(name, most)));
}

// Minor units that are not below zero.
std::int64_t sum(Fields& fields, const char* name)
{
    return static_cast<std::int64_t>(fields.number(name, largest_amount));
}

template <class T>
std::optional<T> optional_bytes(Fields& fields, const char* name)
{
    if (!fields.has(name)) return std::nullopt;
    return fields.bytes<T>(name);
}

std::optional<std::uint32_t> optional_sequence(Fields& fields, const char* name)
{
    if (!fields.has(name)) return std::nullopt;
    return sequence(fields, name);
}

// Null where it is missing or no list, which is a problem.
const Json* list(Fields& fields, const char* name)
{
    const auto* json = fields.value(name);
    if (json == nullptr || json->is_array()) return json;
    fields.refuse(name, "a list is wanted");
    return nullptr;
}

// The object as `read` makes it; refused where it is missing.
template <class Read>
auto object(Fields& fields, const char* name, Read&& read)
    -> std::invoke_result_t<Read, const Json&, Problem&, std::string>
{
    const auto* json = fields.value(name);
    if (json == nullptr) return std::nullopt;
    return read(*json, fields.problem(), fields.path(name));
}

const char* name(Progress progress)
{
    switch (progress) {
    case Progress::pending: return "pending";
    case Progress::settled: return "settled";
    case Progress::voided: return "voided";
    }
    return "";
}

Progress progress(Fields& fields)
{
    const auto text = fields.text("progress");
    for (const auto progress : {Progress::pending, Progress::settled, Progress::voided})
        if (text == name(progress)) return progress;
    fields.refuse("progress", "pending, settled or voided is wanted");
    return Progress::pending;
}

// What an administrative operation sets, where it sets something.
Parameter parameter(Fields& fields)
{
    if (fields.has("limits")) {
        const auto* json = fields.value("limits");
        if (const auto limits = read_limits(*json, fields.problem())) return *limits;
    }
    if (fields.has("operation_key")) return fields.bytes<PublicKey>("operation_key");
    return {};
}

std::optional<FirstInstruction> optional_first(Fields& fields, const char* name)
{
    if (!fields.has(name)) return std::nullopt;
    return read_first(*fields.value(name), fields.problem(), name);
}

}  // namespace

Json to_json(const OperationRequest& request)
{
    Json json{{"id", request.id.to_string()},
              {"card_id", request.card_id.to_string()},
              {"kind", tallycard::name(request.kind)},
              {"amount", request.amount.to_minor_units()},
              {"terminal", std::string(request.terminal.text())}};
    if (const auto* limits = std::get_if<Limits>(&request.parameter))
        json["limits"] = to_json(*limits);
    if (const auto* key = std::get_if<PublicKey>(&request.parameter))
        json["operation_key"] = key->to_string();
    return json;
}

std::optional<OperationRequest> read_request(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto id = fields.bytes<OperationId>("id");
    const auto card_id = fields.bytes<CardId>("card_id");
    const auto kind = kind_of(fields.text("kind"));
    if (!kind) fields.refuse("kind", "no such kind");
    const auto amount = Amount::minor_units(fields.amount("amount"));
    const auto terminal = fields.parsed<AccountId>("terminal");
    const auto set = parameter(fields);
    if (!fields.finish()) return std::nullopt;
    return OperationRequest{.id = id,
                            .card_id = card_id,
                            .kind = *kind,
                            .amount = amount,
                            .parameter = set,
                            .terminal = *terminal};
}

namespace {

Json to_json(const PaymentName& payment)
{
    return {{"card_id", payment.card_id.to_string()}, {"sequence", payment.sequence}};
}

std::optional<PaymentName> read_payment_name(const Json& json, Problem& problem, std::string where)
{
    Fields fields(json, problem, std::move(where));
    PaymentName payment;
    payment.card_id = fields.bytes<CardId>("card_id");
    payment.sequence = sequence(fields, "sequence");
    if (!fields.finish()) return std::nullopt;
    return payment;
}

}  // namespace

Json to_json(const TransferRequest& request)
{
    Json json{{"id", request.id.to_string()},
              {"second", to_json(request.second)},
              {"terminal", std::string(request.terminal.text())}};
    if (request.consent) json["consent"] = request.consent->to_string();
    if (request.refunds) json["refunds"] = to_json(*request.refunds);
    return json;
}

std::optional<TransferRequest> read_transfer(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto id = fields.bytes<OperationId>("id");
    const auto second = object(fields, "second", read_second);
    const auto terminal = fields.parsed<AccountId>("terminal");
    const auto consent = optional_bytes<Signature>(fields, "consent");
    std::optional<PaymentName> refunds;
    if (fields.has("refunds")) refunds = object(fields, "refunds", read_payment_name);
    if (!fields.finish() || !second) return std::nullopt;
    return TransferRequest{
        .id = id, .second = *second, .terminal = *terminal, .consent = consent, .refunds = refunds};
}

Json to_json(const OperationStatus& status)
{
    Json json{{"progress", name(status.progress)}, {"first", to_json(status.first)}};
    if (status.receipt) json["receipt"] = to_json(*status.receipt);
    return json;
}

std::optional<OperationStatus> read_status(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    OperationStatus status;
    status.progress = progress(fields);
    const auto* first = fields.value("first");
    if (first == nullptr) return std::nullopt;
    if (const auto read = read_first(*first, problem, "first")) status.first = *read;
    if (fields.has("receipt"))
        status.receipt = read_receipt(*fields.value("receipt"), problem, "receipt");
    if (!fields.finish()) return std::nullopt;
    return status;
}

Json to_json(const CardStanding& standing)
{
    Json json{{"card_id", standing.card_id.to_string()},
              {"public_key", standing.public_key.to_string()},
              {"unit", standing.currency.unit.code()},
              {"exponent", standing.currency.exponent},
              {"state", tallycard::name(standing.state)},
              {"settled", standing.settled},
              {"balance", standing.balance.to_minor_units()},
              {"denied", standing.denied}};
    if (standing.pending) json["pending"] = to_json(*standing.pending);
    json["withheld"] = standing.withheld;
    if (standing.voiding) json["voiding"] = to_json(*standing.voiding);
    return json;
}

std::optional<CardStanding> read_standing(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    CardStanding standing;
    standing.card_id = fields.bytes<CardId>("card_id");
    standing.public_key = fields.bytes<PublicKey>("public_key");
    standing.currency = currency(fields);
    standing.state = state(fields);
    standing.settled = sequence(fields, "settled");
    standing.balance = balance(fields, "balance");
    standing.denied = fields.flag("denied");
    standing.pending = optional_first(fields, "pending");
    standing.withheld = fields.flag("withheld");
    standing.voiding = optional_first(fields, "voiding");
    if (!fields.finish()) return std::nullopt;
    return standing;
}

Json to_json(const Submission& submission)
{
    Json json{{"receipt", to_json(submission.receipt)}};
    if (submission.executed) json["operation"] = to_json(*submission.executed);
    json["terminal"] = std::string(submission.terminal.text());
    if (submission.reference) json["reference"] = std::string(submission.reference->text());
    return json;
}

std::optional<Submission> read_submission(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto receipt = object(fields, "receipt", read_receipt);
    std::optional<ExecutedOperation> executed;
    if (fields.has("operation")) executed = object(fields, "operation", read_executed);
    const auto terminal = fields.parsed<AccountId>("terminal");
    std::optional<Reference> reference;
    if (fields.has("reference")) reference = fields.parsed<Reference>("reference");
    if (!fields.finish() || !receipt) return std::nullopt;
    return Submission{*receipt, executed, *terminal, reference};
}

Json to_json(const Settlement& settlement)
{
    return {{"settled", settlement.settled},
            {"restored", settlement.restored},
            {"sequence", settlement.sequence},
            {"balance", settlement.balance.to_minor_units()},
            {"ledger_index", settlement.ledger_index}};
}

std::optional<Settlement> read_settlement(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    Settlement settlement;
    settlement.settled = fields.flag("settled");
    settlement.restored = fields.flag("restored");
    settlement.sequence = sequence(fields, "sequence");
    settlement.balance = balance(fields, "balance");
    settlement.ledger_index = fields.number("ledger_index", any_number);
    if (!fields.finish()) return std::nullopt;
    return settlement;
}

Json to_json(const AccountStanding& standing)
{
    Json json{{"account", std::string(standing.account.text())},
              {"balance", standing.balance},
              {"reserved", standing.reserved},
              {"number", standing.number}};
    if (standing.key) json["key"] = standing.key->to_string();
    return json;
}

std::optional<AccountStanding> read_account_standing(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto account = fields.parsed<AccountId>("account");
    const auto balance = fields.amount("balance");
    const auto reserved = sum(fields, "reserved");
    const auto number = sequence(fields, "number");
    const auto key = optional_bytes<PublicKey>(fields, "key");
    if (!fields.finish()) return std::nullopt;
    return AccountStanding{*account, balance, reserved, number, key};
}

Json to_json(const SignedOrder& order)
{
    Json json{{"order", to_json(order.order)}};
    if (order.owner) json["owner"] = order.owner->to_string();
    return json;
}

std::optional<SignedOrder> read_signed_order(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto order = object(fields, "order", read_order);
    const auto owner = optional_bytes<Signature>(fields, "owner");
    if (!fields.finish() || !order) return std::nullopt;
    return SignedOrder{*order, owner};
}

Json to_json(const ExecutedOrder& executed)
{
    return {{"record", to_json(executed.record)},
            {"time", milliseconds(executed.time)},
            {"ledger_index", executed.ledger_index}};
}

std::optional<ExecutedOrder> read_executed_order(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto record = object(fields, "record", read_account_record);
    const auto when = time(fields, "time");
    const auto index = fields.number("ledger_index", any_number);
    if (!fields.finish() || !record) return std::nullopt;
    return ExecutedOrder{*record, when, index};
}

Json to_json(const CardRow& card)
{
    Json json{{"card_id", card.card_id.to_string()},
              {"certificate", card.certificate.to_string()},
              {"public_key", card.public_key.to_string()},
              {"transport_key_digest", card.transport_key.to_string()},
              {"first_operation_key", card.first_operation_key.to_string()},
              {"operation_key", card.operation_key.to_string()},
              {"issued", card.issued},
              {"denied", card.denied},
              {"state", tallycard::name(card.state)},
              {"settled", card.settled},
              {"balance", card.balance.to_minor_units()},
              {"last_result", card.last_result.to_string()},
              {"limits", to_json(card.limits)},
              {"offline_spent", card.offline_spent.to_minor_units()},
              {"recovered", card.recovered}};
    if (card.lost_since) json["lost_since"] = milliseconds(*card.lost_since);
    if (card.given_up_at) json["given_up_at"] = *card.given_up_at;
    if (card.written_off) json["written_off"] = *card.written_off;
    return json;
}

namespace {

CardRow row(Fields& fields)
{
    CardRow card;
    card.card_id = fields.bytes<CardId>("card_id");
    card.certificate = fields.bytes<Certificate>("certificate");
    card.public_key = fields.bytes<PublicKey>("public_key");
    card.transport_key = fields.bytes<Digest>("transport_key_digest");
    card.first_operation_key = fields.bytes<PublicKey>("first_operation_key");
    card.operation_key = fields.bytes<PublicKey>("operation_key");
    card.issued = fields.flag("issued");
    card.denied = fields.flag("denied");
    card.state = state(fields);
    card.settled = sequence(fields, "settled");
    card.balance = balance(fields, "balance");
    card.last_result = fields.bytes<Digest>("last_result");
    card.limits = limits(fields);
    card.offline_spent = balance(fields, "offline_spent");
    card.recovered = sum(fields, "recovered");
    if (fields.has("lost_since")) card.lost_since = time(fields, "lost_since");
    card.given_up_at = optional_sequence(fields, "given_up_at");
    card.written_off = optional_sequence(fields, "written_off");
    return card;
}

}  // namespace

std::optional<CardRow> read_card(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    auto card = row(fields);
    if (!fields.finish()) return std::nullopt;
    return card;
}

Json to_json(const NewCard& card)
{
    return {{"card_id", card.card_id.to_string()},
            {"certificate", card.certificate.to_string()},
            {"public_key", card.public_key.to_string()},
            {"transport_key_digest", card.transport_key.to_string()},
            {"limits", to_json(card.limits)},
            {"personalisation", to_hex(card.sealed)}};
}

std::optional<NewCard> read_new_card(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    NewCard card;
    card.card_id = fields.bytes<CardId>("card_id");
    card.certificate = fields.bytes<Certificate>("certificate");
    card.public_key = fields.bytes<PublicKey>("public_key");
    card.transport_key = fields.bytes<Digest>("transport_key_digest");
    card.limits = limits(fields);
    card.sealed = personalisation(fields);
    if (!fields.finish()) return std::nullopt;
    return card;
}

Json to_json(const RegisteredCard& card)
{
    auto json = to_json(card.row);
    if (card.sealed) json["personalisation"] = to_hex(*card.sealed);
    return json;
}

std::optional<RegisteredCard> read_registered(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    RegisteredCard card;
    card.row = row(fields);
    if (fields.has("personalisation")) card.sealed = personalisation(fields);
    if (!fields.finish()) return std::nullopt;
    return card;
}

const char* text_of(AccountKind kind) noexcept
{
    switch (kind) {
    case AccountKind::cash: return "cash";
    case AccountKind::associated: return "associated";
    case AccountKind::card: return "card";
    case AccountKind::outside: return "outside";
    }
    return "";
}

std::optional<AccountKind> account_kind_of(std::string_view name)
{
    for (const auto kind : {AccountKind::cash, AccountKind::associated, AccountKind::outside})
        if (name == text_of(kind)) return kind;
    return std::nullopt;
}

Json to_json(const AccountRow& account)
{
    Json json{{"kind", text_of(account.name.kind)},
              {"account", std::string(account.name.id.text())},
              {"balance", account.balance},
              {"reserved", account.reserved},
              {"number", account.number}};
    if (account.key) json["key"] = account.key->to_string();
    return json;
}

std::optional<AccountRow> read_account(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto kind = account_kind_of(fields.text("kind"));
    if (!kind) fields.refuse("kind", "cash, associated or outside is wanted");
    const auto account = fields.parsed<AccountId>("account");
    const auto balance = fields.amount("balance");
    const auto reserved = sum(fields, "reserved");
    const auto number = sequence(fields, "number");
    const auto key = optional_bytes<PublicKey>(fields, "key");
    if (!fields.finish()) return std::nullopt;
    return AccountRow{.name = {.kind = *kind, .id = *account},
                      .balance = balance,
                      .reserved = reserved,
                      .number = number,
                      .key = key};
}

Json to_json(const Recoverable& recoverable)
{
    return {{"book", recoverable.book},
            {"kept", recoverable.kept},
            {"held_back", recoverable.held_back},
            {"free", recoverable.free},
            {"held_until", milliseconds(recoverable.held_until)}};
}

std::optional<Recoverable> read_recoverable(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    Recoverable recoverable;
    recoverable.book = sum(fields, "book");
    recoverable.kept = sum(fields, "kept");
    recoverable.held_back = sum(fields, "held_back");
    recoverable.free = sum(fields, "free");
    // A quarantine may end behind the last time that an entry can have.
    recoverable.held_until = Time(std::chrono::milliseconds(sum(fields, "held_until")));
    if (!fields.finish()) return std::nullopt;
    return recoverable;
}

namespace {

Json to_json(const KeptRow& row)
{
    Json json{{"receipt", https::to_json(row.receipt)},
              {"operation", https::to_json(row.executed)},
              {"terminal", std::string(row.terminal.text())},
              {"since", milliseconds(row.since)}};
    if (row.reference) json["reference"] = std::string(row.reference->text());
    return json;
}

std::optional<KeptRow> read_kept_row(const Json& json, Problem& problem)
{
    Fields fields(json, problem, "kept");
    const auto receipt = object(fields, "receipt", read_receipt);
    const auto executed = object(fields, "operation", read_executed);
    const auto terminal = fields.parsed<AccountId>("terminal");
    const auto since = time(fields, "since");
    std::optional<Reference> reference;
    if (fields.has("reference")) reference = fields.parsed<Reference>("reference");
    if (!fields.finish() || !receipt || !executed) return std::nullopt;
    return KeptRow{*receipt, *executed, *terminal, since, reference};
}

}  // namespace

Json to_json(const KeptResults& kept)
{
    auto rows = Json::array();
    for (const auto& row : kept.rows) rows.push_back(to_json(row));
    Json json{{"card_id", kept.card_id.to_string()}};
    json["kept"] = std::move(rows);
    return json;
}

std::optional<KeptResults> read_kept(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    KeptResults kept{.card_id = fields.bytes<CardId>("card_id"), .rows = {}};
    const auto* rows = list(fields, "kept");
    if (rows == nullptr) return std::nullopt;
    for (const auto& item : *rows)
        if (auto row = read_kept_row(item, problem)) kept.rows.push_back(*row);
    if (!fields.finish()) return std::nullopt;
    return kept;
}

Json to_json(const GapRow& gap)
{
    return {{"card_id", gap.card_id.to_string()},
            {"first", gap.first},
            {"last", gap.last},
            {"ledger_index", gap.index},
            {"state_before", tallycard::name(gap.state_before)},
            {"balance_before", gap.balance_before.to_minor_units()},
            {"balance_after", gap.balance_after.to_minor_units()},
            {"result_before", gap.result_before.to_string()},
            {"result_after", gap.result_after.to_string()},
            {"operation_key", gap.operation_key.to_string()},
            {"left", gap.left}};
}

std::optional<GapRow> read_gap(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    GapRow gap;
    gap.card_id = fields.bytes<CardId>("card_id");
    gap.first = sequence(fields, "first");
    gap.last = sequence(fields, "last");
    gap.index = fields.number("ledger_index", any_number);
    gap.state_before = state(fields, "state_before");
    gap.balance_before = balance(fields, "balance_before");
    gap.balance_after = balance(fields, "balance_after");
    gap.result_before = fields.bytes<Digest>("result_before");
    gap.result_after = fields.bytes<Digest>("result_after");
    gap.operation_key = fields.bytes<PublicKey>("operation_key");
    gap.left = sum(fields, "left");
    if (!fields.finish()) return std::nullopt;
    return gap;
}

Json to_json(const DenyListPart& part)
{
    auto lines = Json::array();
    for (const auto& line : part.update.lines)
        lines.push_back((line.denied ? '+' : '-') + line.card.to_string());
    Json json;
    json["lines"] = std::move(lines);
    json["note"] = part.update.note;
    if (part.next) json["next"] = *part.next;
    return json;
}

std::optional<DenyListPart> read_deny_list(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    DenyListPart part;
    const auto* lines = list(fields, "lines");
    if (lines == nullptr) return std::nullopt;
    for (const auto& item : *lines) {
        const auto text = item.is_string() ? item.get<std::string>() : std::string();
        const bool denied = text.starts_with('+');
        const auto card = denied || text.starts_with('-')
                              ? CardId::parse(std::string_view(text).substr(1))
                              : std::nullopt;
        if (!card) fields.refuse("lines", "a sign and a card id are wanted");
        part.update.lines.push_back({card.value_or(CardId{}), denied});
    }
    part.update.note = fields.text("note");
    if (fields.has("next")) part.next = fields.number("next", any_number);
    if (!fields.finish()) return std::nullopt;
    return part;
}

Json to_json(const IssuerDescription& issuer)
{
    auto keys = Json::array();
    for (const auto& key : issuer.operation_keys) keys.push_back(key.to_string());
    return {{"origin", issuer.origin},
            {"unit", issuer.currency.unit.code()},
            {"exponent", issuer.currency.exponent},
            {"card_root", issuer.card_root.to_string()},
            {"checkpoint_key", issuer.checkpoint_key.to_string()},
            {"operation_keys", keys}};
}

std::optional<IssuerDescription> read_issuer(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    IssuerDescription issuer;
    issuer.origin = fields.text("origin");
    issuer.currency = currency(fields);
    issuer.card_root = fields.bytes<PublicKey>("card_root");
    issuer.checkpoint_key = fields.bytes<PublicKey>("checkpoint_key");
    const auto* keys = fields.value("operation_keys");
    if (keys == nullptr || !keys->is_array() || keys->empty()) {
        fields.refuse("operation_keys", "a list of keys is wanted");
        return std::nullopt;
    }
    for (const auto& key : *keys) {
        const auto parsed =
            key.is_string() ? PublicKey::parse(key.get<std::string>()) : std::optional<PublicKey>();
        if (!parsed) fields.refuse("operation_keys", "a list of keys is wanted");
        issuer.operation_keys.push_back(parsed.value_or(PublicKey{}));
    }
    if (!fields.finish()) return std::nullopt;
    return issuer;
}

std::string text_of(const AccountName& name)
{
    return std::string(text_of(name.kind)) + '/' + std::string(name.id.text());
}

std::optional<AccountName> account_name_of(std::string_view text)
{
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto word = text.substr(0, slash);
    const auto kind = word == "card" ? std::optional(AccountKind::card) : account_kind_of(word);
    const auto id = AccountId::parse(text.substr(slash + 1));
    if (!kind || !id) return std::nullopt;
    if (*kind == AccountKind::card && !CardId::parse(id->text())) return std::nullopt;
    return AccountName{.kind = *kind, .id = *id};
}

namespace {

Json to_json(const Posting& posting)
{
    return {{"from", text_of(posting.debit)},
            {"to", text_of(posting.credit)},
            {"amount", posting.amount.to_minor_units()},
            {"from_after", posting.debit_after},
            {"to_after", posting.credit_after}};
}

std::optional<Posting> read_posting(const Json& json, Problem& problem, std::string where)
{
    Fields fields(json, problem, std::move(where));
    const auto debit = account_name_of(fields.text("from"));
    const auto credit = account_name_of(fields.text("to"));
    if (!debit || !credit) fields.refuse("from", "KIND/NAME is wanted, and in 'to'");
    const auto amount = Amount::minor_units(fields.amount("amount"));
    const auto debit_after = fields.amount("from_after"), credit_after = fields.amount("to_after");
    if (!fields.finish()) return std::nullopt;
    return Posting{*debit, *credit, amount, debit_after, credit_after};
}

Json to_json(const LedgerRow& row)
{
    Json json{{"ledger_index", row.index}, {"entry", https::to_json(row.entry)}};
    if (row.posting) json["posting"] = to_json(*row.posting);
    if (row.reference) json["reference"] = std::string(row.reference->text());
    if (row.refunds) {
        json["refunds"] = {{"card_id", row.refunds->card_id.to_string()},
                           {"sequence", row.refunds->sequence}};
    }
    return json;
}

std::optional<LedgerRow> read_ledger_row(const Json& json, Problem& problem)
{
    Fields fields(json, problem, "rows");
    const auto index = fields.number("ledger_index", any_number);
    const auto entry = object(fields, "entry", read_entry);
    std::optional<Posting> posting;
    if (fields.has("posting")) posting = object(fields, "posting", read_posting);
    std::optional<Reference> reference;
    if (fields.has("reference")) reference = fields.parsed<Reference>("reference");
    std::optional<PaymentName> refunds;
    if (fields.has("refunds")) refunds = object(fields, "refunds", read_payment_name);
    if (!fields.finish() || !entry) return std::nullopt;
    return LedgerRow{index, *entry, posting, reference, refunds};
}

}  // namespace

Json to_json(const StatementPage& page)
{
    auto rows = Json::array();
    for (const auto& row : page.rows) rows.push_back(to_json(row));
    Json json;
    json["rows"] = std::move(rows);
    if (page.next) json["next"] = *page.next;
    return json;
}

std::optional<StatementPage> read_statement(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    StatementPage page;
    const auto* rows = list(fields, "rows");
    if (rows == nullptr) return std::nullopt;
    for (const auto& item : *rows)
        if (auto row = read_ledger_row(item, problem)) page.rows.push_back(*row);
    if (fields.has("next")) page.next = fields.number("next", any_number);
    if (!fields.finish()) return std::nullopt;
    return page;
}

}  // namespace tallycard::https
