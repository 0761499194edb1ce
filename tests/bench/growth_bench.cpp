// SPDX-License-Identifier: Apache-2.0
// growth_bench [--records N] [--records-of-card N] [--csv FILE]: what an operation costs when the
// store holds 10^4, 3*10^4, 10^5 ... N records (100,000), and a card for every ten of them; where a
// card has more, from the size on that makes a thousand cards. Over PostgreSQL where
// $TALLYCARD_TEST_POSTGRES says so. Its files are in $TMPDIR: 1.3 KB for each record.
#include <cstdio>
#include <random>
#include <utility>

#include <tallycard/verify.hpp>

#include "disk_floor.hpp"
#include "growth_audit.hpp"
#include "growth_options.hpp"
#include "growth_table.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;

constexpr std::size_t batch = 256;

class Growth {
public:
    Growth(Table& table, std::uint64_t records_of_card)
        : table_(&table), filler_(issuer_, records_of_card)
    {
    }

    void measure(std::uint64_t records)
    {
        const auto filling = Took::of([&] { filler_.grow_to(records); });
        const auto added = records - std::exchange(records_, records);
        add_single("fill, each record", "us", 1e6 * filling.wall / double(added));
        earlier_ = issuer_->ledger_head().value();
        add_single("store, each record", "bytes", store_size());
        const auto memory = memory_of([&] {
            const auto opening = Took::of([&] { issuer_.reopen(StoreCheck::quick); });
            add_single("open the platform", "ms", 1e3 * opening.wall);
        });
        add_single("memory to open the platform", "MiB", memory);
        measure_issuing();
        measure_writing();
        measure_batches();
        measure_proofs();
    }
    void measure_audit()
    {
        const auto path = issuer_.folder().file("export");
        Took exporting;
        const auto memory = memory_of([&] {
            exporting =
                Took::of([&] { issuer_->export_ledger(path, issuer_.checkpoint_key()).value(); });
        });
        const auto records = issuer_->ledger_head().value().size;
        add_single("export, each record", "us", 1e6 * exporting.wall / double(records));
        add_single("memory to export", "MiB", memory);
        if (records_ <= 100'000) audit(path, records, 1);
        audit(path, records, 2);
        std::filesystem::remove(path);
    }

private:
    void add_single(const std::string& what, const char* unit, double value)
    {
        add(what, 0, value, 0, unit);
    }
    void add(const std::string& what, double floor, double ours, double ratio,
             const char* unit = "us")
    {
        table_->add({.records = records_,
                     .what = what,
                     .unit = unit,
                     .floor = floor,
                     .ours = ours,
                     .ratio = ratio});
    }
    void compare(const char* what, std::size_t rounds, std::size_t times, Work floor, Work ours)
    {
        Report report(0, nullptr);
        report.compare({.name = what,
                        .rounds = rounds,
                        .times = times,
                        .floor = std::move(floor),
                        .ours = std::move(ours)});
        const auto& row = report.rows().front();
        add(what, row.floor_us, row.ours_us, row.ratio);
        add(std::string(what) + ", processor time", row.floor_processor_us, row.ours_processor_us,
            row.ours_processor_us / row.floor_processor_us);
    }
    double store_size() const
    {
        if (!test::test_postgres().empty()) return 0;
        std::uintmax_t bytes = 0;
        for (const char* ending : {"", "-wal"}) {
            std::error_code none;
            const auto size = std::filesystem::file_size(issuer_.store_file() + ending, none);
            if (!none) bytes += size;
        }
        return static_cast<double>(bytes) / static_cast<double>(records_);
    }

    Work pages(std::size_t each) const
    {
        return {.run = [this, each](std::size_t times) { disk_.run(each * times); }};
    }
    void pay(std::size_t times)
    {
        waiting_.clear();
        for (; times > 0; --times) waiting_.push_back(filler_.payment());
    }
    void settle_waiting()
    {
        for (const auto& one : issuer_->settle_all(waiting_).value())
            require(one && one->settled, "an operation did not settle");
        waiting_.clear();
    }

    void measure_issuing()
    {
        compare("issue a card (two durable writes)", 12, 2, pages(2),
                {.run = [&](std::size_t times) {
                    for (; times > 0; --times) (void)issuer_.make_card();
                }});
    }
    void measure_writing()
    {
        compare(
            "authorise a top-up", 12, 4, pages(1),
            {.run =
                 [&](std::size_t times) {
                     for (; times > 0; --times) {
                         auto& card = filler_.next();
                         const auto status = issuer_->authorise(filler_.request(card)).value();
                         waiting_.push_back(test::submission(card.execute(status.first.operation)));
                     }
                 },
             .prepare = [&](std::size_t) { waiting_.clear(); },
             .finish = [&] { settle_waiting(); }});
        compare("settle a payment", 12, 4, pages(1),
                {.run =
                     [&](std::size_t) {
                         for (const auto& one : waiting_) issuer_.settle(one).value();
                     },
                 .prepare = [&](std::size_t times) { pay(times); }});
    }
    void measure_batches()
    {
        const AuditFloor floor(filler_.cards(), issuer_.description().card_root);
        std::vector<GrowthCard*> cards;
        std::vector<Order> orders;
        std::vector<OrderAnswer> answers;
        compare("authorise 256 top-ups at once, each", 10, batch,
                {.run = [&](std::size_t) { disk_.run(1); }},
                {.run = [&](std::size_t) { answers = issuer_->do_all(orders).value(); },
                 .prepare =
                     [&](std::size_t times) {
                         cards.clear();
                         orders.clear();
                         for (; times > 0; --times) {
                             cards.push_back(&filler_.next());
                             orders.emplace_back(filler_.request(*cards.back()));
                         }
                     },
                 .finish =
                     [&] {
                         for (std::size_t i = 0; i < cards.size(); ++i) {
                             const auto& status = std::get<Result<OperationStatus>>(answers[i]);
                             require(status.has_value(), "a top-up was not signed");
                             waiting_.push_back(
                                 test::submission(cards[i]->execute(status->first.operation)));
                         }
                         settle_waiting();
                     }});
        compare("settle 256 payments at once, each", 10, batch,
                {.run =
                     [&](std::size_t times) {
                         floor.verify(times, 1);
                         disk_.run(1);
                     }},
                {.run = [&](std::size_t) { settle_waiting(); },
                 .prepare = [&](std::size_t times) { pay(times); }});
    }

    void measure_proofs()
    {
        const AuditFloor bare(filler_.cards(), issuer_.description().card_root);
        const Work signature{.run = [&](std::size_t times) { bare.verify(times, 1); }};
        const auto head = issuer_->ledger_head().value();
        std::uniform_int_distribution<std::uint64_t> any(0, head.size - 1);
        compare("prove inclusion", 40, 16, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times) keep(issuer_->prove(any(random_)).value());
                }});
        compare("prove consistency", 40, 16, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times)
                        keep(issuer_->prove_consistency(1 + any(random_)).value());
                }});
        const auto proof = issuer_->prove(head.size / 3).value();
        const auto leaf = merkle::leaf_hash(proof.entry.encode());
        compare("verify inclusion", 40, 64, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times)
                        require(merkle::verify_inclusion(leaf, proof.index, proof.head.size,
                                                         proof.path, proof.head.root),
                                "a proof does not verify");
                }});
        const auto way = issuer_->prove_consistency(earlier_.size).value();
        compare("verify consistency", 40, 64, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times)
                        require(merkle::verify_consistency(earlier_, head, way),
                                "a proof does not verify");
                }});
    }

    // The floor is a sample, taken half before and half after.
    void audit(const std::string& path, std::uint64_t records, unsigned threads)
    {
        const AuditFloor bare(filler_.cards(), issuer_.description().card_root);
        const auto signatures = double(records + filler_.operations());
        const auto half_signatures = std::min<std::size_t>(records / 2, 100'000);
        const auto half_keys = std::min<std::size_t>(filler_.cards().size() / 2, 10'000);
        const int rounds = records_ <= 10'000 ? 9 : 1;
        Took ours, verifying, deriving;
        double memory = 0;
        std::uint64_t cards = 0;
        const auto sample = [&] {
            verifying += Took::of([&] { bare.verify(half_signatures, threads); });
            deriving += Took::of([&] { bare.derive(half_keys, threads); });
        };
        for (int round = 0; round < rounds; ++round) {
            sample();
            const auto work = [&] {
                const auto report =
                    verify_ledger(path, issuer_.description(), std::nullopt, std::nullopt, threads)
                        .value();
                require(!report.fault && report.entries == records, "the ledger is not right");
                cards = report.cards;
            };
            memory = std::max(memory, memory_of([&] { ours += Took::of(work); }));
            sample();
        }
        const auto all = 1e6 / (rounds * double(records));  // to microseconds for each record
        const auto floor = signatures / double(2 * half_signatures) * verifying;
        auto with_keys = double(cards) / double(2 * half_keys) * deriving;
        with_keys += floor;
        const auto name = threads == 1 ? std::string("audit, 1 thread")
                                       : "audit, " + std::to_string(threads) + " threads";
        add_audit(name, all * floor, all * ours);
        add_audit(name + ", keys in the floor", all * with_keys, all * ours);
        add_single("memory to " + name, "MiB", memory);
    }
    void add_audit(const std::string& name, const Took& floor, const Took& ours)
    {
        add(name, floor.wall, ours.wall, ours.wall / floor.wall);
        add(name + ", processor time", floor.processor, ours.processor,
            ours.processor / floor.processor);
    }

    Table* table_;
    test::TestIssuer issuer_;
    Filler filler_;
    Disk disk_{issuer_.folder().file("disk")};
    std::vector<Submission> waiting_;
    std::minstd_rand random_{1};
    std::uint64_t records_ = 0;
    merkle::Head earlier_;
};

void run(const GrowthOptions& options)
{
    self_test().value();
    Table table(options.csv);
    Growth growth(table, options.records_of_card);
    for (auto size = options.first(); size < options.records; size *= 10) {
        growth.measure(size);
        growth.measure_audit();
        if (3 * size < options.records) growth.measure(3 * size);
    }
    growth.measure(options.records);
    growth.measure_audit();
    table.print();
}

}  // namespace

int main(int argc, char** argv)
{
    const auto options = GrowthOptions::parse(argc, argv);
    if (!options) {
        std::fputs("usage: growth_bench [--records N] [--records-of-card N] [--csv FILE]\n",
                   stderr);
        return 64;
    }
    run(*options);
    return 0;
}
