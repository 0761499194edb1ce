// SPDX-License-Identifier: Apache-2.0
#include "vscard_connection.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <tallycard/contract.hpp>

namespace tallycard::chip {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto first_pause = 50ms, longest_pause = 2000ms;
// QEMU answers the first message at once, also while the machine is paused.
constexpr auto patience = 5000ms;

std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::optional<VscardAddress> VscardAddress::parse(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;
    }
    std::uint16_t port = 0;
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, port);
    if (host.empty() || read.ec != std::errc() || read.ptr != end || port == 0) return std::nullopt;
    return VscardAddress{std::string(host), port};
}

std::string VscardAddress::to_string() const
{
    const auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return shown + ":" + std::to_string(port);
}

VscardConnection::VscardConnection(VirtualCard& card, VscardAddress address, Events events)
    : card_(card), address_(std::move(address)), events_(std::move(events))
{
    TALLYCARD_EXPECTS(card.protocol() == TransmissionProtocol::t0);
}

void VscardConnection::run(const StopSignal& stop)
{
    auto pause = std::chrono::milliseconds(first_pause);
    bool told = false;
    do {
        auto socket =
            Socket::connect({.path = {}, .host = address_.host, .port = address_.port}, stop);
        if (!socket.is_open()) {
            if (!told && !stop.wait(0ms)) events_.no_machine();
            told = true;
        } else if (serve(socket, stop)) {
            pause = first_pause;
            told = false;
        }
        card_.power_off();
        pause = std::min(2 * pause, std::chrono::milliseconds(longest_pause));
    } while (!stop.wait(pause));
}

// Until the machine goes away, or the process is asked to stop. Whether the card ever was in it.
bool VscardConnection::serve(Socket& socket, const StopSignal& stop)
{
    step_ = Step::greeting;
    reader_ = vscard_no_reader;
    if (!send(socket, VscardType::init, vscard_init())) return false;
    if (!socket.wait_for_input(patience, stop) && !stop.wait(0ms)) events_.silent();
    VscardDecoder decoder;
    while (const auto count = socket.receive(decoder.space(), stop)) {
        decoder.received(count);
        auto message = decoder.next();
        for (; message && *message; message = decoder.next()) {
            if (!answer(**message, socket)) return step_ == Step::in;
        }
        if (message) continue;
        events_.nonsense(message.error());
        return false;
    }
    leave(socket);
    return step_ == Step::in;
}

bool VscardConnection::answer(const VscardMessage& message, Socket& socket)
{
    switch (message.type) {
    case VscardType::apdu: return answer_apdu(message.payload, socket);
    case VscardType::flush: return send(socket, VscardType::flush_complete);
    case VscardType::init:
        // QEMU says it once when the machine starts, and once more in answer to ours.
        if (step_ != Step::greeting) return true;
        step_ = Step::adding;
        return send(socket, VscardType::reader_add, bytes_of("tallycard"sv));
    case VscardType::error: return go_on(message, socket);
    case VscardType::reader_add:
    case VscardType::reader_remove:
    case VscardType::atr:
    case VscardType::card_remove:
    case VscardType::flush_complete: break;  // no host says it: the decoder has refused it
    }
    return false;
}

// The host said yes or no.
bool VscardConnection::go_on(const VscardMessage& message, Socket& socket)
{
    const bool yes = message.error == VscardError::none;
    const bool matters = step_ == Step::adding || step_ == Step::inserting;
    if (matters && !yes) {
        events_.refused(message.error);
        return false;
    }
    switch (step_) {
    case Step::greeting:
    case Step::in: return true;  // nothing was asked
    case Step::adding: reader_ = message.reader; return insert(socket);
    case Step::inserting:
        step_ = Step::in;
        events_.inserted();
        return true;
    }
    return false;
}

bool VscardConnection::insert(Socket& socket)
{
    // A connection that was lost may have left a command that nobody will answer, and the guest
    // waits for that. Taking the card out first would not do: QEMU then forgets to tell the guest.
    if (!send(socket, VscardType::error, vscard_error(VscardError::general))) return false;
    card_.power_on();
    step_ = Step::inserting;
    return send(socket, VscardType::atr, card_.atr().bytes());
}

bool VscardConnection::answer_apdu(std::span<const std::uint8_t> command, Socket& socket)
{
    // The guest may be quicker than the host's yes to the ATR.
    if (step_ != Step::inserting && step_ != Step::in)
        return send(socket, VscardType::error, vscard_error(VscardError::general));
    const auto size = card_.transmit(command, std::span(out_).subspan<vscard_header_size>());
    std::ranges::copy(vscard_header(VscardType::apdu, reader_, size), out_.begin());
    return socket.send(std::span(out_).first(vscard_header_size + size));
}

// QEMU does not notice that a card's program has gone: the guest would wait for answers. No harm
// where the machine has gone first.
void VscardConnection::leave(Socket& socket)
{
    if (step_ != Step::greeting)
        (void)(send(socket, VscardType::card_remove) && send(socket, VscardType::reader_remove));
    socket.finish(1000ms);
}

// Header and payload in one write.
bool VscardConnection::send(Socket& socket, VscardType type, std::span<const std::uint8_t> payload)
{
    TALLYCARD_EXPECTS(payload.size() <= VirtualCard::max_answer);
    std::ranges::copy(vscard_header(type, reader_, payload.size()), out_.begin());
    std::ranges::copy(payload, out_.begin() + vscard_header_size);
    return socket.send(std::span(out_).first(vscard_header_size + payload.size()));
}

}  // namespace tallycard::chip
