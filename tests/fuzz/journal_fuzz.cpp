// SPDX-License-Identifier: Apache-2.0
// A terminal's journal of payments as a stranger left it, then as its program goes on with it. What
// opens reads again as what it was, whatever was appended; an intent and a receipt never change.
#include <algorithm>

#include <tallycard/payment_journal.hpp>

#include "../../src/crypto/software_keys.hpp"
#include "../support/simulated_card.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "same_random.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Input;

namespace {

OperationId id(std::size_t n)
{
    std::array<std::uint8_t, OperationId::size> bytes{};
    bytes[0] = static_cast<std::uint8_t>(n);
    return OperationId(bytes);
}

const std::vector<Submission>& paid()
{
    static const auto all = [] {
        std::array<std::uint8_t, KeySeed::size> seed{1};
        SoftwareCardRoot root{KeySeed(seed)};
        const CardId card_id;
        test::SimulatedCard card(card_id, root.derive(card_id).value(), *Unit::from_code(978));
        auto top_up = card.make(Kind::top_up, 100'00);
        (void)card.execute(top_up);
        std::vector<Submission> made;
        for (int i = 1; i <= 3; ++i) made.push_back(card.pay(i * 100, "SHOP-1"));
        return made;
    }();
    return all;
}

bool are_same(const std::vector<JournalPayment>& a, const std::vector<JournalPayment>& b)
{
    return std::ranges::equal(a, b, [](const JournalPayment& x, const JournalPayment& y) {
        return x.intent == y.intent && x.operation == y.operation && x.receipt == y.receipt &&
               x.closed == y.closed;
    });
}

// One call, where the journal knows the payment that it is about.
void go_on(PaymentJournal& journal, Input& input)
{
    const auto which = id(input.below(4));
    const auto known = std::ranges::find(journal.payments(), which,
                                         [](const JournalPayment& p) { return p.intent.id; });
    const bool is_known = known != journal.payments().end();
    const auto before = journal.payments();
    switch (input.below(3)) {
    case 0: {
        const PaymentIntent intent{.id = which,
                                   .card_id = {},
                                   .amount = Amount::minor_units(1 + input.byte()),
                                   .payee = *AccountId::parse(std::string_view("SHOP-1"))};
        const auto done = journal.intend(intent);
        FUZZ_CHECK(done.has_value() == (!is_known || known->intent == intent));
        if (is_known) FUZZ_CHECK(are_same(before, journal.payments()));
        break;
    }
    case 1: {
        if (!is_known) return;
        const auto receipt = known->receipt;
        const auto& now = paid()[input.below(paid().size())];
        const auto done = journal.paid(which, *now.operation, now.receipt);
        FUZZ_CHECK(done.has_value() == (!receipt || *receipt == now.receipt));
        if (!done) FUZZ_CHECK(are_same(before, journal.payments()));
        break;
    }
    default:
        if (is_known) FUZZ_CHECK(journal.close(which));
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto calls = input.bytes(input.below(16));
    const auto path = fuzz::file_with("journal", input.rest());
    std::vector<JournalPayment> left;
    {
        const auto journal = PaymentJournal::open(path);
        if (!journal) {
            FUZZ_CHECK(journal.error().code == Errc::file_damaged);
            FUZZ_CHECK(journal.error().detail < size);
            return 0;
        }
        FUZZ_CHECK(PaymentJournal::open(path).error().code == Errc::file_in_use);
        Input steps(calls.data(), calls.size());
        while (!steps.empty()) go_on(**journal, steps);
        left = (*journal)->payments();
    }
    const auto again = PaymentJournal::open(path);
    FUZZ_CHECK(again && are_same((*again)->payments(), left));
    return 0;
}
