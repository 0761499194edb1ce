// SPDX-License-Identifier: Apache-2.0
// Requests and answers.
#include "messages.hpp"

#include <array>
#include <span>

namespace tallycard::https {
namespace {

constexpr std::uint64_t largest_sequence = 0xFFFFFFFF;

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

CardState state(Fields& fields)
{
    const auto text = fields.text("state");
    for (const auto state :
         {CardState::blank, CardState::operational, CardState::blocked, CardState::terminated})
        if (text == name(state)) return state;
    fields.refuse("state", "no such state");
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

Json to_json(const TransferRequest& request)
{
    return {{"id", request.id.to_string()},
            {"second", to_json(request.second)},
            {"terminal", std::string(request.terminal.text())}};
}

std::optional<TransferRequest> read_transfer(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto id = fields.bytes<OperationId>("id");
    std::optional<SecondInstruction> second;
    if (const auto* object = fields.value("second"))
        second = read_second(*object, problem, "second");
    const auto terminal = fields.parsed<AccountId>("terminal");
    if (!fields.finish() || !second) return std::nullopt;
    return TransferRequest{.id = id, .second = *second, .terminal = *terminal};
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
    settlement.ledger_index = fields.number("ledger_index", ~std::uint64_t{0});
    if (!fields.finish()) return std::nullopt;
    return settlement;
}

Json to_json(const CardRow& card)
{
    return {{"card_id", card.card_id.to_string()},
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
            {"limits", to_json(card.limits)}};
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

Json to_json(const AccountRow& account)
{
    return {{"kind", account.name.kind == AccountKind::cash ? "cash" : "associated"},
            {"account", std::string(account.name.id.text())},
            {"balance", account.balance},
            {"reserved", account.reserved}};
}

std::optional<AccountRow> read_account(const Json& json, Problem& problem)
{
    Fields fields(json, problem);
    const auto kind = fields.text("kind");
    if (kind != "cash" && kind != "associated")
        fields.refuse("kind", "cash or associated is wanted");
    const auto account = fields.parsed<AccountId>("account");
    const auto balance = fields.amount("balance"), reserved = fields.amount("reserved");
    if (!fields.finish()) return std::nullopt;
    return AccountRow{.name = {.kind = kind == "cash" ? AccountKind::cash : AccountKind::associated,
                               .id = *account},
                      .balance = balance,
                      .reserved = reserved};
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

}  // namespace tallycard::https
