// SPDX-License-Identifier: Apache-2.0
// A program that is not ours at a card: winscard.h and nothing else.
#pragma once

#include <winscard.h>

#include <reader.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "vectors.hpp"

namespace testing {

class PlainCard {
public:
    explicit PlainCard(const std::string& reader,
                       DWORD protocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
    {
        check(SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context_));
        const DWORD mode = protocols == 0 ? SCARD_SHARE_DIRECT : SCARD_SHARE_SHARED;
        connected_ = SCardConnect(context_, reader.c_str(), mode, protocols, &card_, &protocol_);
    }
    PlainCard(const PlainCard&) = delete;
    PlainCard& operator=(const PlainCard&) = delete;
    ~PlainCard()
    {
        if (connected_ == SCARD_S_SUCCESS) SCardDisconnect(card_, SCARD_LEAVE_CARD);
        SCardReleaseContext(context_);
    }

    LONG connected() const { return connected_; }
    DWORD protocol() const { return protocol_; }
    LONG reconnect_with_reset()
    {
        return SCardReconnect(card_, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                              SCARD_RESET_CARD, &protocol_);
    }

    struct Answer {
        LONG code;
        Bytes bytes;
    };
    Answer transmit(const Bytes& command, std::size_t room = 66000) const
    {
        Answer answer{0, Bytes(room)};
        DWORD size = room;
        const auto* pci = protocol_ == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
        answer.code = SCardTransmit(card_, pci, command.data(), command.size(), nullptr,
                                    answer.bytes.data(), &size);
        answer.bytes.resize(answer.code == SCARD_S_SUCCESS ? size : 0);
        return answer;
    }
    Answer control(DWORD code, const Bytes& in = {}, std::size_t room = MAX_BUFFER_SIZE) const
    {
        Answer answer{0, Bytes(room)};
        DWORD size = 0;
        answer.code =
            SCardControl(card_, code, in.data(), in.size(), answer.bytes.data(), room, &size);
        answer.bytes.resize(answer.code == SCARD_S_SUCCESS ? size : 0);
        return answer;
    }
    // Empty where the reader has no such attribute.
    std::optional<Bytes> attribute(DWORD tag) const
    {
        Bytes value(MAX_BUFFER_SIZE);
        DWORD size = value.size();
        if (SCardGetAttrib(card_, tag, value.data(), &size) != SCARD_S_SUCCESS) return std::nullopt;
        value.resize(size);
        return value;
    }
    // Control codes by feature (PC/SC part 10, 2.2).
    std::map<int, DWORD> features() const
    {
        const auto list = control(CM_IOCTL_GET_FEATURE_REQUEST).bytes;
        std::map<int, DWORD> codes;
        for (std::size_t at = 0; at + 6 <= list.size(); at += 6) {
            DWORD code = 0;
            for (std::size_t i = 2; i < 6; ++i) code = code << 8 | list[at + i];
            codes[list[at]] = code;
        }
        return codes;
    }

private:
    static void check(LONG code)
    {
        if (code != SCARD_S_SUCCESS) throw std::runtime_error(pcsc_stringify_error(code));
    }

    SCARDCONTEXT context_ = 0;
    SCARDHANDLE card_ = 0;
    DWORD protocol_ = 0;
    LONG connected_ = 0;
};

}  // namespace testing
