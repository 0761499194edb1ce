// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <tallycard/export.hpp>

#include "../applet/nvm.hpp"
#include "storage.hpp"

namespace tallycard::chip {

// The card's memory in two slots of a Storage. The image is
//
//     0     16 bytes  "tallycard image\0"
//     16     4 bytes  format version, 2
//     8192            slot 0
//     16384           slot 1
//
// and a slot is: generation (8) ‖ CardMemory::encode() ‖ BLAKE2b-256 of both. Slots lie in blocks
// of their own, so that a write torn anywhere damages one slot only. The intact slot with the
// higher generation is the memory; a commit writes the other one and counts once it is synced. A
// slot that is damaged may hold nearly all of a change that was interrupted: before it is written
// anew it is spoiled, so that no part of a write can make it whole again.
//
// The image holds the card's private scalar, its PIN and its transport key in the clear.
class TALLYCARD_EXPORT SlotNvm final : public Nvm {
public:
    static constexpr std::size_t header_size = 20;
    static constexpr std::size_t slot_size = 8 + CardMemory::encoded_size + 32;
    static constexpr std::size_t block_size = 8192;
    static constexpr std::size_t image_size = 3 * block_size;
    static_assert(slot_size <= block_size);
    static_assert(header_size + 2 * slot_size < 12 * 1024, "what a chip has to spare");

    // The storage must outlive it.
    explicit SlotNvm(Storage& storage) : storage_(storage) {}

    // Whether the storage begins as an image of this format does.
    static bool is_image(Storage& storage);
    // Writes a whole image with this memory in it. False: the storage failed.
    [[nodiscard]] static bool format(Storage& storage, const CardMemory& memory);

    // Reads the slots, as a card does at power-on. Before it, and where both slots are damaged, the
    // memory is not readable.
    void load();

    bool readable() const override { return readable_; }
    const CardMemory& current() const override;
    CardMemory& draft() override;
    bool commit() override;

private:
    struct Slot {
        CardMemory memory;
        std::uint64_t generation = 0;
        bool intact = false;
        bool torn = false;  // what is stored may be what an interrupted commit left
    };
    bool load_slot(std::size_t index);
    bool spoil(std::size_t index);

    Storage& storage_;
    std::array<Slot, 2> slots_;
    std::size_t current_ = 0;  // of slots_
    bool readable_ = false;
};

}  // namespace tallycard::chip
