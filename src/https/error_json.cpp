// SPDX-License-Identifier: Apache-2.0
#include "error_json.hpp"

#include <array>

namespace tallycard::https {
namespace {

// Error::where is a literal: these are the ones that the platform and the service give.
constexpr std::array<const char*, 38> places = {
    "standing",
    "authorise",
    "status",
    "settle",
    "platform",
    "ledger",
    "accounts",
    "account order",
    "payment to refund",
    "cash of another terminal",
    "a card that is not denied",
    "deny list",
    "checkpoint",
    "checkpoint key",
    "operation key of this card",
    "sum of the books",
    "kept results",
    "issuer of the store",
    "store",
    "SQLite",
    "PostgreSQL",
    "connection of the store",
    "issue",
    "read",
    "request",
    "token",
    "client certificate",
    "client certificate has expired",
    "client certificate is not valid yet",
    "client certificate is of a foreign authority",
    "client certificate does not verify",
    "role",
    "terminal",
    "account",
    "amount of one operation",
    "amount of the day",
    "service",
    "queue",
};

const char* place_of(std::string_view text)
{
    for (const auto* place : places)
        if (text == place) return place;
    return "issuer's service";
}

Errc code_of(std::string_view text)
{
    for (unsigned byte = 0; byte < 256; ++byte) {
        const auto code = static_cast<Errc>(byte);
        if (text == name(code)) return code;
    }
    return Errc::issuer_unreachable;
}

}  // namespace

Json to_json(const Error& error, std::string message)
{
    if (message.empty()) message = error.message();
    return {{"error",
             {{"code", name(error.code)},
              {"effect", error.effect == Effect::unknown ? "unknown" : "none"},
              {"where", error.where},
              {"detail", error.detail},
              {"message", std::move(message)}}}};
}

std::optional<Error> read_error(std::string_view text)
{
    Problem problem;
    const auto json = parse_object(text, problem);
    if (!json) return std::nullopt;
    Fields outer(*json, problem);
    const auto* inner = outer.value("error");
    if (inner == nullptr) return std::nullopt;
    Fields fields(*inner, problem, "error");
    Error error{.code = code_of(fields.text("code"))};
    const auto effect = fields.text("effect");
    if (effect != "none" && effect != "unknown")
        fields.refuse("effect", "none or unknown is wanted");
    error.effect = effect == "unknown" ? Effect::unknown : Effect::none;
    error.where = place_of(fields.text("where"));
    error.detail = static_cast<std::uint32_t>(fields.number("detail", 0xFFFFFFFF));
    (void)fields.text("message");
    if (!fields.finish() || !outer.finish()) return std::nullopt;
    return error;
}

int status_of(const Error& error)
{
    switch (error.code) {
    case Errc::malformed: return 400;
    case Errc::client_unknown: return 401;
    case Errc::not_permitted:
    case Errc::not_the_owner:
    case Errc::consent_needed:
    case Errc::client_limit: return 403;
    case Errc::unknown_card:
    case Errc::unknown_operation:
    case Errc::unknown_account: return 404;
    case Errc::bad_signature:
    case Errc::bad_amount: return 422;
    case Errc::overloaded:
    case Errc::witnesses_missing:
    case Errc::file_in_use: return 503;
    case Errc::store_failed:
    case Errc::clock_wrong:
    case Errc::file_damaged:
    case Errc::file_rejected:
    case Errc::file_missing:
    case Errc::ledger_behind: return 500;
    default: return 409;
    }
}

}  // namespace tallycard::https
