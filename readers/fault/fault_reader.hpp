// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <tallycard/reader.hpp>

#include "fault_stage.hpp"

namespace tallycard::fault {

// A reader whose card, or which itself, may have been pulled by a fault. A wait below it is ended
// when that happens, and goes on here.
class FaultReader final : public Reader, private PullListener {
public:
    FaultReader(std::unique_ptr<Reader> inner, std::shared_ptr<Stage> stage);
    FaultReader(const FaultReader&) = delete;
    FaultReader& operator=(const FaultReader&) = delete;
    ~FaultReader() override;

    const std::string& name() const override { return inner_->name(); }
    Result<ReaderIdentity> identity() override;
    Result<Atr> card() override;
    Result<Atr> wait_for_card(std::chrono::milliseconds deadline) override;
    Result<void> wait_for_removal(std::chrono::milliseconds deadline) override;
    void cancel() noexcept override;
    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override;

private:
    void pulled(const std::string& reader, Away what) override;
    // The error of a call that needs the reader, and the card; empty when they are there.
    Result<void> is_there() const;
    Result<void> card_is_there() const;

    std::unique_ptr<Reader> inner_;
    std::shared_ptr<Stage> stage_;
    std::atomic<bool> cancelled_ = false;
};

}  // namespace tallycard::fault
