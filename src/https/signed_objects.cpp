// SPDX-License-Identifier: Apache-2.0
// Objects of the protocol: their bytes, and what people read.
#include <span>
#include <vector>

#include <tallycard/entry.hpp>

#include "messages.hpp"

namespace tallycard::https {
namespace {

constexpr std::size_t largest_object = Entry::max_encoded;

Json described(const Operation& operation)
{
    Json json{{"kind", name(operation.kind)},
              {"card_id", operation.card_id.to_string()},
              {"sequence", operation.sequence},
              {"amount", operation.amount.to_minor_units()},
              {"unit", operation.unit.code()}};
    if (operation.account) json["account"] = std::string(operation.account->text());
    return json;
}

Json described(const CardResult& result)
{
    return {{"card_id", result.card_id.to_string()},
            {"sequence", result.sequence},
            {"balance", result.balance.to_minor_units()},
            {"state", name(result.state)}};
}

Json described(const AccountOrder& order)
{
    Json json{{"kind", name(order.kind)},  {"account", std::string(order.account.text())},
              {"number", order.number},    {"amount", order.amount.to_minor_units()},
              {"unit", order.unit.code()}, {"id", order.id.to_string()}};
    if (order.other) json["other"] = std::string(order.other->text());
    if (order.key) json["key"] = order.key->to_string();
    if (order.reference) json["reference"] = std::string(order.reference->text());
    return json;
}

Json described(const DeliveredRecord& delivered)
{
    auto json = described(delivered.record.operation);
    json.update(described(delivered.record.receipt.result));
    json["terminal"] = std::string(delivered.terminal.text());
    return json;
}

Json described(const AccountRecord& record)
{
    return described(record.order);
}

Json described(const Gap& gap)
{
    return {{"kind", "gap"},
            {"card_id", gap.card_id.to_string()},
            {"last", gap.last},
            {"balance", gap.balance.to_minor_units()}};
}

template <class T>
Json with_bytes(const T& object, const Json& description)
{
    Json json{{"object", to_hex(object.encode())}};
    json.update(description);
    return json;
}

std::optional<std::vector<std::uint8_t>> bytes_of(Fields& fields)
{
    const auto hex = fields.text("object");
    if (hex.size() % 2 != 0 || hex.size() > 2 * largest_object) {
        fields.refuse("object", "bytes in lower-case hex are wanted");
        return std::nullopt;
    }
    std::vector<std::uint8_t> bytes(hex.size() / 2);
    if (!detail::from_hex(hex, bytes)) {
        fields.refuse("object", "bytes in lower-case hex are wanted");
        return std::nullopt;
    }
    return bytes;
}

// The bytes count. What stands beside them may be left out, and may not differ.
template <class T>
std::optional<T> read_object(const Json& json, Problem& problem, std::string where)
{
    Fields fields(json, problem, std::move(where));
    const auto bytes = bytes_of(fields);
    if (!bytes || problem.found()) return std::nullopt;
    const auto object = T::decode(*bytes);
    if (!object) {
        fields.refuse("object", "not an object of the protocol");
        return std::nullopt;
    }
    const auto expected = to_json(*object);
    for (const auto& [key, value] : json.items()) {
        if (!expected.contains(key)) fields.refuse(key.c_str(), "no such field");
        if (expected.contains(key) && expected.at(key) != value)
            fields.refuse(key.c_str(), "not what the object says");
    }
    if (problem.found()) return std::nullopt;
    return *object;
}

}  // namespace

std::optional<Kind> kind_of(std::string_view text)
{
    for (unsigned byte = 0; byte < 256; ++byte) {
        const auto kind = kind_from_byte(static_cast<std::uint8_t>(byte));
        if (kind && text == name(*kind)) return kind;
    }
    return std::nullopt;
}

Json to_json(const Operation& operation)
{
    return with_bytes(operation, described(operation));
}

Json to_json(const FirstInstruction& first)
{
    return with_bytes(first, described(first.operation));
}

Json to_json(const SecondInstruction& second)
{
    return with_bytes(second, described(second.operation));
}

Json to_json(const ExecutedOperation& executed)
{
    return with_bytes(executed, described(executed.operation));
}

Json to_json(const Receipt& receipt)
{
    return with_bytes(receipt, described(receipt.result));
}

Json to_json(const AccountOrder& order)
{
    return with_bytes(order, described(order));
}

Json to_json(const AccountRecord& record)
{
    return with_bytes(record, described(record));
}

Json to_json(const Entry& entry)
{
    Json description{{"time", entry.time.time_since_epoch().count()}};
    description.update(std::visit([](const auto& what) { return described(what); }, entry.what));
    return with_bytes(entry, description);
}

std::optional<FirstInstruction> read_first(const Json& json, Problem& problem, std::string where)
{
    return read_object<FirstInstruction>(json, problem, std::move(where));
}

std::optional<SecondInstruction> read_second(const Json& json, Problem& problem, std::string where)
{
    return read_object<SecondInstruction>(json, problem, std::move(where));
}

std::optional<Receipt> read_receipt(const Json& json, Problem& problem, std::string where)
{
    return read_object<Receipt>(json, problem, std::move(where));
}

std::optional<ExecutedOperation> read_executed(const Json& json, Problem& problem,
                                               std::string where)
{
    return read_object<ExecutedOperation>(json, problem, std::move(where));
}

std::optional<AccountOrder> read_order(const Json& json, Problem& problem, std::string where)
{
    return read_object<AccountOrder>(json, problem, std::move(where));
}

std::optional<Entry> read_entry(const Json& json, Problem& problem, std::string where)
{
    return read_object<Entry>(json, problem, std::move(where));
}

std::optional<AccountRecord> read_account_record(const Json& json, Problem& problem,
                                                 std::string where)
{
    return read_object<AccountRecord>(json, problem, std::move(where));
}

}  // namespace tallycard::https
