// SPDX-License-Identifier: Apache-2.0
// All 65,536 status words on every command: none throws, each refusal has its name, and every other
// word proves nothing.
#include <functional>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "support/paper_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

using Refusals = std::map<unsigned, Errc>;

struct Row {
    const char* name;
    Effect if_in_doubt;
    Refusals own;  // beyond those of every command
    std::function<Error(CardSession&, const PaperCard&)> call;
};

const Refusals every_command = {
    {0x6581, Errc::memory_failure},    {0x6700, Errc::malformed},
    {0x6985, Errc::not_in_this_state}, {0x6A86, Errc::malformed},
    {0x6D00, Errc::unexpected_status}, {0x6E00, Errc::unexpected_status},
};
const Refusals pin = {{0x6A80, Errc::malformed}, {0x6983, Errc::pin_blocked},
                      {0x6984, Errc::no_pin},    {0x63C0, Errc::wrong_pin},
                      {0x63C1, Errc::wrong_pin}, {0x63C2, Errc::wrong_pin},
                      {0x63C3, Errc::wrong_pin}};
const Refusals log_entry = {{0x6A88, Errc::not_in_log}};

template <class T>
Error error_of(const Result<T>& result)
{
    if (result) return Error{.sw = sw::ok};
    return result.error();
}

const auto account = *AccountId::parse(std::string_view("SHOP-1"));

std::vector<Row> rows()
{
    return {
        {"GET CHALLENGE",
         Effect::none,
         {},
         [](CardSession& s, const PaperCard&) {
             std::array<std::uint8_t, 8> random{};
             return error_of(s.challenge(random));
         }},
        {"VERIFY", Effect::none, pin,
         [](CardSession& s, const PaperCard&) {
             return error_of(s.verify_pin(secret_of<PinBlock>(0x24)));
         }},
        {"CHANGE REFERENCE DATA", Effect::unknown, pin,
         [](CardSession& s, const PaperCard&) {
             return error_of(s.change_pin(secret_of<PinBlock>(0x24), secret_of<PinBlock>(0x25)));
         }},
        {"INTERNAL AUTHENTICATE",
         Effect::none,
         {{0x6982, Errc::pin_needed}},
         [](CardSession& s, const PaperCard&) { return error_of(s.authenticate({})); }},
        {"GET DATA",
         Effect::none,
         {},
         [](CardSession& s, const PaperCard&) { return error_of(s.limits()); }},
        {"REQUEST",
         Effect::none,
         {{0x6A80, Errc::malformed},
          {0x9405, Errc::wrong_unit},
          {0x6982, Errc::pin_needed},
          {0x9401, Errc::balance_too_low},
          {0x9402, Errc::balance_limit},
          {0x9403, Errc::amount_limit}},
         [](CardSession& s, const PaperCard&) {
             return error_of(s.request(Kind::transfer_in, Amount::minor_units(1), {}, account));
         }},
        {"EXECUTE",
         Effect::unknown,
         {{0x6A80, Errc::malformed},
          {0x6988, Errc::not_authentic},
          {0x9404, Errc::wrong_sequence},
          {0x9405, Errc::wrong_unit},
          {0x9406, Errc::wrong_card},
          {0x9408, Errc::no_such_request},
          {0x6982, Errc::pin_needed},
          {0x9401, Errc::balance_too_low},
          {0x9402, Errc::balance_limit},
          {0x9403, Errc::amount_limit}},
         [](CardSession& s, const PaperCard& card) {
             return error_of(s.execute({.operation = card.top_up(), .issuer_signature = {}}));
         }},
        {"PAY",
         Effect::unknown,
         {{0x6A80, Errc::malformed},
          {0x9405, Errc::wrong_unit},
          {0x6982, Errc::pin_needed},
          {0x9401, Errc::balance_too_low},
          {0x9403, Errc::amount_limit},
          {0x9407, Errc::offline_limit}},
         [](CardSession& s, const PaperCard&) {
             return error_of(s.pay(
                 {.amount = Amount::minor_units(-1), .unit = {}, .nonce = {}, .payee = account}));
         }},
        {"GET RESULT", Effect::none, log_entry,
         [](CardSession& s, const PaperCard&) { return error_of(s.result(1)); }},
        {"GET OPERATION", Effect::none, log_entry,
         [](CardSession& s, const PaperCard&) { return error_of(s.operation(1)); }},
        {"PERSONALISE",
         Effect::unknown,
         {{0x6A80, Errc::malformed}, {0x6988, Errc::not_authentic}},
         [](CardSession& s, const PaperCard&) { return error_of(s.personalise(Bytes(28, 0))); }},
    };
}

