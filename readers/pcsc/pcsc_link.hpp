// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tallycard/reader.hpp>

#include "card_holder.hpp"
#include "pcsc_connection.hpp"
#include "pin_pad.hpp"

namespace tallycard::pcsc {

class Link final : public CardLink {
public:
    static Result<std::unique_ptr<CardLink>> connect(const std::string& reader, Sharing sharing,
                                                     const Deadlines& deadlines);
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
    bool has_pin_pad() override { return pin_pad().is_complete(); }
    Result<std::size_t> transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                          std::span<std::uint8_t> answer) override;

private:
    Link(std::string reader, DWORD share_mode, const Deadlines& deadlines);
    bool inherited() const { return connection_ && connection_->context().inherited(); }
    const OwnUse* own_use() const { return use_ ? &*use_ : nullptr; }
    Result<void> open();
    void close();
    template <class Call>
    Result<void> call(const char* where, std::chrono::milliseconds longest, Call&& call);
    Result<void> read_atr();
    const PinPad& pin_pad();

    std::string reader_;
    DWORD share_mode_;
    Deadlines deadlines_;
    std::unique_ptr<Connection> connection_;  // empty when it could not be opened again
    SCARDHANDLE card_ = 0;                    // zero until connected
    std::optional<OwnUse> use_;               // likewise
    DWORD protocol_ = 0;
    Atr atr_;
    bool in_transaction_ = false;
    std::optional<PinPad> pin_pad_;  // what the reader said when it was asked
};

}  // namespace tallycard::pcsc
