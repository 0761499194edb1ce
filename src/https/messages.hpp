// SPDX-License-Identifier: Apache-2.0
// What the service and its clients say to each other, as JSON. An object of the protocol travels as
// its exact bytes, in hex, as "object"; what people read stands beside it and must agree.
#pragma once

#include <optional>
#include <string>

#include <tallycard/card_registry.hpp>
#include <tallycard/checkpoint.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/store_rows.hpp>

#include "json.hpp"

namespace tallycard::https {

Json to_json(const Operation& operation);
Json to_json(const FirstInstruction& first);
Json to_json(const SecondInstruction& second);
Json to_json(const ExecutedOperation& executed);
Json to_json(const Receipt& receipt);
Json to_json(const Record& record);
Json to_json(const OperationRequest& request);
Json to_json(const TransferRequest& request);
Json to_json(const OperationStatus& status);
Json to_json(const CardStanding& standing);
Json to_json(const Settlement& settlement);
Json to_json(const NewCard& card);
Json to_json(const RegisteredCard& card);
Json to_json(const CardRow& card);
Json to_json(const AccountRow& account);
Json to_json(const IssuerDescription& issuer);

std::optional<FirstInstruction> read_first(const Json& json, Problem& problem, std::string where);
std::optional<SecondInstruction> read_second(const Json& json, Problem& problem, std::string where);
std::optional<Receipt> read_receipt(const Json& json, Problem& problem, std::string where);
std::optional<ExecutedOperation> read_executed(const Json& json, Problem& problem,
                                               std::string where);
std::optional<OperationRequest> read_request(const Json& json, Problem& problem);
std::optional<TransferRequest> read_transfer(const Json& json, Problem& problem);
std::optional<OperationStatus> read_status(const Json& json, Problem& problem);
std::optional<CardStanding> read_standing(const Json& json, Problem& problem);
std::optional<Settlement> read_settlement(const Json& json, Problem& problem);
std::optional<NewCard> read_new_card(const Json& json, Problem& problem);
std::optional<RegisteredCard> read_registered(const Json& json, Problem& problem);
std::optional<CardRow> read_card(const Json& json, Problem& problem);
std::optional<AccountRow> read_account(const Json& json, Problem& problem);
std::optional<IssuerDescription> read_issuer(const Json& json, Problem& problem);

// "top-up"; empty for what names no kind.
std::optional<Kind> kind_of(std::string_view name);

}  // namespace tallycard::https
