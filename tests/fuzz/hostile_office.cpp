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
    case 1: return changed_by_hand(platform.undeny(id));
    case 2: return changed(platform.open_account(account_of("another")));
    case 3: return changed(platform.confirm_card(id));
    case 4: return register_card();
    default: return checkpoint();
    }
}

void HostileTerminal::register_card()
{
    const auto number = input_.byte();
    const auto key = id_of<PublicKey>(input_.byte());
    changed(world_.platform().register_card({.card_id = id_of<CardId>(number % 5u),
                                             .certificate = Certificate(key.bytes()),
                                             .public_key = key,
                                             .transport_key = Digest(key.bytes())}));
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

// Questions change nothing, and what is proved verifies.
void HostileTerminal::look()
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
    changed(world_.platform().card_of_transport_key(id_of<Digest>(input_.byte())));
    changed(world_.platform().account({.kind = AccountKind::cash, .id = account_of("T1")}));
}

}  // namespace fuzz
