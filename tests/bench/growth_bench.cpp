// SPDX-License-Identifier: Apache-2.0
// growth_bench [--json] SIZE...: what an operation costs when the store holds that many cards and
// records. The store grows from size to size; what fills it is made, not settled: cards that were
// topped up once, under signatures that nobody checks. Over PostgreSQL where
// $TALLYCARD_TEST_POSTGRES says so.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <vector>

#include <tallycard/record.hpp>
#include <tallycard/terminal.hpp>
#include <tallycard/verify.hpp>

#include "../../src/issuer/ledger_tree.hpp"
#include "../../src/protocol/digest.hpp"
#include "../../src/protocol/wire.hpp"
#include "../support/test_issuer.hpp"
#include "libsodium_floor.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;

constexpr std::uint64_t at_once = 10'000;  // cards in one transaction
constexpr std::uint64_t cards_of_a_terminal = 1'000;

Digest random_like(std::uint64_t number, std::uint8_t what)
{
    std::array<std::uint8_t, 9> bytes{what};
    for (std::size_t i = 1; i < bytes.size(); ++i, number >>= 8)
        bytes[i] = static_cast<std::uint8_t>(number);
    return sha256(bytes);
}

template <class T>
T cut(std::uint64_t number, std::uint8_t what)
{
    std::array<std::uint8_t, T::size> bytes{};
    const auto random = random_like(number, what);
    std::ranges::copy_n(random.bytes().begin(), std::min(bytes.size(), random.bytes().size()),
                        bytes.begin());
    return T(bytes);
}

// Cards that were topped up once.
class Filler {
public:
    explicit Filler(const test::TestIssuer& issuer)
        : store_(issuer.store().open(StoreCheck::quick).value()),
          unit_(issuer.description().currency.unit)
    {
    }

    void grow_to(std::uint64_t size)
    {
        while (size_ < size) {
            const auto transaction = store_->write().value();
            auto index = transaction->record_count().value();
            for (std::uint64_t i = 0; i < at_once && size_ < size; ++i)
                add(*transaction, index++, size_++);
            transaction->commit().value();
        }
    }

private:
    void add(StoreTransaction& store, std::uint64_t index, std::uint64_t number) const
    {
        const auto terminal =
            test::account_id("till-" + std::to_string(number / cards_of_a_terminal));
        const AccountName cash{AccountKind::cash, terminal};
        Operation operation;
        operation.kind = Kind::top_up;
        operation.card_id = cut<CardId>(number, 0);
        operation.sequence = 1;
        operation.amount = Amount::minor_units(1000);
        operation.unit = unit_;
        operation.nonce = cut<Nonce>(number, 1);
        const FirstInstruction first{operation, cut<Signature>(number, 2)};
        CardResult result;
        result.card_id = operation.card_id;
        result.sequence = 1;
        result.operation = operation.digest();
        result.balance = Balance::minor_units(1000);
        const Record record{operation, first.issuer_signature, {result, cut<Signature>(number, 3)}};

        store.insert_card(row(number, result)).value();
        const AccountName holder{AccountKind::associated, holder_account(result.card_id)};
        store.put_account({.name = holder}).value();
        OperationRow signed_one;
        signed_one.id = cut<OperationId>(number, 8);
        signed_one.request = random_like(number, 9);
        signed_one.first = first;
        signed_one.terminal = terminal;
        store.insert_operation(signed_one).value();
        auto till = store.account(cash).value().value_or(AccountRow{.name = cash});
        till.balance -= 1000;
        store.put_account(till).value();
        const AccountName card{AccountKind::card, *AccountId::parse(result.card_id.to_string())};
        const Posting posting{.debit = cash, .credit = card, .amount = operation.amount};
        store.append_record(index, record, posting).value();
        LedgerTree(store).append(index, merkle::leaf_hash(record.encode())).value();
    }
    static CardRow row(std::uint64_t number, const CardResult& result)
    {
        CardRow row;
        row.card_id = result.card_id;
        row.certificate = cut<Certificate>(number, 4);
        row.public_key = cut<PublicKey>(number, 5);
        row.transport_key = random_like(number, 6);
        row.first_operation_key = row.operation_key = cut<PublicKey>(0, 7);
        row.issued = true;
        row.settled = 1;
        row.balance = result.balance;
        row.last_result = result.digest();
        return row;
    }

    std::unique_ptr<Store> store_;
    Unit unit_;
    std::uint64_t size_ = 0;
};

// One page of a file, written again and again, durably.
class Disk {
public:
    explicit Disk(const std::string& path)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600))
    {
    }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    ~Disk() { ::close(file_); }
    void run(std::size_t times) const
    {
        constexpr std::array<std::uint8_t, 4096> page{};
        for (std::size_t i = 0; i < times; ++i)
            if (::pwrite(file_, page.data(), page.size(), 0) < 0 || ::fdatasync(file_) != 0)
                throw std::runtime_error("the disk failed");
    }

