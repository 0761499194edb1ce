// SPDX-License-Identifier: Apache-2.0
// The platform, asked by a terminal that says what it likes: genuine operations and results,
// changed ones, ones that broken and cloned cards signed, raw bytes; and a store that fails, and a
// machine that stops. The books sum up to zero after each of them (I3), what is refused changes
// nothing but the deny list (I12, I14), and only what a card signed moves value (I10, I11).
#include <tallycard/verify.hpp>

#include "fuzz.hpp"
#include "issuer_world.hpp"
#include "same_random.hpp"

using namespace tallycard;
using fuzz::Input;
using fuzz::IssuerWorld;

namespace {

constexpr std::size_t most_steps = 16;

std::int64_t amount(Input& input)
{
    constexpr std::int64_t telling[] = {0, 1, 20'00, 40'00, 40'01, 480'00, 480'01, INT64_MAX};
    const auto which = input.byte();
    return which < 64 ? telling[which % std::size(telling)] : which * 100;
}

class Terminal {
public:
    explicit Terminal(Input& input) : input_(input) { last_ = world_.view(); }

    void step()
    {
        switch (input_.below(16)) {
        case 0:
        case 1: authorise(); break;
        case 2: execute(); break;
        case 3:
        case 4: settle(); break;
        case 5: settle_changed(); break;
        case 6: pay(); break;
        case 7: transfer(); break;
        case 8: broken_card(); break;
        case 9: void_pending(); break;
        case 10: administer(); break;
        case 11: settle_many(); break;
        case 12: settle_raw(); break;
        case 13: look(); break;
        case 14: fail(); break;
        default: restart();
        }
    }

private:
    test::SimulatedCard& card() { return world_.cards[input_.below(world_.cards.size())]; }
    OperationId id() { return fuzz::id_of<OperationId>(input_.byte() % 8u); }
    const Submission* known()
    {
        return results_.empty() ? nullptr : &results_[input_.below(results_.size())];
    }

    Result<CardStanding> look_at(const CardId& card_id)
    {
        const auto quiet = IssuerWorld::quiet();
        return world_.platform().standing(card_id);
    }

    // After every call: what did it change, and might it?
    template <class T>
    void changed(const Result<T>& result)
    {
        const bool failed = !result && (result.error().code == Errc::store_failed ||
                                        result.error().code == Errc::file_in_use ||
                                        result.error().code == Errc::file_damaged);
        FUZZ_CHECK(!failed || is_failing_);
        const bool in_doubt = failed && result.error().effect == Effect::unknown;
        if (is_failing_ && (failed || IssuerWorld::disk().stopped())) mend();
        const auto now = world_.view();
        if (!result && !in_doubt) {
            FUZZ_CHECK(now.value == last_.value);
            FUZZ_CHECK(now.standing == last_.standing || result.error().code == Errc::evidence);
        }
        FUZZ_CHECK(now.records >= last_.records);
        last_ = now;
    }
    void mend()
    {
        is_failing_ = false;
        world_.recover();
        FUZZ_CHECK(world_.restart());  // I15
    }

    void authorise()
    {
        constexpr Kind kinds[] = {Kind::top_up,          Kind::cash_out,
                                  Kind::set_limits,      Kind::block,
                                  Kind::unblock,         Kind::replace_operation_key,
                                  Kind::reset_pin_tries, Kind::cancel,
                                  Kind::terminate,       Kind::transfer_in};
        OperationRequest request{.id = id(),
                                 .card_id = input_.one_in(16) ? CardId() : card().id(),
                                 .kind = kinds[input_.below(std::size(kinds))],
                                 .amount = Amount::minor_units(amount(input_)),
                                 .parameter = {},
                                 .terminal = fuzz::account_of(input_.one_in(2) ? "T2" : "T1")};
        if (is_debit(request.kind) && !input_.one_in(8)) request.amount = -request.amount;
        if (!moves_value(request.kind) && !input_.one_in(8)) request.amount = {};
        const auto& keys = IssuerWorld::settings().issuer.operation_keys;
        if (request.kind == Kind::set_limits) request.parameter = Limits{};
        if (request.kind == Kind::replace_operation_key)
            request.parameter =
                input_.one_in(4) ? IssuerWorld::settings().issuer.card_root : keys[input_.below(2)];
        const auto status = world_.platform().authorise(request);
        if (status) {
            FUZZ_CHECK(status->first.operation.kind == request.kind);
            FUZZ_CHECK(verify(status->first, keys[0]) || verify(status->first, keys[1]));
        }
        changed(status);
    }

    // A card does what is pending for it, unless it is one that keeps no order.
    void execute()
    {
        auto& card = this->card();
        const auto standing = look_at(card.id());
        if (!standing || !standing->pending) return;
        const auto& first =
            standing->voiding && input_.one_in(2) ? standing->voiding : standing->pending;
        if (!checked_add(card.balance(), first->operation.amount)) return;
        if (first->operation.sequence != card.sequence() + 1 && !input_.one_in(8)) return;
        results_.push_back({card.execute(*first), std::nullopt});
        if (input_.one_in(4)) results_.back().operation = first->operation;
    }

    void pay()
    {
        auto& card = this->card();
        const auto paid = std::max<std::int64_t>(1, amount(input_));
        if (!checked_add(card.balance(), Amount::minor_units(-paid))) return;
        results_.push_back(card.pay(paid, input_.one_in(4) ? "another" : "shop"));
    }

    void settle()
    {
        const auto* known = this->known();
        if (known == nullptr) return;
        auto operation = known->operation;
        const auto how = input_.byte();
        if (how >= 0xF0) operation.reset();
        if (how >= 0xE0 && how < 0xF0) operation = this->known()->operation;
        settle(known->receipt, operation);
    }
    void settle(const Receipt& receipt, const std::optional<Operation>& operation)
    {
        const auto before = look_at(receipt.result.card_id);
        const auto done = world_.platform().settle(receipt, operation);
        if (done) {
            FUZZ_CHECK(before && verify(receipt, before->public_key));
            FUZZ_CHECK(done->sequence == receipt.result.sequence);
            FUZZ_CHECK(done->balance == receipt.result.balance);
            if (done->settled) {
                const auto record = world_.platform().record(done->ledger_index);
                FUZZ_CHECK(is_failing_ ||
                           (record && *record && (*record)->receipt.result == receipt.result));
            }
        }
        changed(done);
    }

    // Nobody's signature: I12.
    void settle_changed()
    {
        const auto* known = this->known();
        if (known == nullptr) return;
        const auto genuine = known->receipt.encode();
        fuzz::Bytes bytes(genuine.bytes().begin(), genuine.bytes().end());
        fuzz::edit(bytes, input_);
        const auto receipt = Receipt::decode(bytes);
        if (!receipt || *receipt == known->receipt) return;
        const auto done = world_.platform().settle(*receipt, known->operation);
        FUZZ_CHECK(!done && done.error().code != Errc::evidence);
        changed(done);
    }
    void settle_raw()
    {
        const auto given = input_.counted();
        const auto receipt = Receipt::decode(given);
        const auto operation = Operation::decode(input_.counted());
        if (!receipt) return;
        std::optional<Operation> along;
        if (operation) along = *operation;
        settle(*receipt, along);
    }

    // What a card signs that does not keep to the rules: I14. It starts from what a good one would
    // sign next.
    void broken_card()
    {
        auto& card = this->card();
        auto good = card;
        const auto what = input_.byte();
        const auto standing = look_at(card.id());
        const bool is_pending = standing && standing->pending && (what & 32) != 0;
        const auto operation = is_pending         ? standing->pending->operation
                               : (what & 16) != 0 ? card.make(Kind::cash_out, -1)
                                                  : card.make(Kind::payment, -1, "shop");
        if (!checked_add(card.balance(), operation.amount)) return;
        auto result = good.execute(operation).result;
        if ((what & 1) != 0) result.balance = Balance::minor_units(input_.number(4));
        if ((what & 2) != 0) result.sequence += input_.byte() - 20u;
        if ((what & 4) != 0) result.previous_result = {};
        if ((what & 8) != 0) result.state = CardState::blocked;
        const auto receipt = card.sign(result);
        results_.push_back({receipt, operation});
        settle(receipt, operation);
        if ((what & 64) != 0) world_.cards.push_back(card);  // a clone of it
    }

    void transfer()
    {
        auto& card = this->card();
        const auto kind = input_.one_in(2) ? Kind::transfer_in : Kind::transfer_out;
        const auto units = std::max<std::int64_t>(1, amount(input_));
        auto second = card.request(kind, kind == Kind::transfer_in ? units : -units,
                                   input_.one_in(4) ? "nobody" : "shop");
        const auto how = input_.byte();
        if (how < 0x20) second.operation.sequence += how - 0x10u;
        if (how >= 0x20 && how < 0x40) second.operation.amount = Amount::minor_units(units / 2 + 1);
        if (how == 0x40) second.operation.card_id = {};
        if (how == 0x41) second.operation.kind = Kind::payment;
        const auto status = world_.platform().authorise_transfer(id(), second);
        if (status)
            FUZZ_CHECK(is_failing_ || verify(second, card.public_key()) ||
                       status->first.operation == second.operation);
        changed(status);
    }

    void void_pending() { changed(world_.platform().void_pending(card().id())); }

    void settle_many()
    {
        std::vector<Submission> many;
        for (auto left = input_.below(6); left > 0; --left)
            if (const auto* one = known()) many.push_back(*one);
        const auto done = world_.platform().settle_all(many);
        FUZZ_CHECK(!done || done->size() == many.size());
        changed(done);
    }

    void administer()
    {
        auto& platform = world_.platform();
        const auto id = input_.one_in(8) ? CardId() : card().id();
        switch (input_.below(6)) {
        case 0: return changed_by_hand(platform.deny(id));
        case 1: return changed_by_hand(platform.undeny(id));
        case 2: return changed(platform.open_account(fuzz::account_of("another")));
        case 3: return changed(platform.confirm_card(id));
        case 4: {
            const auto number = input_.byte();
            const auto key = fuzz::id_of<PublicKey>(input_.byte());
            return changed(platform.register_card({.card_id = fuzz::id_of<CardId>(number % 5u),
                                                   .certificate = Certificate(key.bytes()),
                                                   .public_key = key,
                                                   .transport_key = Digest(key.bytes())}));
        }
        default: return checkpoint();
        }
    }
    // Notes of the ledger, and a file of them that somebody else writes.
    void checkpoint()
    {
        auto& platform = world_.platform();
        const auto how = input_.below(4);
        if (how == 0) return changed(platform.checkpoint(IssuerWorld::other_key()));
        if (how == 1) return changed(platform.checkpoint(IssuerWorld::checkpoint_key()));
        const auto raw = input_.bytes(8);
        fuzz::Bytes note(raw.begin(), raw.end());
        const auto made = platform.checkpoint(IssuerWorld::checkpoint_key());
        if (made && how == 2) note.assign(made->begin(), made->end());
        if (how == 2) fuzz::edit(note, input_);
        changed(made);
        IssuerWorld::write_checkpoint_file(note);
        if (world_.restart()) return;
        IssuerWorld::write_checkpoint_file({});
        mend_and_look();
    }
    void changed_by_hand(const Result<void>& result)
    {
        if (result) last_.standing = world_.view().standing;
        changed(result);
    }

    // Questions change nothing, and what is proved verifies.
    void look()
    {
        changed(world_.platform().status(id()));
        changed(world_.platform().standing(card().id()));
        const auto index = input_.byte() % 16u;
        const auto proof = world_.platform().prove(index);
        if (proof)
            FUZZ_CHECK(merkle::verify_inclusion(merkle::leaf_hash(proof->record.encode()), index,
                                                proof->head.size, proof->path, proof->head.root));
        changed(proof);
        changed(world_.platform().prove(card().id(), input_.byte() % 8u));
        const auto earlier = std::uint64_t{input_.byte() % 16u};
        if (earlier > 0) changed(world_.platform().prove_consistency(earlier));
        changed(world_.platform().records(index, 4));
        changed(world_.platform().card_of_transport_key(fuzz::id_of<Digest>(input_.byte())));
        changed(
            world_.platform().account({.kind = AccountKind::cash, .id = fuzz::account_of("T1")}));
    }

    void fail()
    {
        using simulation::FaultKind;
        constexpr FaultKind kinds[] = {
            FaultKind::statement_fails, FaultKind::platform_crash_at_statement,
            FaultKind::platform_crash_at_write, FaultKind::disk_full, FaultKind::sync_fails};
        const auto kind = kinds[input_.below(std::size(kinds))];
        world_.plan({.kind = kind, .at = input_.byte() % 32u, .value = 0});
        is_failing_ = true;
    }

    void restart()
    {
        if (is_failing_) return mend_and_look();
        FUZZ_CHECK(world_.restart());
        FUZZ_CHECK(world_.view() == last_);
    }
    void mend_and_look()
    {
        mend();
        last_ = world_.view();
    }

    Input& input_;
    IssuerWorld world_;
    fuzz::View last_;
    std::vector<Submission> results_;
    bool is_failing_ = false;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    Terminal terminal(input);
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) terminal.step();
    return 0;
}
