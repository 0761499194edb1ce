// SPDX-License-Identifier: Apache-2.0
// What the service and its clients say to each other, as JSON. An object of the protocol travels as
// its exact bytes, in hex, as "object"; what people read stands beside it and must agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/card_registry.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/store_rows.hpp>

#include "json.hpp"

namespace tallycard::https {

// Results of one card that are kept.
struct KeptResults {
    CardId card_id;
    std::vector<KeptRow> rows;
};

// Lines of the deny list that follow each other, and the note on all of it.
struct DenyListPart {
    DenyListUpdate update;
    std::optional<std::uint64_t> next{};  // where the next part begins: absent after the last
};

Json to_json(const Operation& operation);
Json to_json(const FirstInstruction& first);
Json to_json(const SecondInstruction& second);
Json to_json(const ExecutedOperation& executed);
Json to_json(const Receipt& receipt);
Json to_json(const AccountOrder& order);
Json to_json(const AccountRecord& record);
Json to_json(const Entry& entry);
Json to_json(const OperationRequest& request);
Json to_json(const TransferRequest& request);
Json to_json(const OperationStatus& status);
Json to_json(const CardStanding& standing);
Json to_json(const Submission& submission);
Json to_json(const Settlement& settlement);
Json to_json(const AccountStanding& standing);
Json to_json(const SignedOrder& order);
Json to_json(const ExecutedOrder& executed);
Json to_json(const NewCard& card);
Json to_json(const RegisteredCard& card);
Json to_json(const CardRow& card);
Json to_json(const AccountRow& account);
Json to_json(const Recoverable& recoverable);
Json to_json(const KeptResults& kept);
Json to_json(const GapRow& gap);
Json to_json(const DenyListPart& part);
Json to_json(const IssuerDescription& issuer);

std::optional<FirstInstruction> read_first(const Json& json, Problem& problem, std::string where);
std::optional<SecondInstruction> read_second(const Json& json, Problem& problem, std::string where);
std::optional<Receipt> read_receipt(const Json& json, Problem& problem, std::string where);
std::optional<ExecutedOperation> read_executed(const Json& json, Problem& problem,
                                               std::string where);
std::optional<AccountOrder> read_order(const Json& json, Problem& problem, std::string where);
std::optional<Entry> read_entry(const Json& json, Problem& problem, std::string where);
std::optional<AccountRecord> read_account_record(const Json& json, Problem& problem,
                                                 std::string where);
std::optional<OperationRequest> read_request(const Json& json, Problem& problem);
std::optional<TransferRequest> read_transfer(const Json& json, Problem& problem);
std::optional<OperationStatus> read_status(const Json& json, Problem& problem);
std::optional<CardStanding> read_standing(const Json& json, Problem& problem);
Json to_json(const StatementPage& page);
std::optional<StatementPage> read_statement(const Json& json, Problem& problem);
std::optional<Submission> read_submission(const Json& json, Problem& problem);
std::optional<Settlement> read_settlement(const Json& json, Problem& problem);
std::optional<AccountStanding> read_account_standing(const Json& json, Problem& problem);
std::optional<SignedOrder> read_signed_order(const Json& json, Problem& problem);
std::optional<ExecutedOrder> read_executed_order(const Json& json, Problem& problem);
std::optional<NewCard> read_new_card(const Json& json, Problem& problem);
std::optional<RegisteredCard> read_registered(const Json& json, Problem& problem);
std::optional<CardRow> read_card(const Json& json, Problem& problem);
std::optional<AccountRow> read_account(const Json& json, Problem& problem);
std::optional<Recoverable> read_recoverable(const Json& json, Problem& problem);
std::optional<KeptResults> read_kept(const Json& json, Problem& problem);
std::optional<GapRow> read_gap(const Json& json, Problem& problem);
std::optional<DenyListPart> read_deny_list(const Json& json, Problem& problem);
std::optional<IssuerDescription> read_issuer(const Json& json, Problem& problem);

// "top-up"; empty for what names no kind.
std::optional<Kind> kind_of(std::string_view name);

// "cash", "associated", "outside": of an account that is no card's.
const char* text_of(AccountKind kind) noexcept;
// "cash/T1", "associated/SHOP-1", "card/00...", "outside/bank"; and the account of such a text.
std::string text_of(const AccountName& name);
std::optional<AccountName> account_name_of(std::string_view text);
std::optional<AccountKind> account_kind_of(std::string_view name);

}  // namespace tallycard::https
