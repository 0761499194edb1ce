// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "../../virtual-card/nvm/slot_nvm.hpp"
#include "faults.hpp"
#include "random.hpp"

namespace simulation {

using Bytes = std::vector<std::uint8_t>;

// A card's memory that fails as planned. What was written and not synced is in a cache: it survives
// the card's program, not the power; then of each such write nothing, a part, all, or something
// else is found in its place, as the contract of Storage admits.
class TornStorage final : public tallycard::chip::Storage {
public:
    using Image = std::array<std::uint8_t, tallycard::chip::SlotNvm::image_size>;

    explicit TornStorage(Injector& injector) : injector_(injector) {}

    bool read(std::size_t offset, std::span<std::uint8_t> out) override;
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override;
    bool sync() override;

    // The card stopped during a command: without power, or killed. Every call fails until then.
    bool stopped() const { return stopped_; }
    void start()
    {
        stopped_ = false;
        last_ = Last::none;
    }
    void lose_power(std::uint64_t chance);
    bool has_unsynced() const { return !unsynced_.empty(); }

    // A copy of the whole memory as it would be found now, and back.
    const Image& image() const { return cache_; }
    void put_image(const Image& image)
    {
        cache_ = durable_ = image;
        unsynced_.clear();
        attempt_.reset();
    }

    // What the memory may hold after power was lost (I7): the last state that was promised, or the
    // one whose write was under way. As CardMemory::encode() makes it.
    void promise(Bytes state)
    {
        promised_ = std::move(state);
        attempt_.reset();
    }
    const Bytes& promised() const { return promised_; }
    const std::optional<Bytes>& attempt() const { return attempt_; }

private:
    struct Write {
        std::size_t offset;
        Bytes bytes;
    };
    bool stop(const Fault& fault, std::size_t offset, std::span<const std::uint8_t> bytes);
    void note_attempt(std::span<const std::uint8_t> bytes);

    Injector& injector_;
    Image cache_{}, durable_{};
    std::vector<Write> unsynced_;
    Bytes promised_;
    std::optional<Bytes> attempt_;
    // What was written since the start, or since the sync before.
    enum class Last : std::uint8_t { none, whole_slot, part };
    Last last_ = Last::none;
    bool stopped_ = false;
};

}  // namespace simulation
