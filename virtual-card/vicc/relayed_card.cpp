// SPDX-License-Identifier: Apache-2.0
#include "relayed_card.hpp"

#include <utility>

namespace tallycard::chip {

Result<std::unique_ptr<VirtualCard>> RelayedCard::open(const std::string& spec,
                                                       ReaderSpecOptions options)
{
    auto source = open_reader_driver(spec, std::move(options));
    if (!source) return source.error();
    auto reader = open_reader(*source);
    if (!reader) return reader.error();
    return std::unique_ptr<VirtualCard>(
        std::make_unique<RelayedCard>(std::move(source->driver), *std::move(reader)));
}

TransmissionProtocol RelayedCard::protocol() const
{
    return link_ ? link_->protocol() : TransmissionProtocol::t1;
}

bool RelayedCard::is_present()
{
    const auto atr = reader_->card();
    if (atr) atr_ = *atr;
    return atr.has_value();
}

// A fresh link may find the card as the one before left it.
void RelayedCard::reset()
{
    if (!link_) {
        auto link = reader_->connect(Sharing::shared);
        if (!link) return;
        link_ = *std::move(link);
    }
    if (!link_->reconnect()) link_.reset();
}

std::size_t RelayedCard::transmit(std::span<const std::uint8_t> command,
                                  std::span<std::uint8_t> answer)
{
    if (!link_) reset();
    if (!link_) return 0;
    const auto size = link_->transmit(command, answer);
    if (size) return *size;
    link_.reset();
    return 0;
}

}  // namespace tallycard::chip
