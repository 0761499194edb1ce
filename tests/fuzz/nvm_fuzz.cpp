// SPDX-License-Identifier: Apache-2.0
// A card's image as a stranger left it. The first bytes make a genuine one and say what is damaged,
// by hand or with the checksums made right again; then it is loaded. What loads is what its bytes
// say, in the newer slot of those that are intact; commits and failures of them keep to I7.
#include <algorithm>
#include <memory>

#include <sodium/crypto_generichash.h>

#include "../support/issued_card.hpp"
#include "cut_storage.hpp"
#include "fuzz.hpp"
#include "same_random.hpp"

using namespace tallycard;

namespace {

using chip::CardMemory;
using chip::SlotNvm;
using Encoding = std::array<std::uint8_t, CardMemory::encoded_size>;

Encoding encoded(const CardMemory& memory)
{
    Encoding bytes;
    memory.encode(bytes);
    return bytes;
}

std::span<std::uint8_t> slot(fuzz::CutStorage& storage, std::size_t index)
{
    return std::span(storage.bytes())
        .subspan((1 + index) * SlotNvm::block_size, SlotNvm::slot_size);
}

// As somebody would who can write the image and knows its format.
void make_checksum_right(std::span<std::uint8_t> slot)
{
    const auto covered = slot.first(slot.size() - 32);
    crypto_generichash(slot.last(32).data(), 32, covered.data(), covered.size(), nullptr, 0);
}

// The image of a card that has executed `count` operations, each in the next slot.
void fill(fuzz::CutStorage& storage, std::size_t count)
{
    static const auto memory = testing::memory_in_use();
    FUZZ_CHECK(SlotNvm::format(storage, memory));
    SlotNvm nvm(storage);
    nvm.load();
    for (std::size_t i = 0; i < count; ++i) {
        auto& draft = nvm.draft();
        Operation operation;
        operation.card_id = draft.card_id;
        operation.sequence = ++draft.sequence;
        draft.slot(operation.sequence).operation = operation.encode();
        draft.request = operation.encode();
        FUZZ_CHECK(nvm.commit());
    }
}

void damage(fuzz::CutStorage& storage, fuzz::Input& input)
{
    for (auto left = input.below(8); left > 0; --left) {
        const auto how = input.byte();
        const auto bytes = slot(storage, how % 2);
        const auto at = input.number(2) % bytes.size();
        const auto given = input.bytes(1 + (how >> 4));
        const auto count = std::min(given.size(), bytes.size() - at);
        std::ranges::copy(given.first(count), bytes.begin() + static_cast<std::ptrdiff_t>(at));
        if ((how & 2) != 0) make_checksum_right(bytes);
    }
    if (input.one_in(8)) storage.bytes()[input.below(32)] ^= 1;
}

// What a slot holds, if it is intact: read here apart from what is tested, but for the fields.
std::optional<std::uint64_t> generation(fuzz::CutStorage& storage, std::size_t index)
{
    const auto bytes = slot(storage, index);
    fuzz::Bytes copy(bytes.begin(), bytes.end());
    make_checksum_right(copy);
    CardMemory memory;
    const auto content = std::span<const std::uint8_t>(bytes).subspan<8, sizeof(Encoding)>();
    if (!std::ranges::equal(copy, bytes) || !memory.decode(content)) return std::nullopt;
    FUZZ_CHECK(std::ranges::equal(encoded(memory), content));
    return fuzz::Input(bytes.data(), bytes.size()).number(8);
}

void commit(SlotNvm& nvm, fuzz::CutStorage& storage, fuzz::Input& input)
{
    const auto before = encoded(nvm.current());
    auto& draft = nvm.draft();
    draft.sequence += 1u + input.byte();
    draft.pin_tries = static_cast<std::uint8_t>(input.below(4));
    const auto after = encoded(draft);
    const auto how = input.byte();
    if ((how & 1) != 0)
        storage.plan({.after = (how >> 1) % 4u,
                      .kept = input.number(2) % (SlotNvm::slot_size + 1),
                      .garbage = (how & 8) != 0,
                      .cuts = (how & 16) != 0});
    const bool done = nvm.commit();
    FUZZ_CHECK(!done || encoded(nvm.current()) == after);
    FUZZ_CHECK(done || !nvm.readable() || encoded(nvm.current()) == before);
    const bool is_sure = done || (!storage.is_off() && nvm.readable());
    storage.power_on();
    nvm.load();
    FUZZ_CHECK(nvm.readable());
    const auto found = encoded(nvm.current());
    FUZZ_CHECK(found == before || found == after);
    if (is_sure) FUZZ_CHECK((found == after) == done || before == after);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    fuzz::Input input(data, size);
    const auto storage = std::make_unique<fuzz::CutStorage>();
    fill(*storage, input.below(4));
    damage(*storage, input);
    const std::array found = {generation(*storage, 0), generation(*storage, 1)};
    const auto nvm = std::make_unique<SlotNvm>(*storage);
    nvm->load();
    FUZZ_CHECK(nvm->readable() == (found[0] || found[1]));
    (void)SlotNvm::is_image(*storage);
    if (!nvm->readable()) return 0;
    const std::size_t newer = found[1] && (!found[0] || *found[1] > *found[0]) ? 1 : 0;
    const auto content = slot(*storage, newer).subspan(8, sizeof(Encoding));
    FUZZ_CHECK(std::ranges::equal(encoded(nvm->current()), content));
    // The greatest generation has none after it; no card lives that long.
    if (*found[newer] > UINT64_MAX - 16) return 0;
    for (auto left = input.below(6); left > 0 && nvm->readable(); --left)
        commit(*nvm, *storage, input);
    return 0;
}