private:
    int file_;
};

class Growth {
public:
    explicit Growth(Report& report) : report_(&report)
    {
        for (int i = 0; i < 64; ++i) {
            cards_.push_back(issuer_.make_card());
            issuer_.run(cards_.back(), Kind::top_up, 1'000'000);
        }
    }

    void measure(std::uint64_t size)
    {
        const auto start = Clock::now();
        filler_.grow_to(size);
        std::fprintf(stderr, "%llu cards after %.0f s\n", static_cast<unsigned long long>(size),
                     seconds_since(start));
        name_ = std::to_string(size) + " cards: ";
        const auto opening = Clock::now();
        issuer_.reopen();
        std::fprintf(stderr, "opened in %.3f s\n", seconds_since(opening));
        measure_writing();
        measure_proofs();
    }

private:
    using Clock = std::chrono::steady_clock;
    static double seconds_since(Clock::time_point start)
    {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
    void compare(const std::string& what, std::size_t times, Work floor, Work ours)
    {
        report_->compare({.name = name_ + what,
                          .rounds = 40,
                          .times = times,
                          .floor = std::move(floor),
                          .ours = std::move(ours)});
    }
    test::SimulatedCard& next() { return cards_[next_++ % cards_.size()]; }

    void pay(std::size_t times)
    {
        payments_.clear();
        for (std::size_t i = 0; i < times; ++i) payments_.push_back(next().pay(1, "SHOP-0001"));
    }
    void authorise(std::size_t times)
    {
        for (std::size_t i = 0; i < times; ++i) {
            auto& card = next();
            const auto first = issuer_.authorise(card, Kind::top_up, 1).value().first;
            payments_.push_back({card.execute(first), std::nullopt});
        }
    }
    void settle_at_once()
    {
        for (const auto& one : issuer_->settle_all(payments_).value())
            if (!one) throw std::runtime_error("a payment did not settle");
        payments_.clear();
    }

    void measure_writing()
    {
        const Work page{.run = [&](std::size_t times) { disk_.run(times); }};
        const Work two_pages{.run = [&](std::size_t times) { disk_.run(2 * times); }};
        const auto pays = [&](std::size_t times) { pay(times); };
        compare("issue (two durable writes)", 2, two_pages, {.run = [&](std::size_t times) {
                    for (; times > 0; --times) (void)issuer_.make_card();
                }});
        compare("authorise", 4, page,
                {.run = [&](std::size_t times) { authorise(times); },
                 .prepare = [&](std::size_t) { payments_.clear(); },
                 .finish = [&] { settle_at_once(); }});
        compare("settle", 4, page,
                {.run =
                     [&](std::size_t) {
                         for (const auto& payment : payments_) issuer_.settle(payment).value();
                     },
                 .prepare = pays});
        compare("settle 256 at once, each", 256, {.run = [&](std::size_t) { disk_.run(1); }},
                {.run = [&](std::size_t) { settle_at_once(); }, .prepare = pays});
    }

    void measure_proofs()
    {
        const auto head = issuer_->ledger_head().value();
        std::uniform_int_distribution<std::uint64_t> any(0, head.size - 1);
        // Of one record that was really signed; and what checking its two signatures takes.
        const auto proof = issuer_->prove(cards_[0].id(), 1).value();
        const auto& key = cards_[0].public_key();
        const auto message =
            signed_message(wire::domain::result, proof.record.receipt.result.encode());
        const Work signature{.run = [&](std::size_t times) {
            for (; times > 0; --times)
                bare_verify(proof.record.receipt.card_signature, message, key);
        }};
        compare("prove an entry", 16, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times) keep(issuer_->prove(any(random_)).value());
                }});
        compare("verify such a proof", 16, signature, {.run = [&](std::size_t times) {
                    for (; times > 0; --times) {
                        const auto leaf = merkle::leaf_hash(proof.record.encode());
                        if (!verify(proof.record.receipt, key) ||
                            !merkle::verify_inclusion(leaf, proof.index, proof.head.size,
                                                      proof.path, proof.head.root))
                            throw std::runtime_error("a proof does not verify");
                    }
                }});
    }

    Report* report_;
    test::TestIssuer issuer_;
    Filler filler_{issuer_};
    Disk disk_{issuer_.folder().file("disk")};
    std::vector<test::SimulatedCard> cards_;
    std::size_t next_ = 0;
    std::vector<Submission> payments_;
    std::minstd_rand random_{1};
    std::string name_;
};

}  // namespace

int main(int argc, char** argv)
{
    Report report(argc, argv);
    self_test().value();
    Growth growth(report);
    for (int i = 1; i < argc; ++i) {
        const std::string_view text(argv[i]);
        std::uint64_t size = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), size).ec == std::errc())
            growth.measure(size);
    }
    report.print();
}
