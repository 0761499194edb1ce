// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/reader.hpp>

#include "fault_stage.hpp"

namespace tallycard::fault {

// A link that fails as the stage's plan wants it.
class Link final : public CardLink {
public:
    Link(std::shared_ptr<CardLink> below, std::string reader, std::shared_ptr<Stage> stage)
        : below_(std::move(below)),
          reader_(std::move(reader)),
          stage_(std::move(stage)),
          losses_(stage_->losses(reader_))
    {
    }

    const Atr& atr() const override { return below_->atr(); }
    TransmissionProtocol protocol() const override { return below_->protocol(); }
    Result<void> begin() override;
    Result<void> end() override;
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override;
    Result<void> reconnect() override;
    bool has_pin_pad() override { return below_->has_pin_pad(); }
    Result<std::size_t> transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                          std::span<std::uint8_t> answer) override;

private:
    template <class Send>
    Result<std::size_t> send(std::span<const std::uint8_t> command, std::span<std::uint8_t> answer,
                             Send&& below);
    std::optional<Errc> broken() const;
    Error lose(const PlannedFault& fault);
    Error fall_silent();
    Result<std::size_t> drop(const PlannedFault& fault, std::span<std::uint8_t> answer,
                             std::size_t size);
    Result<std::size_t> damage(const PlannedFault& fault, std::span<std::uint8_t> answer,
                               std::size_t size);

    std::shared_ptr<CardLink> below_;
    std::string reader_;
    std::shared_ptr<Stage> stage_;
    Stage::Losses losses_;                // as they were when the link was made usable
    std::optional<Errc> given_up_;        // the link has ended
    std::vector<std::uint8_t> previous_;  // the last answer that arrived
};

}  // namespace tallycard::fault
