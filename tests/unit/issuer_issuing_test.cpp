// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/card_session.hpp>
#include <tallycard/issuing.hpp>
#include <tallycard/loopback.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

TransportKey transport_key(std::uint8_t n)
{
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(n);
    return TransportKey(bytes);
}

// A link that passes everything on, until it is told to lose the answer to PERSONALISE.
class LosingLink final : public CardLink {
public:
    enum class Loses { nothing, command, answer };
    explicit LosingLink(CardLink& link) : link_(&link) {}
    Loses loses = Loses::nothing;

    const Atr& atr() const override { return link_->atr(); }
    TransmissionProtocol protocol() const override { return link_->protocol(); }
    Result<void> begin() override { return link_->begin(); }
    Result<void> end() override { return link_->end(); }
    Result<void> reconnect() override { return link_->reconnect(); }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        const Error lost{.code = Errc::link_failed, .effect = Effect::unknown, .where = "test"};
        const bool personalise = command.size() > 1 && command[1] == 0xE2;
        if (personalise && loses == Loses::command) return lost;
        auto size = link_->transmit(command, answer);
        if (personalise && loses == Loses::answer) return lost;
        return size;
    }

private:
    CardLink* link_;
};

// A blank virtual card in a reader.
class BlankCard {
public:
    BlankCard(const TestIssuer& issuer, const char* image, std::uint8_t key)
        : driver_(open_loopback(card(issuer.folder().file(image), key)).value()),
          reader_(driver_->open(driver_->list().value().at(0)).value()),
          link_(reader_->connect(Sharing::exclusive).value()),
          losing_(*link_)
    {
    }
    LosingLink& link() { return losing_; }

private:
    static std::vector<LoopbackCard> card(std::string image, std::uint8_t key)
    {
        LoopbackCard card;
        card.image = std::move(image);
        card.transport_key = transport_key(key);
        card.durable = false;
        std::vector<LoopbackCard> cards;
        cards.push_back(std::move(card));
        return cards;
    }
    std::unique_ptr<ReaderDriver> driver_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<CardLink> link_;
    LosingLink losing_;
};

CardOrder order()
{
    CardOrder order;
    order.limits.maximum_balance = Balance::minor_units(100'000);
    order.limits.maximum_amount = Balance::minor_units(50'000);
    order.limits.pin_above = Balance::minor_units(50'000);
    order.limits.offline_payments = 5;
    order.limits.offline_total = Balance::minor_units(10'000);
    return order;
}

}  // namespace

TEST_CASE("a blank card becomes one of the issuer's, and is issued once")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(2));
    BlankCard card(issuer, "card", 7);

    const auto info = issue_card(*issuer, root, card.link(), transport_key(7), order()).value();

    REQUIRE(info.state == CardState::operational);
    REQUIRE(info.currency == issuer.description().currency);
    const auto rows = issuer->cards().value();
    REQUIRE(rows.size() == 1);
    REQUIRE(rows[0].card_id == info.card_id);
    REQUIRE(rows[0].certificate == info.certificate);
    REQUIRE(rows[0].issued);
    const auto again = issue_card(*issuer, root, card.link(), transport_key(7), order()).value();
    REQUIRE(again == info);
    REQUIRE(issuer->cards().value().size() == 1);
}

TEST_CASE("an issued card executes what the platform signs, and its receipt settles")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(2));
    BlankCard card(issuer, "card", 7);
    auto wanted = order();
    wanted.card_id = id_of<CardId>(99);
    REQUIRE(issue_card(*issuer, root, card.link(), transport_key(7), wanted).value().card_id ==
            id_of<CardId>(99));
    const auto first = issuer
                           ->authorise({.id = issuer.next_id(),
                                        .card_id = id_of<CardId>(99),
                                        .kind = Kind::top_up,
                                        .amount = Amount::minor_units(5000),
                                        .parameter = {},
                                        .terminal = account_id("T1")})
                           .value()
                           .first;
    auto session = CardSession::begin(card.link(), root.public_key()).value();
    const auto receipt = session.execute(first).value();
    REQUIRE(issuer->settle(submission(receipt)).value().balance == Balance::minor_units(5000));
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("issuing again after a lost command or answer finishes the same card")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(2));
    BlankCard card(issuer, "card", 7);
    card.link().loses = GENERATE(LosingLink::Loses::command, LosingLink::Loses::answer);
    REQUIRE(!issue_card(*issuer, root, card.link(), transport_key(7), order()));
    const auto row = issuer->cards().value().at(0);
    REQUIRE(!row.issued);
    card.link().loses = LosingLink::Loses::nothing;
    issuer.reopen();

    const auto info = issue_card(*issuer, root, card.link(), transport_key(7), order()).value();

    REQUIRE(info.card_id == row.card_id);
    REQUIRE(issuer->cards().value().size() == 1);
    REQUIRE(issuer->cards().value()[0].issued);
}

TEST_CASE("a card is never issued twice: not its id, and not for its transport key")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(2));
    BlankCard card(issuer, "card", 7), twin(issuer, "twin", 7), other(issuer, "other", 8);
    auto wanted = order();
    wanted.card_id = id_of<CardId>(99);
    issue_card(*issuer, root, card.link(), transport_key(7), wanted).value();
    const auto code = [&](BlankCard& blank, std::uint8_t key, const CardOrder& what) {
        return issue_card(*issuer, root, blank.link(), transport_key(key), what).error().code;
    };
    REQUIRE(code(twin, 7, order()) == Errc::transport_key_used);
    REQUIRE(code(twin, 7, wanted) == Errc::transport_key_used);
    REQUIRE(code(other, 8, wanted) == Errc::conflict);
    wanted.card_id = id_of<CardId>(98);
    REQUIRE(code(card, 7, wanted) == Errc::transport_key_used);
    REQUIRE(code(card, 9, order()) == Errc::not_in_this_state);
    REQUIRE(issuer->cards().value().size() == 1);
    REQUIRE(issue_card(*issuer, root, other.link(), transport_key(8), order()));
}

TEST_CASE("a wrong transport key makes nothing of a card, and the right one does later")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(2));
    BlankCard card(issuer, "card", 7);
    REQUIRE(issue_card(*issuer, root, card.link(), transport_key(8), order()).error().code ==
            Errc::not_authentic);
    REQUIRE(issue_card(*issuer, root, card.link(), transport_key(7), order()));
}

TEST_CASE("a card root that is not the issuer's issues nothing")
{
    TestIssuer issuer;
    SoftwareCardRoot root(seed(5));
    BlankCard card(issuer, "card", 7);
    REQUIRE(issue_card(*issuer, root, card.link(), transport_key(7), order()).error().code ==
            Errc::conflict);
}
