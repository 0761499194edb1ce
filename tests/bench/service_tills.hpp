// SPDX-License-Identifier: Apache-2.0
// The terminals of service_bench, and the cards at them.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

#include <nlohmann/json.hpp>

#include <tallycard/https_issuer.hpp>
#include <tallycard/key_file.hpp>

#include "../../src/https/messages.hpp"
#include "../../src/protocol/digest.hpp"
#include "../support/simulated_card.hpp"
#include "../support/temporary_folder.hpp"
#include "service_load.hpp"
#include "settle_floor.hpp"

namespace tallycard::bench {

constexpr std::size_t cards_in_all = 64;

template <class T>
inline T numbered(std::uint64_t number)
{
    std::array<std::uint8_t, T::size> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return T(bytes);
}

// One terminal, with its connection and some of the cards.
struct Till {
    std::unique_ptr<Line> line;
    std::vector<test::SimulatedCard*> cards;
    std::vector<std::string> payments;
};

class Service {
public:
    explicit Service(const test::TemporaryFolder& folder)
        : process_(TALLYCARD_ISSUERD, folder.path() / "issuer", "connections = 1200\n"),
          token_(process_.token("terminal-1"))
    {
        auto secret = text_of(process_.file("passphrase"));
        secret.pop_back();
        const auto passphrase = Passphrase::take(secret).value();
        const auto root = open_card_root(process_.file("card-root.key"), passphrase).value();
        HttpsIssuerSettings settings;
        settings.url = "https://127.0.0.1:" + std::to_string(process_.port());
        settings.ca_file = process_.file("tls.crt");
        settings.token_file = process_.file("operator.token");
        const auto office = open_https_issuer(settings).value();
        unit_ = office->description().value().currency.unit;
        for (std::size_t i = 0; i < cards_in_all; ++i) make_card(*root, *office, i + 1);
    }

    const IssuerdProcess& process() const { return process_; }

    void open(std::size_t tills)
    {
        tills_.clear();
        tills_.resize(tills);
        for (auto& till : tills_) till.line = std::make_unique<Line>(process_.port());
        for (std::size_t i = 0; i < cards_.size(); ++i)
            tills_[i % tills].cards.push_back(&cards_[i]);
    }

    // Signs as many payments, a part for each terminal.
    void sign_payments(std::size_t times)
    {
        for (auto& till : tills_) till.payments.clear();
        for (std::size_t i = 0; i < times; ++i) {
            auto& till = tills_[i % tills_.size()];
            auto& card = *till.cards[till.payments.size() % till.cards.size()];
            const auto payment = card.pay(1, "SHOP-0001");
            const https::Json body{{"receipt", https::to_json(payment.receipt)},
                                   {"operation", https::to_json(*payment.executed)}};
            till.payments.push_back(Line::post("/v1/settlements", token_, body.dump()));
        }
    }
    // Each terminal waits for its answer before it asks again. Two threads do so for all of them:
    // a thread for each would take as much of the processors as the service.
    void settle_payments()
    {
        std::vector<std::thread> threads;
        const auto count = std::min<std::size_t>(tills_.size(), 2);
        for (std::size_t first = 0; first < count; ++first)
            threads.emplace_back([this, first, count] { settle_in_turn(first, count); });
        for (auto& thread : threads) thread.join();
    }

    // Each terminal asks at moments of its own plan, whether the answer before it was late or not.
    std::vector<double> settle_payments_at(double each_second)
    {
        const std::chrono::duration<double> step(static_cast<double>(tills_.size()) / each_second);
        const auto begin = std::chrono::steady_clock::now();
        std::vector<std::vector<double>> took(tills_.size());
        each([&](Till& till) {
            const auto number = static_cast<std::size_t>(&till - tills_.data());
            auto planned = std::chrono::duration<double>(step * number / tills_.size());
            for (const auto& payment : till.payments) {
                std::this_thread::sleep_until(begin + planned);
                expect_settled(till.line->ask(payment));
                const std::chrono::duration<double, std::milli> late =
                    std::chrono::steady_clock::now() - begin - planned;
                took[number].push_back(late.count());
                planned += step;
            }
        });
        std::vector<double> all;
        for (const auto& part : took) all.insert(all.end(), part.begin(), part.end());
        std::ranges::sort(all);
        return all;
    }