// What a session makes of each status word of a card that gives no data.
class Sweep {
public:
    explicit Sweep(const Row& row) : row_(row) {}

    void run()
    {
        std::array<std::uint8_t, 2> answer{};
        auto select = card_.answers.at(0xA4);
        bool selected = false;
        ScriptedLink link([&](ScriptedLink::Bytes) {
            return Result<ScriptedLink::Bytes>(selected ? ScriptedLink::Bytes(answer)
                                                        : ScriptedLink::Bytes(select));
        });
        auto session = CardSession::begin(link, card_.root.public_key());
        REQUIRE(session);
        selected = true;
        for (unsigned sw = 0; sw <= 0xFFFF; ++sw) {
            answer = {static_cast<std::uint8_t>(sw >> 8), static_cast<std::uint8_t>(sw)};
            if (sw != 0x9000) judge(sw, row_.call(*session, card_));
        }
    }

    std::size_t refusals() const { return refusals_; }
    std::size_t surprises() const { return surprises_; }
    std::size_t wrong() const { return wrong_; }

private:
    void judge(unsigned sw, const Error& error)
    {
        auto expected = row_.own;
        expected.insert(every_command.begin(), every_command.end());
        const auto refusal = expected.find(sw);
        if (refusal == expected.end()) {
            ++surprises_;
            const bool as_due = error.effect == row_.if_in_doubt &&
                                (error.code == Errc::unexpected_status ||
                                 (sw >> 8 == 0x61 && error.code == Errc::link_failed));
            wrong_ += as_due ? 0 : 1;
            return;
        }
        ++refusals_;
        const bool as_due =
            error.code == refusal->second && error.effect == Effect::none && error.sw.value() == sw;
        wrong_ += as_due ? 0 : 1;
    }

    const Row& row_;
    PaperCard card_;
    std::size_t refusals_ = 0, surprises_ = 0, wrong_ = 0;
};

}  // namespace

TEST_CASE("every status word on every command is a refusal by name, or proves nothing", "[card]")
{
    std::size_t commands = 0;
    for (const auto& row : rows()) {
        Sweep sweep(row);
        sweep.run();
        INFO(row.name);
        CHECK(sweep.wrong() == 0);
        CHECK(sweep.refusals() == every_command.size() + row.own.size());
        CHECK(sweep.refusals() + sweep.surprises() == 0xFFFF);
        ++commands;
    }
    CHECK(commands == 11);
}

TEST_CASE("every status word on SELECT but 9000, 6581 and 61xx is a foreign card's", "[card]")
{
    PaperCard card;
    ScriptedLink link(card.script());
    std::size_t foreign = 0;
    for (unsigned sw = 0; sw <= 0xFFFF; ++sw) {
        card.put_status(0xA4, static_cast<std::uint16_t>(sw));
        card.put_status(0xC0, static_cast<std::uint16_t>(sw));
        const auto session = CardSession::begin(link, card.root.public_key());
        REQUIRE(!session);
        if (session.error().code == Errc::foreign_card) ++foreign;
    }
    // A chain of 61xx that never ends is a failure of the link.
    CHECK(foreign == 0x10000 - 2 - 256);
}
