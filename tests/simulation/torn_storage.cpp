// SPDX-License-Identifier: Apache-2.0
#include "torn_storage.hpp"

#include <algorithm>

namespace simulation {
namespace {

using tallycard::chip::CardMemory;
using tallycard::chip::SlotNvm;

void put(TornStorage::Image& image, std::size_t offset, std::span<const std::uint8_t> bytes)
{
    std::ranges::copy(bytes, image.begin() + static_cast<std::ptrdiff_t>(offset));
}

// What is found of a write that power, or the memory, interrupted.
enum class Found : std::uint8_t { nothing, part, garbage, all };

void interrupt(TornStorage::Image& image, std::size_t offset, std::span<const std::uint8_t> bytes,
               Found found, Random& random)
{
    if (found == Found::all) put(image, offset, bytes);
    if (found == Found::part) put(image, offset, bytes.first(random.below(bytes.size() + 1)));
    if (found != Found::garbage) return;
    Bytes garbage(bytes.begin(), bytes.end());
    const auto from = random.below(garbage.size());
    const auto size = 1 + random.below(garbage.size() - from);
    random.fill(std::span(garbage).subspan(from, size));
    put(image, offset, garbage);
}

}  // namespace

bool TornStorage::read(std::size_t offset, std::span<std::uint8_t> out)
{
    if (stopped_ || offset > cache_.size() || out.size() > cache_.size() - offset) return false;
    std::ranges::copy(std::span(cache_).subspan(offset, out.size()), out.begin());
    return true;
}

bool TornStorage::write(std::size_t offset, std::span<const std::uint8_t> bytes)
{
    if (stopped_ || offset > cache_.size() || bytes.size() > cache_.size() - offset) return false;
    note_attempt(bytes);
    if (const auto* fault = injector_.event(Place::memory)) {
        const auto failed = *fault;
        last_ = Last::none;
        if (failed.kind != FaultKind::write_fails) return stop(failed, offset, bytes);
        Random random(failed.value);
        interrupt(cache_, offset, bytes, static_cast<Found>(random.below(4)), random);
        unsynced_.push_back(
            {offset, Bytes(cache_.begin() + std::ptrdiff_t(offset),
                           cache_.begin() + std::ptrdiff_t(offset + bytes.size()))});
        return false;
    }
    put(cache_, offset, bytes);
    unsynced_.push_back({offset, Bytes(bytes.begin(), bytes.end())});
    return true;
}

bool TornStorage::sync()
{
    if (stopped_) return false;
    if (const auto* fault = injector_.event(Place::memory)) {
        const auto failed = *fault;
        if (failed.kind == FaultKind::write_fails) return false;
        return stop(failed, 0, {});
    }
    durable_ = cache_;
    unsynced_.clear();
    if (last_ == Last::whole_slot) promised_ = std::move(*attempt_);
    if (last_ != Last::none) attempt_.reset();
    last_ = Last::none;
    return true;
}

// The state that a write of a whole slot would make; a smaller write unmakes one.
void TornStorage::note_attempt(std::span<const std::uint8_t> bytes)
{
    last_ = bytes.size() == SlotNvm::slot_size ? Last::whole_slot : Last::part;
    if (last_ == Last::part) return;
    const auto memory = bytes.subspan(8, CardMemory::encoded_size);
    attempt_ = Bytes(memory.begin(), memory.end());
}

bool TornStorage::stop(const Fault& fault, std::size_t offset, std::span<const std::uint8_t> bytes)
{
    Random random(fault.value);
    stopped_ = true;
    if (fault.kind == FaultKind::card_program_killed) {
        interrupt(cache_, offset, bytes, bytes.empty() ? Found::nothing : Found::all, random);
        if (!bytes.empty()) unsynced_.push_back({offset, Bytes(bytes.begin(), bytes.end())});
        return false;
    }
    lose_power(random.next());
    stopped_ = true;
    if (bytes.empty()) return false;
    const auto found = fault.kind == FaultKind::cut_nothing ? Found::nothing
                       : fault.kind == FaultKind::cut_torn  ? Found::part
                       : fault.kind == FaultKind::cut_whole ? Found::all
                                                            : Found::garbage;
    interrupt(durable_, offset, bytes, found, random);
    cache_ = durable_;
    return false;
}

void TornStorage::lose_power(std::uint64_t chance)
{
    Random random(chance);
    for (const auto& write : unsynced_)
        interrupt(durable_, write.offset, write.bytes, static_cast<Found>(random.below(4)), random);
    unsynced_.clear();
    cache_ = durable_;
}

}  // namespace simulation
