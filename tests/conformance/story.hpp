// SPDX-License-Identifier: Apache-2.0
// A card that was issued, in the first reader of the stand, with its issuer and a terminal.
#pragma once

#include <tallycard/issuing.hpp>
#include <tallycard/terminal.hpp>

#include "stand.hpp"
#include "support/test_issuer.hpp"

namespace testing {

inline Amount cents(std::int64_t amount)
{
    return Amount::minor_units(amount);
}

inline PinBlock pin_of(std::string digits)
{
    return make_pin_block(digits).value();
}

struct Story {
    Story()
    {
        CardOrder order;
        order.limits = {.maximum_balance = Balance::minor_units(1000'00),
                        .maximum_amount = Balance::minor_units(200'00),
                        .pin_above = Balance::minor_units(50'00),
                        .offline_payments = 15,
                        .offline_total = Balance::minor_units(500'00)};
        const auto pin = pin_of("4711");
        order.pin = &pin;
        card_id = issue_card(*issuer, root, *link, stand_transport_key(), order).value().card_id;
        REQUIRE(issuer.open_account(shop));
    }

    OperationId next_id() { return test::id_of<OperationId>(++ids); }
    Receipt applied(const Outcome& outcome)
    {
        const auto* done = std::get_if<Applied>(&outcome);
        REQUIRE(done != nullptr);
        return done->receipt;
    }

    Stand stand;
    test::TestIssuer issuer;
    SoftwareCardRoot root{test::seed(2)};  // the one of TestIssuer
    AccountId shop = test::account_id("SHOP-1");
    Terminal terminal{
        *issuer,
        {.card_root = root.public_key(), .name = test::account_id("till-1"), .observer = nullptr}};
    std::unique_ptr<Reader> reader = stand.reader_with_applet();
    std::unique_ptr<CardLink> link = reader->connect(Sharing::shared).value();
    CardId card_id;
    std::uint32_t ids = 0;
};

}  // namespace testing
