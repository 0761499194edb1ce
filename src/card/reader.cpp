// SPDX-License-Identifier: Apache-2.0
#include <tallycard/reader.hpp>

#include <tallycard/contract.hpp>

namespace tallycard {

CardLink::~CardLink() = default;
Reader::~Reader() = default;
ReaderDriver::~ReaderDriver() = default;
ReaderMonitor::~ReaderMonitor() = default;

Result<std::size_t> CardLink::transmit_with_pin(PinEntry, std::span<const std::uint8_t>,
                                                std::span<std::uint8_t>)
{
    TALLYCARD_EXPECTS(has_pin_pad());
    return Error{.code = Errc::link_failed, .where = "PIN pad"};
}

const char* name(ReaderEvent::Kind kind) noexcept
{
    switch (kind) {
    case ReaderEvent::Kind::service_up: return "service_up";
    case ReaderEvent::Kind::service_down: return "service_down";
    case ReaderEvent::Kind::reader_arrived: return "reader_arrived";
    case ReaderEvent::Kind::reader_left: return "reader_left";
    case ReaderEvent::Kind::card_in: return "card_in";
    case ReaderEvent::Kind::card_out: return "card_out";
    }
    return "";
}

}  // namespace tallycard
