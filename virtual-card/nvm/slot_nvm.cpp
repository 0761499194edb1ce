// SPDX-License-Identifier: Apache-2.0
#include "slot_nvm.hpp"

#include <algorithm>

#include <sodium/crypto_generichash.h>

#include "../applet/byte_stream.hpp"

namespace tallycard::chip {
namespace {

constexpr std::array<std::uint8_t, SlotNvm::header_size> header = {
    't', 'a', 'l', 'l', 'y', 'c', 'a', 'r', 'd', ' ', 'i', 'm', 'a', 'g', 'e', 0, 0, 0, 0, 2};

constexpr std::size_t checksum_size = 32;

// A slot's bytes, which hold secrets.
struct SlotBytes {
    SlotBytes() = default;
    SlotBytes(SlotBytes&&) = delete;
    SlotBytes& operator=(SlotBytes&&) = delete;
    SlotBytes(const SlotBytes&) = delete;
    SlotBytes& operator=(const SlotBytes&) = delete;
    ~SlotBytes() { detail::erase(bytes); }
    std::array<std::uint8_t, SlotNvm::slot_size> bytes{};
};

constexpr std::size_t offset_of(std::size_t index)
{
    return (1 + index) * SlotNvm::block_size;
}

std::array<std::uint8_t, checksum_size> checksum(std::span<const std::uint8_t> bytes)
{
    std::array<std::uint8_t, checksum_size> sum;
    crypto_generichash(sum.data(), sum.size(), bytes.data(), bytes.size(), nullptr, 0);
    return sum;
}

bool write_slot(Storage& storage, std::size_t index, std::uint64_t generation,
                const CardMemory& memory)
{
    SlotBytes slot;
    const std::span bytes(slot.bytes);
    ByteWriter(bytes.first<8>()).number(8, generation);
    memory.encode(bytes.subspan<8, CardMemory::encoded_size>());
    std::ranges::copy(checksum(bytes.first(bytes.size() - checksum_size)),
                      bytes.last<checksum_size>().begin());
    return storage.write(offset_of(index), bytes) && storage.sync();
}

}  // namespace

Storage::~Storage() = default;
Nvm::~Nvm() = default;

bool SlotNvm::is_image(Storage& storage)
{
    std::array<std::uint8_t, header_size> found;
    return storage.read(0, found) && found == header;
}

bool SlotNvm::format(Storage& storage, const CardMemory& memory)
{
    constexpr std::array<std::uint8_t, block_size> zeros{};
    for (std::size_t offset = 0; offset < image_size; offset += block_size)
        if (!storage.write(offset, zeros)) return false;
    return storage.write(0, header) && write_slot(storage, 0, 1, memory);
}

// What the last process wrote may be in the system's cache only: it is made durable before it
// counts. A slot that cannot be read is not taken for a damaged one: the other may be older.
void SlotNvm::load()
{
    const bool is_read = storage_.sync() && load_slot(0) && load_slot(1);
    readable_ = is_read && (slots_[0].intact || slots_[1].intact);
    const bool second_is_newer =
        slots_[1].intact && (!slots_[0].intact || slots_[1].generation > slots_[0].generation);
    current_ = second_is_newer ? 1 : 0;
}

bool SlotNvm::load_slot(std::size_t index)
{
    auto& slot = slots_[index];
    SlotBytes read;
    const std::span<const std::uint8_t, slot_size> bytes(read.bytes);
    if (!storage_.read(offset_of(index), read.bytes)) return false;
    slot.intact = std::ranges::equal(checksum(bytes.first<slot_size - checksum_size>()),
                                     bytes.last<checksum_size>()) &&
                  slot.memory.decode(bytes.subspan<8, CardMemory::encoded_size>());
    slot.generation = ByteReader(bytes.first<8>()).number(8);
    slot.torn = !slot.intact;
    if (!slot.intact) slot.memory = CardMemory{};
    return true;
}

const CardMemory& SlotNvm::current() const
{
    TALLYCARD_EXPECTS(readable_);
    return slots_[current_].memory;
}

CardMemory& SlotNvm::draft()
{
    TALLYCARD_EXPECTS(readable_);
    auto& other = slots_[1 - current_];
    other.memory = slots_[current_].memory;
    other.intact = false;
    return other.memory;
}

bool SlotNvm::commit()
{
    TALLYCARD_EXPECTS(readable_);
    const auto index = 1 - current_;
    auto& slot = slots_[index];
    const auto generation = slots_[current_].generation + 1;
    if (slot.torn && !spoil(index)) return false;
    if (!write_slot(storage_, index, generation, slot.memory)) {
        // Part of it, or all of it, may be there and count at the next power-on: it must not. Where
        // that cannot be made sure either, nothing that this memory says is sure any more.
        if (!spoil(index)) readable_ = false;
        return false;
    }
    slot.generation = generation;
    slot.intact = true;
    current_ = index;
    return true;
}

// Every byte of the checksum is made another than the one that fits: a part of this write spoils
// the slot as well.
bool SlotNvm::spoil(std::size_t index)
{
    SlotBytes stored;
    if (!storage_.read(offset_of(index), stored.bytes)) return false;
    auto sum = checksum(std::span(stored.bytes).first<slot_size - checksum_size>());
    for (auto& byte : sum) byte ^= 0xFF;
    slots_[index].torn =
        !storage_.write(offset_of(index) + slot_size - checksum_size, sum) || !storage_.sync();
    return !slots_[index].torn;
}

}  // namespace tallycard::chip
