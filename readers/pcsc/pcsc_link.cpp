// SPDX-License-Identifier: Apache-2.0
#include "pcsc_link.hpp"

#include <array>

namespace tallycard::pcsc {

namespace {

constexpr DWORD protocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1;

// Nothing was sent; and a card that has left is not one that left during an operation.
Error not_connected(LONG code)
{
    auto error = to_error(code, "SCardConnect");
    if (error.code == Errc::card_removed) error.code = Errc::no_card;
    return error;
}

// pcsc-lite refuses these before it sends anything.
bool never_sent(LONG code)
{
    return code == SCARD_E_INVALID_PARAMETER || code == SCARD_E_INVALID_HANDLE;
}

}  // namespace

Result<std::unique_ptr<CardLink>> Link::connect(const std::string& reader, Sharing sharing)
{
    auto context = Context::establish();
    if (!context) return context.error();
    const DWORD mode = sharing == Sharing::exclusive ? SCARD_SHARE_EXCLUSIVE : SCARD_SHARE_SHARED;
    std::unique_ptr<Link> link(new Link(*std::move(context), mode));
    const LONG code = SCardConnect(link->context_.handle(), reader.c_str(), mode, protocols,
                                   &link->card_, &link->protocol_);
    if (code != SCARD_S_SUCCESS) {
        link->card_ = 0;
        return not_connected(code);
    }
    if (const auto read = link->read_atr(); !read) return read.error();
    return std::unique_ptr<CardLink>(std::move(link));
}

Link::~Link()
{
    if (card_ == 0 || context_.inherited()) return;
    if (in_transaction_) SCardEndTransaction(card_, SCARD_LEAVE_CARD);
    SCardDisconnect(card_, SCARD_LEAVE_CARD);
}

TransmissionProtocol Link::protocol() const
{
    return protocol_ == SCARD_PROTOCOL_T0 ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
}

Result<void> Link::begin()
{
    if (context_.inherited()) return refused_in_child("SCardBeginTransaction");
    const LONG code = SCardBeginTransaction(card_);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardBeginTransaction");
    in_transaction_ = true;
    return {};
}

Result<void> Link::end()
{
    if (context_.inherited()) return refused_in_child("SCardEndTransaction");
    in_transaction_ = false;
    const LONG code = SCardEndTransaction(card_, SCARD_LEAVE_CARD);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardEndTransaction");
    return {};
}

Result<std::size_t> Link::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    if (context_.inherited()) return refused_in_child("SCardTransmit");
    const auto* request = protocol() == TransmissionProtocol::t0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD size = answer.size();
    const LONG code = SCardTransmit(card_, request, command.data(), command.size(), nullptr,
                                    answer.data(), &size);
    if (code != SCARD_S_SUCCESS) {
        const auto effect = never_sent(code) ? Effect::none : Effect::unknown;
        return to_error(code, "SCardTransmit", effect);
    }
    // A driver whose card vanished half-way reports success and no bytes.
    if (size < 2) {
        return Error{
            .code = Errc::link_failed, .effect = Effect::unknown, .where = "SCardTransmit"};
    }
    return static_cast<std::size_t>(size);
}

Result<void> Link::reconnect()
{
    if (context_.inherited()) return refused_in_child("SCardReconnect");
    if (in_transaction_) (void)end();
    const LONG code = SCardReconnect(card_, share_mode_, protocols, SCARD_LEAVE_CARD, &protocol_);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardReconnect");
    return read_atr();
}

Result<void> Link::read_atr()
{
    std::array<std::uint8_t, Atr::capacity> bytes{};
    DWORD size = bytes.size(), name_size = 0, state = 0, protocol = 0;
    const LONG code =
        SCardStatus(card_, nullptr, &name_size, &state, &protocol, bytes.data(), &size);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardStatus");
    atr_ = Atr(std::span(bytes).first(size));
    return {};
}

}  // namespace tallycard::pcsc
