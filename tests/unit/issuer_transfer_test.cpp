// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/terminal.hpp>
#include <tallycard/verify.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

Errc refusal(const Result<OperationStatus>& answer)
{
    REQUIRE(!answer);
    return answer.error().code;
}

}  // namespace

TEST_CASE("a transfer is signed after the card's signature verifies, for accounts that exist")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    auto second = card.request(Kind::transfer_out, -300, "savings");
    REQUIRE(refusal(issuer->authorise_transfer(issuer.transfer_request(second))) ==
            Errc::unknown_account);
    issuer.open_account(account_id("savings")).value();
    auto forged = second;
    forged.card_signature = other.request(Kind::transfer_out, -300, "savings").card_signature;
    REQUIRE(refusal(issuer->authorise_transfer(issuer.transfer_request(forged))) ==
            Errc::bad_signature);

    const auto request = issuer.transfer_request(second);
    const auto first = issuer->authorise_transfer(request).value().first;
    REQUIRE(first.operation == second.operation);
    REQUIRE(issuer->authorise_transfer(request).value().first == first);
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 0);
    issuer->settle(submission(card.execute(first))).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 300);
}

TEST_CASE("a transfer for another sequence or unit is not signed")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.open_account(account_id("savings")).value();
    auto late = card;
    late.pay(1, "shop");
    REQUIRE(refusal(issuer.transfer_status(late, Kind::transfer_out, -1, "savings")) ==
            Errc::unsettled);
    const auto early = card.request(Kind::transfer_out, -1, "savings");
    issuer.settle(card.pay(1, "shop")).value();
    REQUIRE(refusal(issuer->authorise_transfer(issuer.transfer_request(early))) ==
            Errc::wrong_sequence);
    const auto foreign = card.with_unit(Unit{});
    REQUIRE(refusal(issuer.transfer_status(foreign, Kind::transfer_out, -1, "savings")) ==
            Errc::wrong_unit);
}

TEST_CASE("a transfer in reserves the account's funds until the operation ends")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.open_account(account_id("savings")).value();
    issuer.transfer(card, Kind::transfer_out, -300, "savings");
    const auto ask = [&](SimulatedCard& who, std::int64_t amount) {
        return issuer.transfer_status(who, Kind::transfer_in, amount, "savings");
    };
    REQUIRE(refusal(ask(card, 301)) == Errc::insufficient_funds);
    const auto first = ask(card, 200).value().first;
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 200);
    REQUIRE(refusal(ask(other, 101)) == Errc::insufficient_funds);
    const auto rest = ask(other, 100).value().first;

    issuer->settle(submission(card.execute(first))).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 100);
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 100);
    issuer->settle(submission(other.execute(issuer->void_pending(other.id()).value()))).value();
    REQUIRE(issuer.balance(AccountKind::associated, "savings") == 100);
    REQUIRE(issuer.reserved(AccountKind::associated, "savings") == 0);
    REQUIRE(rest.operation.sequence == 1);
}

TEST_CASE("I10: a credit implies a stored, verified third signature")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto second = card.request(Kind::transfer_out, -300,
                                     std::string(holder_account(card.id()).text()).c_str());
    const auto first = issuer->authorise_transfer(issuer.transfer_request(second)).value().first;
    const auto holder = std::string(holder_account(card.id()).text());
    REQUIRE(issuer.balance(AccountKind::associated, holder.c_str()) == 0);
    const auto index = issuer->settle(submission(card.execute(first))).value().ledger_index;
    REQUIRE(issuer.balance(AccountKind::associated, holder.c_str()) == 300);
    REQUIRE(verify(issuer->entry(index).value()->record()->receipt, card.public_key()));
}

