// SPDX-License-Identifier: Apache-2.0
// soak_terminal ISSUER.PUB SOCKET JOURNAL READER: a till of a soak. On its standard input a line
// starts a shift and the next one ends it; the end of the input ends the program. It prints when it
// is at work, and after a shift how many operations that had, all of them settled. A shift has
// connections and a journal of its own; in it, again and again, a top-up and what it pays for in
// small payments.
#include <poll.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <random>

#include <tallycard/issuer_description.hpp>
#include <tallycard/operation_journal.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/terminal.hpp>

#include "remote_issuer.hpp"

namespace {

using namespace soak;

constexpr int payments_in_a_row = 8;
constexpr std::int64_t price = 1'00;

// A customer every so often, unless the shift ends: false.
bool goes_on()
{
    constexpr int between_customers = 50;  // ms
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, between_customers) == 0;
}

OperationId random_id()
{
    static std::random_device source;
    std::array<std::uint8_t, OperationId::size> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(source());
    return OperationId(bytes);
}

Applied applied(const Outcome& outcome)
{
    if (const auto* refused = std::get_if<NotApplied>(&outcome)) raise(refused->reason);
    if (const auto* doubt = std::get_if<InDoubt>(&outcome)) raise(doubt->reason);
    return std::get<Applied>(outcome);
}

class Shift {
public:
    Shift(const TerminalSettings& settings, const std::string& platform, const std::string& journal,
          const std::string& reader)
        : issuer_(platform),
          journal_(OperationJournal::open(journal).value()),
          terminal_(issuer_, with(settings, journal_.get())),
          readers_(open_pcsc().value()),
          reader_(readers_->open(reader).value())
    {
        reader_->wait_for_card(std::chrono::seconds(20)).value();
        card_ = reader_->connect(Sharing::shared).value();
    }

    unsigned work()
    {
        unsigned operations = 0;
        while (goes_on()) {
            applied(terminal_.top_up(*card_, random_id(),
                                     Amount::minor_units(payments_in_a_row * price)));
            ++operations;
            for (int i = 0; i < payments_in_a_row && goes_on(); ++i, ++operations)
                applied(terminal_.pay(*card_, random_id(), Amount::minor_units(price), shop_));
            settle();
        }
        // What a shift that ended early has left on the card stays there, within its limits.
        const auto left = terminal_.resolve(*card_).value();
        const auto state = terminal_.state(*card_).value();
        if (left.settled != 0 || !(state.balance == left.standing.balance))
            throw std::runtime_error("card and platform disagree");
        return operations;
    }

private:
    static TerminalSettings with(TerminalSettings settings, OperationJournal* journal)
    {
        settings.journal = journal;
        return settings;
    }
    void settle()
    {
        for (const auto& drained : terminal_.drain()) {
            if (drained.reason) raise(*drained.reason);
            if (drained.entry.is_open()) throw std::runtime_error("a payment is kept back");
        }
        constexpr std::size_t kept = 16;
        journal_->compact(kept).value();
    }

    RemoteIssuer issuer_;
    std::unique_ptr<OperationJournal> journal_;
    Terminal terminal_;
    std::unique_ptr<ReaderDriver> readers_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<CardLink> card_;
    AccountId shop_ = AccountId::parse("SHOP-1").value();
};

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 5)
        return std::fputs("usage: soak_terminal ISSUER.PUB SOCKET JOURNAL READER\n", stderr), 64;
    const TerminalSettings settings{.card_root = read_issuer_file(argv[1]).value().card_root,
                                    .name = AccountId::parse("till").value(),
                                    .observer = nullptr};
    std::setvbuf(stdin, nullptr, _IONBF, 0);  // poll() sees what std::cin has not read
    for (std::string line; std::getline(std::cin, line) && !line.empty();) {
        {
            Shift shift(settings, argv[2], argv[3], argv[4]);
            std::puts("at work");
            std::fflush(stdout);
            std::printf("%u\n", shift.work());
        }
        std::getline(std::cin, line);
        std::filesystem::remove(argv[3]);
        std::fflush(stdout);
    }
    return 0;
} catch (const std::exception& error) {
    return std::fprintf(stderr, "soak_terminal: %s\n", error.what()), 1;
}
