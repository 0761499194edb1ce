// SPDX-License-Identifier: Apache-2.0
// A terminal with a journal: what it wrote itself, on a disk that fails, by programs that are
// killed; or what a stranger wrote in its name, entries and lines. Whatever the journal says,
// draining it moves no value but by what card and issuer sign, and ends nothing that is not so: an
// entry is acknowledged only where the platform has settled its receipt, and a journal that nobody
// else wrote to never calls not applied what has happened. With honest links nothing of it stays
// open without a reason.
#include <algorithm>
#include <memory>

#include "failing_journal.hpp"
#include "fuzz.hpp"
#include "journal_text.hpp"
#include "same_random.hpp"
#include "scratch.hpp"
#include "till.hpp"

using namespace tallycard;
using fuzz::Input;

namespace {

constexpr std::size_t most_steps = 8;

const std::string& path()
{
    static const auto path = fuzz::scratch().file("drained");
    return path;
}

class DrainedTill : public fuzz::Till {
public:
    DrainedTill(Input& input, fuzz::FailingJournal& journal, bool is_ours)
        : Till(input, &journal), journal_(journal), is_ours_(is_ours)
    {
        if (!is_ours) trust_no_journal();
    }

    void step()
    {
        begin_call();
        switch (input().below(16)) {
        case 0: return check(terminal().drain());
        case 1:
        case 2: begin_call(true); return check(terminal().drain(link(), pin()));
        case 3: return check(terminal().give_up(link()));
        case 4: return kill();
        case 5: return (void)journal_.compact(input().below(4));
        case 6:
        case 7: return write();
        default: operate();
        }
    }

    void finish()
    {
        journal_.be_honest();
        end();
        begin_call();
        const auto drained = terminal().drain(link(), {});
        FUZZ_CHECK(drained);
        check(drained);
        for (const auto& one : *drained) {
            const bool waits = one.entry.intent.after || one.entry.intent.card_id != card().card_id;
            FUZZ_CHECK(!is_ours_ || !one.entry.is_open() || one.reason || waits);
        }
        (void)world().view();  // I3
    }

private:
    // The next program finds the journal as it is, or with a part of a line that was being written.
    void kill()
    {
        journal_.put(nullptr);
        if (input().one_in(4)) {
            std::ofstream file(path(), std::ios::binary | std::ios::app);
            file << "0123";
        }
        auto opened = OperationJournal::open(path());
        FUZZ_CHECK(opened);
        journal_.put(*std::move(opened));
    }

    void check(const Result<std::vector<Drained>>& drained)
    {
        if (drained) check(*drained);
    }
    void check(const std::vector<Drained>& drained)
    {
        for (const auto& one : drained) {
            const auto& id = one.entry.intent.id;
            const auto* entry = journal_.find(id);
            FUZZ_CHECK(entry != nullptr && entry->stage == one.entry.stage);
            const auto& receipt = one.entry.receipt;
            if (one.settlement && one.settlement->settled) {
                FUZZ_CHECK(receipt);
                const auto standing =
                    world().platform().standing(receipt->result.card_id, std::nullopt);
                FUZZ_CHECK(standing && standing->settled >= receipt->result.sequence);
            }
            if (one.entry.stage == JournalStage::not_applied && is_ours_)
                FUZZ_CHECK(!has_happened(id));
        }
        (void)world().view();
    }
    bool has_happened(const OperationId& id)
    {
        const auto status = world().platform().status(id, name());
        if (status && status->progress == Progress::settled) return true;
        return std::ranges::any_of(card().log, [&](const auto& entry) {
            const auto operation = Operation::decode(entry.operation.bytes());
            return operation && std::ranges::equal(operation->nonce.bytes(), id.bytes());
        });
    }

    // What a stranger makes the journal say: valid lines all, none of which need be so.
    void write()
    {
        is_ours_ = false;
        trust_no_journal();
        const auto intent = this->intent();
        std::optional<JournalSent> sent;
        if (input().one_in(2)) sent = this->sent(intent);
        if (!journal_.intend(intent, sent) || !input().one_in(2)) return;
        const auto [operation, receipt] = executed();
        (void)journal_.executed(intent.id, operation, receipt);
        if (input().one_in(4)) (void)journal_.acknowledged(intent.id);
        if (input().one_in(4)) (void)journal_.not_applied(intent.id);
    }
    JournalIntent intent()
    {
        JournalIntent intent{.id = id(),
                             .card_id = world().applet_card,
                             .kind = Kind::top_up,
                             .amount = {},
                             .account = std::nullopt};
        if (const auto kind = kind_from_byte(static_cast<std::uint8_t>(input().below(0x20))))
            intent.kind = *kind;
        if (input().one_in(8)) intent.card_id = world().cards[0].id();
        if (moves_value(intent.kind)) intent.amount = Amount::minor_units(units());
        if (is_debit(intent.kind)) intent.amount = -intent.amount;
        const bool is_cash = intent.kind == Kind::top_up || intent.kind == Kind::cash_out;
        if (moves_value(intent.kind)) intent.account = is_cash ? name() : fuzz::account_of("shop");
        if (input().one_in(4)) intent.after = id();
        return intent;
    }
    // What the platform has signed for the card, or for another one.
    JournalSent sent(const JournalIntent& intent)
    {
        JournalSent sent{.sequence = card().sequence - input().byte() % 3u, .first = std::nullopt};
        auto signed_for = world().platform().status(input().one_in(4) ? id() : intent.id, name());
        if (signed_for) sent.first = signed_for->first;
        return sent;
    }
    std::pair<Operation, Receipt> executed()
    {
        auto& other = world().cards[input().below(2)];
        const auto paid = other.pay(1 + input().byte(), "shop");
        if (!input().one_in(4)) return {paid.executed->operation, paid.receipt};
        auto result = paid.receipt.result;
        result.sequence += 1;
        return {other.make(Kind::payment, -1, "shop"), other.sign(result)};
    }

    fuzz::FailingJournal& journal_;
    bool is_ours_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const bool is_ours = !input.one_in(4);
    const auto text = is_ours ? std::string() : fuzz::checked(input.counted());
    auto opened = OperationJournal::open(fuzz::file_with("drained", fuzz::bytes_of(text)));
    if (!opened) return 0;
    fuzz::FailingJournal journal(input);
    journal.put(*std::move(opened));
    const auto till = std::make_unique<DrainedTill>(input, journal, is_ours);
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) till->step();
    till->finish();
    return 0;
}
