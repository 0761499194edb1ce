// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tallycard/issuing.hpp>
#include <tallycard/loopback.hpp>
#include <tallycard/terminal.hpp>

#include "faulty_link.hpp"
#include "issuer_access.hpp"
#include "test_issuer.hpp"

namespace testing {

using namespace tallycard;

// A platform, and cards that it issued, each in a reader whose link fails as planned.
class TerminalWorld {
public:
    static constexpr std::int64_t start = 100'00;

    struct Seat {
        std::unique_ptr<ReaderDriver> driver;
        std::unique_ptr<Reader> reader;
        std::unique_ptr<CardLink> below;
        std::unique_ptr<FaultyLink> link;
        CardId card_id;
        FaultyLink& operator*() const { return *link; }
    };

    // The PIN of every card is 4711; a debit above 50.00 needs it.
    Seat seat(TransmissionProtocol protocol = TransmissionProtocol::t1,
              bool private_balance = false)
    {
        const auto number = static_cast<std::uint8_t>(++cards_);
        std::vector<LoopbackCard> cards(1);
        cards[0] = {.image = issuer.folder().file(("card-" + std::to_string(number)).c_str()),
                    .transport_key = transport_key(number),
                    .protocol = protocol,
                    .durable = false};
        Seat seat;
        seat.driver = open_loopback(std::move(cards)).value();
        seat.reader = seat.driver->open(seat.driver->list().value().at(0)).value();
        seat.below = seat.reader->connect(Sharing::shared).value();
        seat.link = std::make_unique<FaultyLink>(*seat.below);
        const auto block = pin();
        CardOrder order;
        order.limits = {.maximum_balance = Balance::minor_units(1000'00),
                        .maximum_amount = Balance::minor_units(200'00),
                        .pin_above = Balance::minor_units(50'00),
                        .offline_payments = 15,
                        .offline_total = Balance::minor_units(500'00)};
        order.private_balance = private_balance;
        order.pin = &block;
        seat.card_id = issue_card(access.registry(), root, *seat, transport_key(number), order)
                           .value()
                           .card_id;
        return seat;
    }
    Seat funded_seat(TransmissionProtocol protocol = TransmissionProtocol::t1,
                     bool private_balance = false)
    {
        auto made = seat(protocol, private_balance);
        REQUIRE(std::holds_alternative<Applied>(
            terminal.top_up(*made, next_id(), Amount::minor_units(start))));
        (*made).restart();
        return made;
    }

    OperationId next_id() { return test::id_of<OperationId>(++ids_); }
    std::int64_t balance(const Seat& seat)
    {
        return static_cast<std::int64_t>(
            issuer->standing(seat.card_id, std::nullopt).value().balance.to_minor_units());
    }
    // What the card itself says, freshly signed.
    std::int64_t on_card(const Seat& seat)
    {
        return static_cast<std::int64_t>(terminal.state(*seat).value().balance.to_minor_units());
    }
    std::int64_t account(const AccountId& id)
    {
        const auto row = issuer->account({AccountKind::associated, id}).value();
        return row ? row->balance : 0;
    }
    // I3, and that nothing is promised to an operation that has ended.
    std::int64_t sum_of_books()
    {
        std::int64_t sum = 0;
        for (const auto& row : issuer->accounts().value()) sum += row.balance;
        for (const auto& row : issuer->cards().value())
            sum += static_cast<std::int64_t>(row.balance.to_minor_units());
        return sum;
    }
    static PinBlock pin(std::string digits = "4711") { return make_pin_block(digits).value(); }

    test::TestIssuer issuer;
    SoftwareCardRoot root{test::seed(2)};  // the one of TestIssuer
    test::IssuerAccess access{*issuer};
    Terminal terminal{
        access.client(),
        {.card_root = root.public_key(), .name = test::account_id("till-1"), .observer = nullptr}};

private:
    static TransportKey transport_key(std::uint8_t number)
    {
        std::array<std::uint8_t, TransportKey::size> bytes{};
        bytes.fill(number);
        return TransportKey(bytes);
    }
    unsigned cards_ = 0;
    std::uint32_t ids_ = 0;
};

}  // namespace testing
