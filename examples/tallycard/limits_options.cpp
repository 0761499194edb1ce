// SPDX-License-Identifier: Apache-2.0
#include "limits_options.hpp"

#include <tallycard/result_error.hpp>
#include <tallycard/unit.hpp>

using namespace tallycard;

namespace limits_options {
namespace {

// As typed, "0" included; `fallback` in whole units of the currency.
Balance balance_of(const std::string& text, unsigned fallback, const Currency& currency)
{
    const auto typed = text.empty() ? std::to_string(fallback) : text;
    if (typed.find_first_not_of("0.") == std::string::npos && typed.front() == '0') return {};
    return Balance::minor_units(parse_amount(typed, currency).value().magnitude());
}

}  // namespace

void add(CLI::App& command, Options& options)
{
    command.add_option("--max-balance", options.max_balance, "Most the card may hold [1000]");
    command.add_option("--max-amount", options.max_amount, "Most one operation may move [200]");
    command.add_option("--pin-above", options.pin_above,
                       "A debit above this needs the PIN [50]; a card without a PIN refuses it");
    command.add_option("--offline-payments", options.offline_payments, "Offline payments in a row")
        ->check(CLI::Range(0, static_cast<int>(Limits::most_offline_payments)))
        ->capture_default_str();
    command.add_option("--offline-total", options.offline_total, "And their total amount [100]");
}

Limits parse(const Options& options, const Currency& currency)
{
    return {.maximum_balance = balance_of(options.max_balance, 1000, currency),
            .maximum_amount = balance_of(options.max_amount, 200, currency),
            .pin_above = balance_of(options.pin_above, 50, currency),
            .offline_payments = static_cast<std::uint16_t>(options.offline_payments),
            .offline_total = balance_of(options.offline_total, 100, currency)};
}

}  // namespace limits_options
