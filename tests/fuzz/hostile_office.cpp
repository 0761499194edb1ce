// SPDX-License-Identifier: Apache-2.0
// What an office does, and what anybody may ask.
#include "hostile_terminal.hpp"

namespace fuzz {

using namespace tallycard;

void HostileTerminal::administer()
{
    auto& platform = world_.platform();
    const auto id = input_.one_in(8) ? CardId() : card().id();
    switch (input_.below(6)) {
    case 0: return changed_by_hand(platform.deny(id));
    case 1: return undeny(id);
    case 2: return declare_lost();
    case 3: return confirm_card();
    case 4: return register_card();
    default: return checkpoint();
    }
}

void HostileTerminal::register_card()
{
    const auto number = input_.byte();
    const auto key = id_of<PublicKey>(input_.byte());
    const NewCard card{.card_id = id_of<CardId>(number % 5u),
                       .certificate = Certificate(key.bytes()),
                       .public_key = key,
                       .transport_key = Digest(key.bytes()),
                       .limits = IssuerWorld::limits(),
                       .sealed = SealedPersonalisation(key.bytes())};
    const auto done = world_.platform().register_card(card);
    if (done) {
        const auto quiet = IssuerWorld::quiet();
        const auto found = world_.platform().card_of_transport_key(card.transport_key);
        FUZZ_CHECK(is_failing_ || (found && *found));
        if (found && *found) {
            const auto& [row, sealed] = **found;
            FUZZ_CHECK(row.card_id == card.card_id && row.public_key == key && !row.issued);
            FUZZ_CHECK(row.limits == card.limits && sealed == card.sealed);
        }
    }
    changed(done);
}

// The sealed bytes are kept until then, and no longer.
void HostileTerminal::confirm_card()
{
    auto& platform = world_.platform();
    const auto id = id_of<CardId>(input_.byte() % 5u);
    const auto done = platform.confirm_card(id);
    if (done) {
        const auto quiet = IssuerWorld::quiet();
        const auto row = platform.card(id);
        FUZZ_CHECK(is_failing_ || (row && *row && (*row)->issued));
        if (row && *row) {
            const auto found = platform.card_of_transport_key((*row)->transport_key);
            FUZZ_CHECK(is_failing_ || (found && *found && !(*found)->sealed));
        }
    }
    changed(done);
}

// Only what rests on the store's memory can be taken back.
void HostileTerminal::undeny(const CardId& id)
{
    const auto done = world_.platform().undeny(id);
    if (done) {
        const auto quiet = IssuerWorld::quiet();
        const auto proofs = world_.platform().evidence();
        FUZZ_CHECK(is_failing_ || proofs);
        for (const auto& row : proofs ? *proofs : std::vector<EvidenceRow>()) {
            if (row.receipt.result.card_id != id) continue;
            FUZZ_CHECK(row.reason == EvidenceReason::foreign_operation && row.operation);
            FUZZ_CHECK(row.operation->kind != Kind::payment);
        }
    }
    changed_by_hand(done);
}

// Notes of the ledger, and a file of them that somebody else writes.
void HostileTerminal::checkpoint()
{
    auto& platform = world_.platform();
    const auto how = input_.below(4);
    if (how == 0) return changed(platform.checkpoint(IssuerWorld::other_key()));
    if (how == 1) return changed(platform.checkpoint(IssuerWorld::checkpoint_key()));
    const auto raw = input_.bytes(8);
    Bytes note(raw.begin(), raw.end());
    const auto made = platform.checkpoint(IssuerWorld::checkpoint_key());
    if (made && how == 2) note.assign(made->begin(), made->end());
    if (how == 2) edit(note, input_);
    changed(made);
    IssuerWorld::write_checkpoint_file(note);
    if (world_.restart()) return;
    IssuerWorld::write_checkpoint_file({});
    mend_and_look();
}

void HostileTerminal::changed_by_hand(const Result<void>& result)
{
    if (result) last_.standing = world_.view().standing;
    changed(result);
}

// A pending debit is shown to the terminal that asked for it alone.
void HostileTerminal::look_at_status()
{
    auto& platform = world_.platform();
    const auto id = this->id();
    const auto status = platform.status(id, std::nullopt);
    if (status)
        FUZZ_CHECK(status->progress != Progress::pending ||
                   !is_debit(status->first.operation.kind));
    if (!status && status.error().code == Errc::not_permitted) {
        const auto quiet = IssuerWorld::quiet();
        const auto one = platform.status(id, account_of("T1"));
        const auto other = platform.status(id, account_of("T2"));
        FUZZ_CHECK(is_failing_ || one.has_value() != other.has_value());
        if (one || other) {
            const auto& seen = one ? *one : *other;
            const auto& operation = seen.first.operation;
            FUZZ_CHECK(seen.progress == Progress::pending && is_debit(operation.kind));
            FUZZ_CHECK(operation.kind != Kind::cash_out ||
                       operation.account == account_of(one ? "T1" : "T2"));
        }
    }
    changed(status);
}

// Questions change nothing, and what is proved verifies.
void HostileTerminal::look()
{
    look_at_status();
    changed(world_.platform().standing(card().id(), std::nullopt));
    const auto index = input_.byte() % 16u;
    const auto proof = world_.platform().prove(index);
    if (proof)
        FUZZ_CHECK(merkle::verify_inclusion(merkle::leaf_hash(proof->entry.encode()), index,
                                            proof->head.size, proof->path, proof->head.root));
    changed(proof);
    changed(world_.platform().prove(card().id(), input_.byte() % 8u));
    const auto earlier = std::uint64_t{input_.byte() % 16u};
    if (earlier > 0) changed(world_.platform().prove_consistency(earlier));
    changed(world_.platform().entries(index, 4));
    changed(world_.platform().card_of_transport_key(id_of<Digest>(input_.byte())));
    changed(world_.platform().account({.kind = AccountKind::cash, .id = account_of("T1")}));
    changed(world_.platform().account_standing(account_of("shop")));
    look_at_gaps();
    look_at_deny_list();
}

}  // namespace fuzz
