// SPDX-License-Identifier: Apache-2.0
#include "pcsc_link.hpp"

// After winscard.h, whose types it uses.
#include <reader.h>

#include <algorithm>
#include <array>

#include <tallycard/contract.hpp>

namespace tallycard::pcsc {

namespace {

using std::chrono::milliseconds;

constexpr DWORD protocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1;

// Nothing was sent; and a card that has left is not one that left during an operation.
Error not_connected(Error error)
{
    if (error.code == Errc::card_removed) error.code = Errc::no_card;
    return error;
}

// pcsc-lite refuses these before it sends anything.
bool never_sent(LONG code)
{
    return code == SCARD_E_INVALID_PARAMETER || code == SCARD_E_INVALID_HANDLE;
}

}  // namespace

Link::Link(std::string reader, DWORD share_mode, const Deadlines& deadlines)
    : reader_(std::move(reader)), share_mode_(share_mode), deadlines_(deadlines)
{
}

Result<std::unique_ptr<CardLink>> Link::connect(const std::string& reader, Sharing sharing,
                                                const Deadlines& deadlines)
{
    const DWORD mode = sharing == Sharing::exclusive ? SCARD_SHARE_EXCLUSIVE : SCARD_SHARE_SHARED;
    std::unique_ptr<Link> link(new Link(reader, mode, deadlines));
    if (const auto opened = link->open(); !opened) return opened.error();
    return std::unique_ptr<CardLink>(std::move(link));
}

Link::~Link()
{
    if (!inherited()) close();
}

// A call after one that was given up was not made.
template <class Call>
Result<void> Link::call(const char* where, milliseconds longest, Call&& call)
{
    if (inherited()) return refused_in_child(where);
    if (!connection_) return to_error(SCARD_E_INVALID_HANDLE, where);
    if (connection_->was_given_up()) return to_error(SCARD_E_TIMEOUT, where);
    const auto code = connection_->within(longest, call);
    if (!code) return code.error();
    if (*code == SCARD_S_SUCCESS) return {};
    auto error = to_error(*code, where);
    if (error.code == Errc::card_shared) error.holder = violator(reader_, share_mode_, own_use());
    return error;
}

Result<void> Link::open()
{
    auto context = Context::establish();
    if (!context) return context.error();
    connection_ = std::make_unique<Connection>(*std::move(context));
    const auto connected = call("SCardConnect", deadlines_.connect, [this] {
        return SCardConnect(connection_->context().handle(), reader_.c_str(), share_mode_,
                            protocols, &card_, &protocol_);
    });
    if (!connected) {
        card_ = 0;
        return not_connected(connected.error());
    }
    use_.emplace(reader_, share_mode_);
    return read_atr();
}

void Link::close()
{
    const bool usable = connection_ && !connection_->was_given_up();
    if (usable && in_transaction_) (void)end();
    if (usable && card_ != 0) {
        (void)call("SCardDisconnect", deadlines_.connect,
                   [this] { return SCardDisconnect(card_, SCARD_LEAVE_CARD); });
    }
    in_transaction_ = false;
    card_ = 0;
    use_.reset();
    connection_.reset();
}

TransmissionProtocol Link::protocol() const
{
    return protocol_ == SCARD_PROTOCOL_T0 ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
}

Result<void> Link::begin()
{
    const auto begun = call("SCardBeginTransaction", deadlines_.begin,
                            [this] { return SCardBeginTransaction(card_); });
    if (begun) {
        in_transaction_ = true;
        return {};
    }
    auto error = begun.error();
    if (error.code == Errc::timed_out) error.holder = other_user(reader_, own_use());
    return error;
}

Result<void> Link::end()
{
    in_transaction_ = false;
    return call("SCardEndTransaction", deadlines_.connect,
                [this] { return SCardEndTransaction(card_, SCARD_LEAVE_CARD); });
}

Result<std::size_t> Link::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    const auto* request = protocol() == TransmissionProtocol::t0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD size = answer.size();
    LONG code = SCARD_E_INVALID_HANDLE;
    const auto sent = call("SCardTransmit", deadlines_.transmit, [&] {
        code = SCardTransmit(card_, request, command.data(), command.size(), nullptr, answer.data(),
                             &size);
        return code;
    });
    if (!sent) {
        auto error = sent.error();
        if (!never_sent(code)) error.effect = Effect::unknown;
        return error;
    }
    // A driver whose card vanished half-way reports success and no bytes.
    if (size < 2) {
        return Error{
            .code = Errc::link_failed, .effect = Effect::unknown, .where = "SCardTransmit"};
    }
    return static_cast<std::size_t>(size);
}

// A link that was given up, or whose service was restarted, is made anew.
Result<void> Link::reconnect()
{
    if (inherited()) return refused_in_child("SCardReconnect");
    if (in_transaction_) (void)end();
    const auto again = call("SCardReconnect", deadlines_.connect, [this] {
        return SCardReconnect(card_, share_mode_, protocols, SCARD_LEAVE_CARD, &protocol_);
    });
    if (again) return read_atr();
    const bool lost = again.error().code == Errc::service_unavailable || !connection_ ||
                      connection_->was_given_up();
    if (!lost) return again;
    close();
    return open();
}

// A driver that does not know the question says an error: it has no keypad.
const PinPad& Link::pin_pad()
{
    if (pin_pad_) return *pin_pad_;
    std::array<std::uint8_t, 256> features{};
    DWORD size = 0;
    const auto asked = call("SCardControl", deadlines_.connect, [&] {
        return SCardControl(card_, CM_IOCTL_GET_FEATURE_REQUEST, nullptr, 0, features.data(),
                            features.size(), &size);
    });
    const auto known = asked ? std::min<std::size_t>(size, features.size()) : 0;
    return pin_pad_.emplace(PinPad::parse(std::span(features).first(known)));
}

// The reader says what the card said, or a status word of its own when it sent nothing.
Result<std::size_t> Link::transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer)
{
    TALLYCARD_EXPECTS(has_pin_pad());
    // The reader's own deadline comes first, so that nobody types into a call that was given up.
    const PinPadRequest request(entry, command, deadlines_.pin_entry);
    const DWORD code = entry == PinEntry::verify ? pin_pad().verify : pin_pad().modify;
    DWORD size = 0;
    const auto sent = call("PIN entry", deadlines_.pin_entry + deadlines_.transmit, [&] {
        return SCardControl(card_, code, request.bytes().data(), request.bytes().size(),
                            answer.data(), answer.size(), &size);
    });
    if (!sent || size < 2 || size > answer.size()) {
        auto error = sent ? Error{.code = Errc::link_failed, .where = "PIN entry"} : sent.error();
        error.effect = Effect::unknown;
        return error;
    }
    const StatusWord sw(static_cast<std::uint16_t>(answer[size - 2] << 8 | answer[size - 1]));
    if (sw.sw1() == 0x64) {
        return Error{.code = sw.sw2() == 0 ? Errc::timed_out : Errc::cancelled,
                     .sw = sw,
                     .where = "PIN entry"};
    }
    return static_cast<std::size_t>(size);
}

Result<void> Link::read_atr()
{
    std::array<std::uint8_t, Atr::capacity> bytes{};
    DWORD size = bytes.size(), name_size = 0, state = 0, protocol = 0;
    const auto read = call("SCardStatus", deadlines_.connect, [&] {
        return SCardStatus(card_, nullptr, &name_size, &state, &protocol, bytes.data(), &size);
    });
    if (!read) return read.error();
    atr_ = Atr(std::span(bytes).first(size));
    return {};
}

}  // namespace tallycard::pcsc
