// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "../../virtual-card/nvm/memory_storage.hpp"
#include "input.hpp"

namespace fuzz {

// A card's memory whose power goes in the middle of a write or sync, or that fails and goes on.
class CutStorage final : public tallycard::chip::Storage {
public:
    struct Fault {
        std::size_t after = 0;  // so many calls go well
        std::size_t kept = 0;   // bytes of the write that arrive
        bool garbage = false;   // in place of the others
        bool cuts = false;      // the power; else the calls fail
        std::size_t calls = 1;  // that fail
    };

    void plan(Fault fault) { fault_ = fault; }
    bool is_off() const { return off_; }
    void power_on()
    {
        off_ = false;
        fault_.reset();
    }

    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        return !off_ && memory_.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        if (off_) return false;
        const auto fault = due();
        if (!fault) return memory_.write(offset, bytes);
        const auto whole = std::min(fault->kept, bytes.size());
        if (fault->garbage) (void)memory_.write(offset + whole, Bytes(bytes.size() - whole, 0x5A));
        return memory_.write(offset, bytes.first(whole)) && false;
    }
    bool sync() override { return !off_ && !due(); }

    tallycard::chip::MemoryStorage::Bytes& bytes() { return memory_.bytes(); }

private:
    std::optional<Fault> due()
    {
        if (!fault_) return std::nullopt;
        if (fault_->after > 0) {
            --fault_->after;
            return std::nullopt;
        }
        const auto fault = *fault_;
        off_ = fault.cuts;
        if (--fault_->calls == 0) fault_.reset();
        return fault;
    }

    tallycard::chip::MemoryStorage memory_;
    std::optional<Fault> fault_;
    bool off_ = false;
};

}  // namespace fuzz
