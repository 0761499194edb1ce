// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string>

#include <tallycard/apdu.hpp>

#include "../../src/protocol/wire.hpp"
#include "bench.hpp"

namespace tallycard::bench {

inline constexpr std::array<std::uint8_t, 5> get_challenge = {0x00, 0x84, 0x00, 0x00, 0x08};

inline void check(LONG code)
{
    if (code != SCARD_S_SUCCESS) throw std::runtime_error(pcsc_stringify_error(code));
}

// What a program without us would do.
class BareCard {
public:
    explicit BareCard(const std::string& reader)
    {
        DWORD protocol = 0;
        check(SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context_));
        check(SCardConnect(context_, reader.c_str(), SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &card_,
                           &protocol));
    }
    BareCard(const BareCard&) = delete;
    BareCard& operator=(const BareCard&) = delete;
    ~BareCard()
    {
        SCardDisconnect(card_, SCARD_LEAVE_CARD);
        SCardReleaseContext(context_);
    }

    // As a session begins, so that what is measured finds everything in the same state; and what
    // is measured has to be what it is said to be.
    void begin()
    {
        constexpr std::size_t challenge = 8, status = 2;
        check(SCardBeginTransaction(card_));
        const apdu::Command select(wire::command::select, wire::aid, apdu::Command::any_length);
        (void)transmit(select.bytes());
        if (transmit(get_challenge) != challenge + status)
            throw std::runtime_error("the card gives no challenge");
    }
    void end() { check(SCardEndTransaction(card_, SCARD_LEAVE_CARD)); }
    void run(std::size_t times)
    {
        for (std::size_t i = 0; i < times; ++i) (void)transmit(get_challenge);
    }

private:
    std::size_t transmit(std::span<const std::uint8_t> command)
    {
        std::array<std::uint8_t, 258> answer;
        DWORD size = answer.size();
        check(SCardTransmit(card_, SCARD_PCI_T1, command.data(), command.size(), nullptr,
                            answer.data(), &size));
        keep(answer);
        return size;
    }

    SCARDCONTEXT context_ = 0;
    SCARDHANDLE card_ = 0;
};

}  // namespace tallycard::bench
