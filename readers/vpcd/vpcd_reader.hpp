// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include <tallycard/reader.hpp>

#include "vpcd_link.hpp"
#include "vpcd_slot.hpp"

namespace tallycard::vpcd {

class VpcdReader final : public Reader {
public:
    explicit VpcdReader(std::shared_ptr<Slot> slot);
    VpcdReader(const VpcdReader&) = delete;
    VpcdReader& operator=(const VpcdReader&) = delete;
    ~VpcdReader() override;

    const std::string& name() const override { return slot_->name(); }
    Result<Atr> card() override;
    Result<Atr> wait_for_card(std::chrono::milliseconds deadline) override;
    Result<void> wait_for_removal(std::chrono::milliseconds deadline) override;
    void cancel() noexcept override;
    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override
    {
        return Link::connect(slot_, sharing);
    }

private:
    Result<Atr> seen(const Slot::View& view);
    template <class Done>
    Result<Slot::View> wait_until(Done done, std::chrono::milliseconds deadline);

    std::shared_ptr<Slot> slot_;
    Bell bell_;  // a change at the slot, or a cancel
    std::atomic<bool> cancelled_ = false;
    std::optional<std::uint64_t> known_;  // the arrival of the card that a caller knows of
};

}  // namespace tallycard::vpcd
