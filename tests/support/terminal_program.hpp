// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/issuing.hpp>
#include <tallycard/loopback.hpp>
#include <tallycard/terminal.hpp>

#include "issuer_access.hpp"
#include "stepping.hpp"
#include "test_issuer.hpp"

namespace testing {

using namespace tallycard;

// Everything that a terminal program opens in its folder, and closes when it ends: a platform, a
// card, a journal. The folder has to be there.
struct TerminalProgram {
    explicit TerminalProgram(
        const std::string& folder, const Step& step = [] {})
    {
        SoftwareCardRoot root(test::seed(2));
        PlatformSettings settings;
        settings.issuer.origin = "issuer.test";
        settings.issuer.currency = {.unit = *Unit::from_code(978), .exponent = 2};
        settings.issuer.card_root = root.public_key();
        settings.issuer.checkpoint_key = CheckpointKey(test::seed(3)).public_key();
        settings.signers = {std::make_shared<SoftwareOperationSigner>(test::seed(1))};
        settings.issuer.operation_keys = {settings.signers[0]->public_key()};
        auto store = open_sqlite_store(folder + "/store", StoreCheck::quick);
        if (!store) store = create_sqlite_store(folder + "/store");
        platform = Platform::open(std::move(store).value(), std::move(settings)).value();

        std::vector<LoopbackCard> cards(1);
        cards[0] = {.image = folder + "/card",
                    .transport_key = transport_key(),
                    .protocol = TransmissionProtocol::t1,
                    .durable = true};
        driver = open_loopback(std::move(cards)).value();
        link = driver->open(driver->list().value().at(0)).value()->connect(Sharing::shared).value();
        card = std::make_unique<SteppingLink>(*link, step);
        access = std::make_unique<test::IssuerAccess>(*platform);
        client = std::make_unique<SteppingClient>(access->client(), step);
        journal = OperationJournal::open(folder + "/journal").value();
        terminal =
            std::make_unique<Terminal>(*client, TerminalSettings{.card_root = root.public_key(),
                                                                 .name = test::account_id("till-1"),
                                                                 .observer = nullptr,
                                                                 .journal = journal.get()});
    }

    static AccountId shop() { return test::account_id("SHOP-1"); }

    // Makes the card one of this issuer's and gives it 500.00, and 500.00 to the shop.
    void issue()
    {
        SoftwareCardRoot root(test::seed(2));
        CardOrder order;
        order.card_id = test::id_of<CardId>(1);
        order.limits = {.maximum_balance = Balance::minor_units(100'000'00),
                        .maximum_amount = Balance::minor_units(100'000'00),
                        .pin_above = Balance::minor_units(100'000'00),
                        .offline_payments = 15,
                        .offline_total = Balance::minor_units(100'00)};
        (void)issue_card(*platform, root, *link, transport_key(), order).value();
        test::open_account(*platform, platform->issuer(), shop()).value();
        const auto ids = {test::id_of<OperationId>(1), test::id_of<OperationId>(2)};
        const auto given = terminal->top_up(*link, *ids.begin(), Amount::minor_units(1000'00));
        const auto moved =
            terminal->transfer_out(*link, *(ids.begin() + 1), Amount::minor_units(500'00), shop());
        if (!std::holds_alternative<Applied>(given) || !std::holds_alternative<Applied>(moved))
            throw std::runtime_error("the card was not funded");
    }
    // As the card says.
    std::int64_t balance()
    {
        return static_cast<std::int64_t>(terminal->state(*link).value().balance.to_minor_units());
    }

    std::unique_ptr<Platform> platform;
    std::unique_ptr<test::IssuerAccess> access;
    std::unique_ptr<ReaderDriver> driver;
    std::unique_ptr<CardLink> link;
    std::unique_ptr<SteppingLink> card;  // the link, step by step
    std::unique_ptr<SteppingClient> client;
    std::unique_ptr<OperationJournal> journal;
    std::unique_ptr<Terminal> terminal;

private:
    static TransportKey transport_key()
    {
        std::array<std::uint8_t, TransportKey::size> key{9};
        return TransportKey(key);
    }
};

}  // namespace testing