TEST_CASE("cash never overflows: what could is not signed")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    issuer.run(card, Kind::top_up, most - 5);
    REQUIRE(refusal(issuer.authorise(other, Kind::top_up, 6)) == Errc::bad_amount);
    const auto first = issuer.authorise(other, Kind::top_up, 5).value().first;
    auto third = issuer.make_card();
    REQUIRE(refusal(issuer.authorise(third, Kind::top_up, 1)) == Errc::bad_amount);
    issuer->settle(submission(other.execute(first))).value();
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -most);
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("all cards and accounts together never overflow: what could is not signed")
{
    TestIssuer issuer;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    auto third = issuer.make_card();
    const auto ask = [&](SimulatedCard& who, std::int64_t amount, const char* terminal) {
        if (amount > 0)
            return issuer->authorise(issuer.request(who, Kind::top_up, amount, {}, terminal));
        return issuer->authorise_transfer(
            issuer.transfer_request(who.request(Kind::cash_out, amount, terminal), terminal));
    };
    const auto run = [&](SimulatedCard& who, std::int64_t amount, const char* terminal) {
        issuer->settle(submission(who.execute(ask(who, amount, terminal).value().first))).value();
    };
    run(card, most - 5, "T1");
    REQUIRE(refusal(ask(other, 6, "T2")) == Errc::bad_amount);
    const auto first = ask(other, 5, "T2").value().first;
    REQUIRE(refusal(ask(third, 1, "T3")) == Errc::bad_amount);  // the other 5 are promised
    issuer->settle(submission(other.execute(first))).value();
    REQUIRE(refusal(ask(third, 1, "T3")) == Errc::bad_amount);

    run(card, -7, "T1");  // is issued no more
    run(other, -2, "T3");
    run(third, 2, "T3");  // out of what T3 took in
    REQUIRE(refusal(ask(third, 8, "T3")) == Errc::bad_amount);
    run(third, 7, "T3");
    REQUIRE(issuer.sum_of_books() == 0);
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();
    REQUIRE(!report.fault);
    REQUIRE(report.on_cards == most);
}

TEST_CASE("a card's operation key is replaced, and signs from then on")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto& keys = issuer.description().operation_keys;
    REQUIRE(refusal(issuer.authorise(card, Kind::replace_operation_key, 0, card.public_key())) ==
            Errc::file_missing);
    const auto first =
        issuer.authorise(card, Kind::replace_operation_key, 0, keys[1]).value().first;
    REQUIRE(verify(first, keys[0]));
    issuer->settle(submission(card.execute(first))).value();
    const auto next = issuer.authorise(card, Kind::top_up, 10).value().first;
    REQUIRE(verify(next, keys[1]));
    issuer->settle(submission(card.execute(next))).value();

    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    REQUIRE(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("I2: what the books and the cards differ by is the pending operations")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto first = issuer.authorise(card, Kind::top_up, 70).value().first;
    card.execute(first);  // the third instruction is lost
    const auto settled = issuer->standing(card.id(), std::nullopt).value().balance;
    const auto pending = issuer->pending().value();
    REQUIRE(pending.size() == 1);
    REQUIRE(checked_add(settled, pending[0].operation.amount) == card.balance());
}

TEST_CASE("a card registered again as it was is the same card, until it is confirmed")
{
    TestIssuer issuer;
    const auto key = SoftwareCardRoot(seed(2)).derive(id_of<CardId>(9)).value();
    NewCard card{.card_id = id_of<CardId>(9),
                 .certificate = key.certificate,
                 .public_key = key.public_key,
                 .transport_key = Digest{},
                 .limits = issuer.limits,
                 .sealed = SealedPersonalisation(key.certificate.bytes())};
    REQUIRE(issuer->register_card(card));
    REQUIRE(issuer->register_card(card));
    auto other = card;
    other.transport_key = sha256({});
    REQUIRE(issuer->register_card(other).error().code == Errc::conflict);
    other = card;
    other.card_id = id_of<CardId>(10);
    REQUIRE(issuer->register_card(other).error().code == Errc::conflict);
    issuer->confirm_card(card.card_id).value();
    REQUIRE(issuer->register_card(card).error().code == Errc::conflict);
    const auto holder = std::string(holder_account(card.card_id).text());
    REQUIRE(issuer->account({AccountKind::associated, account_id(holder)}).value().has_value());
}
