// SPDX-License-Identifier: Apache-2.0
// A terminal's journal as a stranger left it, then as its program goes on with it. What
// opens reads again as what it was, whatever was appended; a receipt never changes.
#include <algorithm>
#include <string>

#include <tallycard/operation_journal.hpp>

#include "../../src/crypto/software_keys.hpp"
#include "../support/simulated_card.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "journal_text.hpp"
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
        const auto top_up = card.make(Kind::top_up, 100'00, "T1");
        (void)card.execute(top_up);
        std::vector<Submission> made;
        for (int i = 1; i <= 3; ++i) made.push_back(card.pay(i * 100, "SHOP-1"));
        return made;
    }();
    return all;
}

bool are_same(const std::vector<JournalEntry>& a, const std::vector<JournalEntry>& b)
{
    return std::ranges::equal(a, b, [](const JournalEntry& x, const JournalEntry& y) {
        return x.intent == y.intent && x.stage == y.stage && x.sent == y.sent &&
               x.operation == y.operation && x.receipt == y.receipt;
    });
}

// The operation goes to the platform with its receipt, and with 9D where the issuer signed it.
void check_executed(const std::vector<JournalEntry>& entries)
{
    for (const auto& entry : entries) {
        const auto executed = entry.executed();
        const bool is_payment = entry.operation && entry.operation->kind == Kind::payment;
        FUZZ_CHECK(executed || !is_payment);
        if (!executed) continue;
        FUZZ_CHECK(executed->valid() && executed->operation == entry.operation);
        if (!is_payment)
            FUZZ_CHECK(executed->issuer_signature == entry.sent->first->issuer_signature);
    }
}

JournalIntent intent_of(const OperationId& id, Input& input)
{
    JournalIntent intent{.id = id,
                         .card_id = {},
                         .kind = Kind::payment,
                         .amount = Amount::minor_units(-1 - input.byte()),
                         .account = *AccountId::parse(std::string_view("SHOP-1"))};
    if (input.one_in(4)) intent.after = ::id(input.below(4));
    return intent;
}

// One call, where the journal knows the operation that it is about.
void go_on(OperationJournal& journal, Input& input)
{
    const auto which = id(input.below(4));
    const auto before = journal.entries();
    const auto* entry = journal.find(which);
    const auto known = entry == nullptr ? std::nullopt : std::optional(*entry);
    Result<void> done;
    switch (input.below(6)) {
    case 0: {
        const auto intent = intent_of(which, input);
        done = journal.intend(intent);
        FUZZ_CHECK(done.has_value() == (!known || known->intent == intent));
        break;
    }
    case 1:
        if (!known) return;
        done = journal.sent(which, {.sequence = input.byte(), .first = std::nullopt});
        FUZZ_CHECK(done.has_value());
        break;
    case 2: {
        if (!known) return;
        const auto& now = paid()[input.below(paid().size())];
        done = journal.executed(which, now.executed->operation, now.receipt);
        FUZZ_CHECK(done.has_value() == (!known->receipt || *known->receipt == now.receipt));
        break;
    }
    case 3:
    case 4:
        if (!known) return;
        done = input.one_in(2) ? journal.acknowledged(which) : journal.not_applied(which);
        break;
    default:
        FUZZ_CHECK(journal.compact(input.below(4)).has_value());
        FUZZ_CHECK(!known || !known->is_open() || journal.find(which) != nullptr);
    }
    if (!done) FUZZ_CHECK(are_same(before, journal.entries()));
    // What the card has signed is there for good, or its end is.
    const auto* now = journal.find(which);
    FUZZ_CHECK(!known || !known->receipt || now == nullptr || now->receipt == known->receipt);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const bool is_checked = !input.one_in(4);
    const auto calls = input.bytes(input.below(32));
    const auto text = is_checked ? fuzz::checked(input.rest()) : std::string();
    const auto path = fuzz::file_with("journal", is_checked ? fuzz::bytes_of(text) : input.rest());
    std::vector<JournalEntry> left;
    {
        const auto journal = OperationJournal::open(path);
        if (!journal) {
            const auto& error = journal.error();
            FUZZ_CHECK(error.code == Errc::file_damaged || error.code == Errc::file_malformed);
            FUZZ_CHECK(error.detail >= 1 && error.detail <= size + 2);
            return 0;
        }
        FUZZ_CHECK(OperationJournal::open(path).error().code == Errc::file_in_use);
        Input steps(calls.data(), calls.size());
        while (!steps.empty()) go_on(**journal, steps);
        left = (*journal)->entries();
        check_executed(left);
    }
    const auto again = OperationJournal::open(path);
    FUZZ_CHECK(again && are_same((*again)->entries(), left));
    return 0;
}
