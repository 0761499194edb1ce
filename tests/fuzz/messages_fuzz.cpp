// SPDX-License-Identifier: Apache-2.0
// What the service and its clients say to each other, read by either: genuine messages with
// changes, and texts. What is read says the same when it is written and read again; what is refused
// names why.
#include <array>
#include <string>

#include "../../src/crypto/software_keys.hpp"
#include "../../src/https/endpoint.hpp"
#include "../../src/https/error_json.hpp"
#include "../../src/https/messages.hpp"
#include "../support/simulated_card.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "json_edit.hpp"
#include "same_random.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Input;
using https::Json;
using https::Problem;

namespace {

struct Genuine {
    ExecutedOperation payment, top_up;
    FirstInstruction first;
    SecondInstruction second, cash_out;
    Receipt receipt;
};

const Genuine& genuine()
{
    static const auto made = [] {
        std::array<std::uint8_t, KeySeed::size> bytes{1};
        SoftwareCardRoot root{KeySeed(bytes)};
        const CardId card_id;
        test::SimulatedCard card(card_id, root.derive(card_id).value(), *Unit::from_code(978));
        Genuine all;
        const auto top_up = card.make(Kind::top_up, 100'00, "T1");
        (void)card.execute(top_up);
        const auto paid = card.pay(1'00, "SHOP-1");
        all.payment = *paid.executed;
        all.top_up = {top_up, Signature()};
        all.receipt = paid.receipt;
        all.first.operation = top_up;
        all.second = card.request(Kind::transfer_out, -2'00, "SHOP-1");
        all.cash_out = card.request(Kind::cash_out, -2'00, "T1");
        return all;
    }();
    return made;
}

// Its text, changed as the input says; or the rest of the input.
template <class T>
std::string text_of(const T& message, Input& input)
{
    if (input.one_in(3)) return std::string(fuzz::text(input.rest()));
    auto json = https::to_json(message);
    for (auto left = input.below(3); left > 0; --left) fuzz::edit(json, input);
    auto text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!input.one_in(8)) return text;
    fuzz::Bytes bytes(text.begin(), text.end());
    fuzz::edit(bytes, input);
    return std::string(fuzz::text(bytes));
}

template <class T, class Read>
void check(const T& message, Input& input, Read&& read)
{
    const auto text = text_of(message, input);
    Problem problem;
    const auto json = https::parse_object(text, problem);
    FUZZ_CHECK(json.has_value() != problem.found());
    if (!json) return;
    const auto value = read(*json, problem);
    if (!value || problem.found()) {
        FUZZ_CHECK(problem.found());
        return;
    }
    const auto written = https::to_json(*value);
    Problem none;
    const auto parsed = https::parse_object(written.dump(), none);
    FUZZ_CHECK(parsed);
    const auto again = read(*parsed, none);
    FUZZ_CHECK(again && !none.found() && https::to_json(*again) == written);
}

template <class T, class Read>
void check_object(const T& message, Input& input, Read read)
{
    check(message, input,
          [&](const Json& json, Problem& problem) { return read(json, problem, "object"); });
}

void request(Input& input)
{
    OperationRequest request{.id = {},
                             .card_id = {},
                             .kind = Kind::top_up,
                             .amount = Amount::minor_units(1'00),
                             .parameter = {},
                             .terminal = *AccountId::parse(std::string_view("T1"))};
    const auto how = input.below(4);
    if (how == 1) request.parameter = Limits{};
    if (how == 2) request.parameter = PublicKey{};
    check(request, input, https::read_request);
}

void transfer(Input& input)
{
    const TransferRequest request{.id = {},
                                  .second = input.one_in(2) ? genuine().cash_out : genuine().second,
                                  .terminal = *AccountId::parse(std::string_view("T1"))};
    check(request, input, [](const Json& json, Problem& problem) {
        const auto read = https::read_transfer(json, problem);
        FUZZ_CHECK(!read || read->second.operation.valid());
        return read;
    });
}

SealedPersonalisation sealed(Input& input)
{
    const fuzz::Bytes bytes(1 + input.byte() % SealedPersonalisation::capacity, 0x5E);
    return SealedPersonalisation(bytes);
}

// The platform takes for granted that a new card has valid limits and is sealed.
void new_card(Input& input)
{
    NewCard card;
    card.limits.maximum_amount = Balance::minor_units(200'00);
    card.limits.offline_payments = Limits::most_offline_payments;
    card.sealed = sealed(input);
    check(card, input, [](const Json& json, Problem& problem) {
        const auto read = https::read_new_card(json, problem);
        FUZZ_CHECK(!read || (read->limits.valid() && read->sealed.size() > 0));
        return read;
    });
}

void registered(Input& input)
{
    RegisteredCard card;
    if (input.one_in(2)) card.sealed = sealed(input);
    check(card, input, [](const Json& json, Problem& problem) {
        const auto read = https::read_registered(json, problem);
        FUZZ_CHECK(!read || read->row.limits.valid());
        FUZZ_CHECK(!read || !read->sealed || read->sealed->size() > 0);
        return read;
    });
}

void status(Input& input)
{
    OperationStatus status;
    status.first = genuine().first;
    if (input.one_in(2)) status.receipt = genuine().receipt;
    constexpr Progress all[] = {Progress::pending, Progress::settled, Progress::voided};
    status.progress = all[input.below(3)];
    check(status, input, https::read_status);
}

void standing(Input& input)
{
    CardStanding standing;
    if (input.one_in(2)) standing.pending = genuine().first;
    standing.withheld = !standing.pending && input.one_in(2);
    if (input.one_in(2)) standing.voiding = genuine().first;
    standing.currency.unit = *Unit::from_code(978);
    check(standing, input, https::read_standing);
}

void rows(Input& input)
{
    switch (input.below(3)) {
    case 0: return check(CardRow{}, input, https::read_card);
    case 1: {
        Settlement settlement;
        settlement.restored = input.one_in(2);
        return check(settlement, input, https::read_settlement);
    }
    default: {
        const auto kind = input.one_in(2) ? AccountKind::cash : AccountKind::associated;
        const AccountRow row{
            .name = {.kind = kind, .id = genuine().payment.operation.account.value()},
            .balance = -1,
            .reserved = 0};
        return check(row, input, https::read_account);
    }
    }
}

void issuer(Input& input)
{
    IssuerDescription issuer;
    issuer.origin = "issuer.test";
    issuer.currency.unit = *Unit::from_code(978);
    issuer.operation_keys = {PublicKey{}};
    check(issuer, input, https::read_issuer);
}

void objects(Input& input)
{
    switch (input.below(4)) {
    case 0: {
        const auto& executed = input.one_in(2) ? genuine().top_up : genuine().payment;
        return check_object(executed, input, https::read_executed);
    }
    case 1: return check_object(genuine().first, input, https::read_first);
    case 2: return check_object(genuine().second, input, https::read_second);
    default: return check_object(genuine().receipt, input, https::read_receipt);
    }
}

void error(Input& input)
{
    const Error genuine{.code = static_cast<Errc>(input.byte()),
                        .effect = input.one_in(2) ? Effect::unknown : Effect::none,
                        .detail = static_cast<std::uint32_t>(input.number(4)),
                        .where = input.one_in(2) ? "store" : "somewhere"};
    const auto status = https::status_of(genuine);
    FUZZ_CHECK(status >= 400 && status < 600);
    const auto read = https::read_error(text_of(genuine, input));
    if (!read) return;
    FUZZ_CHECK(read->where[0] != '\0');
    const auto again = https::read_error(https::to_json(*read).dump());
    FUZZ_CHECK(again && again->code == read->code && again->effect == read->effect);
    FUZZ_CHECK(again->detail == read->detail);
}

void endpoint(Input& input)
{
    const bool is_url = input.one_in(2);
    const auto bytes = input.rest();
    const auto text = fuzz::text(bytes);
    if (is_url) {
        const auto url = https::parse_url(text);
        if (url) FUZZ_CHECK(!url->host.empty() && url->port != 0);
        return;
    }
    const auto token = https::read_token(fuzz::file_with("token", bytes));
    if (token) FUZZ_CHECK(https::is_token(*token) && text.starts_with(*token));
    if (!token) FUZZ_CHECK(token.error().code == Errc::file_damaged);
}

SoftwareAccountSigner owner()
{
    std::array<std::uint8_t, KeySeed::size> bytes{2};
    return SoftwareAccountSigner(KeySeed(bytes));
}

SignedOrder any_order(Input& input)
{
    constexpr OrderKind kinds[] = {OrderKind::open, OrderKind::pay_out, OrderKind::adjust,
                                   OrderKind::recover};
    const auto kind = kinds[input.below(std::size(kinds))];
    AccountOrder order{.kind = kind,
                       .account = genuine().payment.operation.account.value(),
                       .number = 1,
                       .amount = {},
                       .unit = *Unit::from_code(978),
                       .id = {}};
    auto signer = owner();
    if (sets_key(kind)) order.key = signer.public_key();
    if (!sets_key(kind))
        order.amount = Amount::minor_units(kind == OrderKind::pay_out ? -1'00 : 1'00);
    if (names_outside(kind)) order.other = AccountId::parse("bank");
    if (names_card(kind)) order.other = AccountId::parse(CardId().to_string());
    if (needs_reference(kind) || input.one_in(2)) order.reference = Reference::parse("case \u00e9");
    SignedOrder made{order, std::nullopt};
    if (needs_owner(kind)) made.owner = signer.sign({}, order).value();
    return made;
}

void order(Input& input)
{
    const auto made = any_order(input);
    if (input.one_in(2)) return check(made, input, https::read_signed_order);
    const ExecutedOrder executed{
        .record = {made.order, made.owner, {}}, .time = Time(), .ledger_index = 7};
    check(executed, input, [](const Json& json, Problem& problem) {
        const auto read = https::read_executed_order(json, problem);
        FUZZ_CHECK(!read || read->record.valid());
        return read;
    });
}

void submission(Input& input)
{
    Submission submission{genuine().receipt, std::nullopt,
                          *AccountId::parse(std::string_view("T1"))};
    if (input.one_in(2)) submission.executed = genuine().payment;
    if (input.one_in(2)) submission.reference = Reference::parse("order 7");
    check(submission, input, https::read_submission);
}

// With an owner's consent, for a refund.
void transfer_in(Input& input)
{
    TransferRequest request{.id = {},
                            .second = genuine().second,
                            .terminal = *AccountId::parse(std::string_view("T1"))};
    auto& operation = request.second.operation;
    operation.kind = Kind::transfer_in;
    operation.amount = Amount::minor_units(2'00);
    request.consent = owner().consent({}, operation).value();
    if (input.one_in(2)) request.refunds = PaymentName{CardId(), 2};
    check(request, input, https::read_transfer);
}

void lost(Input& input)
{
    switch (input.below(5)) {
    case 0: {
        AccountStanding standing{.account = genuine().payment.operation.account.value(), .key = {}};
        if (input.one_in(2)) standing.key = owner().public_key();
        return check(standing, input, https::read_account_standing);
    }
    case 1: return check(Recoverable{}, input, https::read_recoverable);
    case 2: {
        const KeptRow row{genuine().receipt, genuine().payment,
                          *AccountId::parse(std::string_view("T1")), Time()};
        return check(https::KeptResults{CardId(), {row}}, input, https::read_kept);
    }
    case 3: return check(GapRow{}, input, https::read_gap);
    default: {
        https::DenyListPart part;
        part.update = {.lines = {{CardId(), true}, {CardId(), false}}, .note = "a note"};
        if (input.one_in(2)) part.next = 2;
        return check(part, input, https::read_deny_list);
    }
    }
}

constexpr std::array all = {request,    status, standing, rows,       issuer,
                            objects,    error,  endpoint, transfer,   new_card,
                            registered, order,  lost,     submission, transfer_in};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    all[input.below(all.size())](input);
    return 0;
}
