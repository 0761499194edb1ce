// SPDX-License-Identifier: Apache-2.0
// Settling payments in a durable SQLite store, one at a time and in batches, beside the
// cryptography that settling them takes, and beside the disk.
#include <stdexcept>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/verify.hpp>

#include "../support/test_issuer.hpp"
#include "disk_floor.hpp"
#include "settle_floor.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;

// Cards that pay in turn: made, and topped up, beforehand.
class Shop {
public:
    Shop()
    {
        for (int i = 0; i < 64; ++i) {
            cards_.push_back(issuer_.make_card());
            issuer_.run(cards_.back(), Kind::top_up, 1'000'000'00);
        }
    }

    void prepare(std::size_t times)
    {
        payments_.clear();
        for (std::size_t i = 0; i < times; ++i)
            payments_.push_back(cards_[next_++ % cards_.size()].pay(1, "SHOP-0001"));
    }
    void settle_each()
    {
        for (const auto& payment : payments_) {
            const auto done = issuer_->settle(payment);
            if (!done || !done->settled) throw std::runtime_error("a payment did not settle");
        }
    }
    void settle_all()
    {
        const auto all = issuer_->settle_all(payments_).value();
        for (const auto& one : all)
            if (!one || !one->settled) throw std::runtime_error("a payment did not settle");
    }

    const test::TemporaryFolder& folder() const { return issuer_.folder(); }
    // One payment of each card, settled.
    SettleFloor floor()
    {
        SettleFloor floor;
        prepare(cards_.size());
        settle_all();
        for (std::size_t i = 0; i < cards_.size(); ++i)
            floor.add(payments_[i], cards_[i].public_key());
        return floor;
    }

private:
    test::TestIssuer issuer_;
    std::vector<test::SimulatedCard> cards_;
    std::size_t next_ = 0;
    std::vector<Submission> payments_;
};

void run(Report& report)
{
    Shop shop;
    auto floor = shop.floor();
    const Disk disk(shop.folder().file("disk"));
    const Work crypto{.run = [&](std::size_t times) { floor.settle(times); }};
    const auto prepare = [&](std::size_t times) { shop.prepare(times); };
    const Work each{.run = [&](std::size_t) { shop.settle_each(); }, .prepare = prepare};
    const Work all{.run = [&](std::size_t) { shop.settle_all(); }, .prepare = prepare};

    report.compare({.name = "settle, one at a time: bare cryptography",
                    .rounds = 60,
                    .times = 4,
                    .floor = crypto,
                    .ours = each});
    report.compare({.name = "settle, one at a time: one durable page",
                    .rounds = 60,
                    .times = 4,
                    .floor = {.run = [&](std::size_t times) { disk.run(times); }},
                    .ours = each});
    for (const std::size_t batch : {16U, 256U}) {
        report.compare({.name = "settle " + std::to_string(batch) + " at once: bare cryptography",
                        .rounds = 40,
                        .times = batch,
                        .floor = crypto,
                        .ours = all});
    }
}

}  // namespace

int main(int argc, char** argv)
{
    Report report(argc, argv);
    self_test().value();
    run(report);
    report.print();
}
