// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <tallycard/reader.hpp>

#include "pcsc_context.hpp"

namespace tallycard::pcsc {

class Link final : public CardLink {
public:
    static Result<std::unique_ptr<CardLink>> connect(const std::string& reader, Sharing sharing);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() override;

    const Atr& atr() const override { return atr_; }
    TransmissionProtocol protocol() const override;
    Result<void> begin() override;
    Result<void> end() override;
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override;
    Result<void> reconnect() override;

private:
    Link(Context context, DWORD share_mode) : context_(std::move(context)), share_mode_(share_mode)
    {
    }
    Result<void> read_atr();

    Context context_;
    DWORD share_mode_;
    SCARDHANDLE card_ = 0;  // zero until connected
    DWORD protocol_ = 0;
    Atr atr_;
    bool in_transaction_ = false;
};

}  // namespace tallycard::pcsc
