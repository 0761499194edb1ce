// SPDX-License-Identifier: Apache-2.0
// Accounts and their owners' orders.
#include "api.hpp"

namespace tallycard::service::api {
namespace {

constexpr std::uint64_t most_rows = 1000, usual_rows = 200;

constexpr std::uint64_t most_lines = 256, anything = ~std::uint64_t{0};

std::optional<AccountName> account_parameter(Parameters& parameters, const char* name)
{
    const auto text = parameters.word(name);
    if (!text) return std::nullopt;
    const auto account = https::account_name_of(*text);
    if (!account) parameters.refuse(name, "KIND/NAME is wanted");
    return account;
}

std::optional<Time> time_parameter(Parameters& parameters, const char* name)
{
    constexpr auto most = static_cast<std::uint64_t>(last_time.time_since_epoch().count());
    const auto number = parameters.number(name, most);
    if (!number) return std::nullopt;
    return Time(std::chrono::milliseconds(*number));
}

std::optional<Amount> amount_parameter(Parameters& parameters, const char* name)
{
    const auto number = parameters.number(name, Balance::largest);
    if (!number) return std::nullopt;
    return Amount::minor_units(static_cast<std::int64_t>(*number));
}

// A merchant sees what concerns its accounts; who may look sees all.
Result<void> check_seen(const Call& call, const std::optional<AccountName>& account)
{
    if (has(call, role::issuer | role::auditor)) return {};
    if (!account || account->kind != AccountKind::associated) return not_permitted("account");
    return check_own(call, account->id, "account");
}

// The owner's signature decides of what owners sign: a merchant hands it over for its accounts.
// Everything else is the issuer's.
Result<void> check_order(const Call& call, const AccountOrder& order)
{
    if (has(call, role::issuer)) return {};
    if (!needs_owner(order.kind) || needs_reference(order.kind)) return not_permitted("role");
    return check_own(call, order.account, "account");
}

}  // namespace

Answer accounts(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto limit = parameters.limit(most_rows, usual_rows);
    const auto after = account_parameter(parameters, "after");
    if (!parameters.finish()) return malformed(parameters.problem());
    return page("accounts", works.platform.accounts(after, limit), limit,
                [](const AccountRow& row) { return https::text_of(row.name); });
}

Answer account_standing(Works& works, const Call& call)
{
    return with<AccountId>("account", call.captured[0], [&](const AccountId& account) {
        if (!has(call, role::issuer | role::auditor)) {
            if (const auto own = check_own(call, account, "account"); !own)
                return refusal(own.error());
        }
        return answer(works.platform.account_standing(account));
    });
}

Answer statement(Works& works, const Call& call)
{
    Parameters parameters(call);
    StatementQuery query;
    query.account = account_parameter(parameters, "account");
    if (const auto text = parameters.word("terminal")) {
        query.terminal = AccountId::parse(*text);
        if (!query.terminal) parameters.refuse("terminal", "a terminal's name is wanted");
    }
    query.since = time_parameter(parameters, "since");
    query.until = time_parameter(parameters, "until");
    query.kind = parameters.word("kind").value_or("");
    query.least = amount_parameter(parameters, "least");
    query.most = amount_parameter(parameters, "most");
    query.from = parameters.number("from", anything).value_or(0);
    query.limit = parameters.limit(most_lines, most_lines);
    if (!parameters.finish()) return malformed(parameters.problem());
    if (const auto may = check_seen(call, query.account); !may) return refusal(may.error());
    return answer(works.platform.statement(query));
}

Answer balance(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto account = account_parameter(parameters, "account");
    const auto time = time_parameter(parameters, "time");
    if (!account) parameters.refuse("account", "missing");
    if (!time) parameters.refuse("time", "missing");
    if (!parameters.finish()) return malformed(parameters.problem());
    if (const auto may = check_seen(call, account); !may) return refusal(may.error());
    const auto found = works.platform.balance_at(*account, *time);
    if (!found) return refusal(found.error());
    return json({{"balance", *found}});
}

Answer orders(Works& works, const Call& call)
{
    return with_body(call.body, https::read_signed_order, [&](const SignedOrder& order) {
        if (const auto may = check_order(call, order.order); !may) return refusal(may.error());
        return answer(works.platform.execute(order));
    });
}

}  // namespace tallycard::service::api