    void top_up(std::size_t times)
    {
        const auto first_id = operations_;
        operations_ += times;
        each([&](Till& till) {
            const auto number = static_cast<std::size_t>(&till - tills_.data());
            std::size_t turn = 0;
            for (auto i = number; i < times; i += tills_.size())
                top_up(*till.line, *till.cards[turn++ % till.cards.size()], first_id + i);
        });
    }

    SettleFloor floor()
    {
        SettleFloor floor;
        for (auto& card : cards_) {
            auto clone = card;
            floor.add(clone.pay(1, "SHOP-0001"), card.public_key());
        }
        return floor;
    }

private:
    // Of the terminals number `first`, `first` + `step`, and so on.
    void settle_in_turn(std::size_t first, std::size_t step)
    {
        std::vector<pollfd> waiting;
        std::vector<std::pair<Till*, std::size_t>> tills;  // and how many each has sent
        const auto send_next = [&](std::size_t i) {
            auto& [till, sent] = tills[i];
            if (sent == till->payments.size()) return void(waiting[i].fd = -1);
            till->line->send(till->payments[sent++]);
        };
        for (auto i = first; i < tills_.size(); i += step) {
            waiting.push_back({.fd = tills_[i].line->socket(), .events = POLLIN, .revents = 0});
            tills.emplace_back(&tills_[i], 0);
            send_next(tills.size() - 1);
        }
        const auto is_waiting = [](const pollfd& one) { return one.fd >= 0; };
        while (std::ranges::any_of(waiting, is_waiting)) {
            if (::poll(waiting.data(), waiting.size(), -1) < 0) throw std::runtime_error("poll");
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
                expect_settled(tills[i].first->line->receive());
                send_next(i);
            }
        }
    }
    void make_card(CardRoot& root, HttpsIssuer& office, std::size_t number)
    {
        const auto id = numbered<CardId>(number);
        auto& card = cards_.emplace_back(id, root.derive(id).value(), unit_);
        office
            .register_card({.card_id = id,
                            .certificate = card.certificate(),
                            .public_key = card.public_key(),
                            .transport_key = sha256(id.bytes()),
                            .limits = {.maximum_balance = Balance::minor_units(Balance::largest),
                                       .maximum_amount = Balance::minor_units(Balance::largest),
                                       .pin_above = Balance::minor_units(Balance::largest),
                                       .offline_payments = 15,
                                       .offline_total = Balance::minor_units(Balance::largest)},
                            .sealed = SealedPersonalisation(id.bytes())})
            .value();
        office.confirm_card(id).value();
        Line line(process_.port());
        top_up(line, card, operations_++, 1'000'000);
    }
    void top_up(Line& line, test::SimulatedCard& card, std::uint64_t id, std::int64_t amount = 1)
    {
        const OperationRequest request{.id = numbered<OperationId>(id),
                                       .card_id = card.id(),
                                       .kind = Kind::top_up,
                                       .amount = Amount::minor_units(amount),
                                       .parameter = {},
                                       .terminal = *AccountId::parse("terminal-1")};
        const auto answer =
            line.ask(Line::post("/v1/operations", token_, https::to_json(request).dump()));
        https::Problem problem;
        const auto status = https::read_status(https::Json::parse(answer), problem).value();
        const https::Json body{{"receipt", https::to_json(card.execute(status.first))}};
        expect_settled(line.ask(Line::post("/v1/settlements", token_, body.dump())));
    }
    static void expect_settled(const std::string& answer)
    {
        if (answer.find("\"settled\":true") == std::string::npos) throw std::runtime_error(answer);
    }
    template <class Work>
    void each(Work&& work)
    {
        std::vector<std::thread> threads;
        for (auto& till : tills_) threads.emplace_back([&] { work(till); });
        for (auto& thread : threads) thread.join();
    }

    IssuerdProcess process_;
    std::string token_;
    Unit unit_;
    std::deque<test::SimulatedCard> cards_;
    std::vector<Till> tills_;
    std::uint64_t operations_ = 0;
};

}  // namespace tallycard::bench
