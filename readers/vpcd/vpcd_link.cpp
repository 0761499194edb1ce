// SPDX-License-Identifier: Apache-2.0
#include "vpcd_link.hpp"

#include "../atr_protocols.hpp"

namespace tallycard::vpcd {

Result<std::unique_ptr<CardLink>> Link::connect(std::shared_ptr<Slot> slot, Sharing sharing)
{
    if (const auto taken = slot->take(sharing); !taken) return taken.error();
    std::unique_ptr<Link> link(new Link(std::move(slot), sharing));
    if (const auto found = link->find_card(); !found) return found.error();
    return std::unique_ptr<CardLink>(std::move(link));
}

Link::~Link()
{
    slot_->release(sharing_, this);
}

Result<void> Link::find_card()
{
    card_ = slot_->look().card;
    if (!card_.channel) return Error{.code = Errc::no_card, .where = "vpcd"};
    if (card_.atr.size() == 0) return Error{.code = Errc::link_failed, .where = "vpcd"};
    return {};
}

TransmissionProtocol Link::protocol() const
{
    return offers(card_.atr, TransmissionProtocol::t1) ? TransmissionProtocol::t1
                                                       : TransmissionProtocol::t0;
}

Result<void> Link::begin()
{
    if (!card_.channel || card_.channel->is_gone())
        return Error{.code = Errc::card_removed, .where = "vpcd"};
    return slot_->begin(this);
}

Result<void> Link::end()
{
    slot_->end(this);
    return {};
}

Result<std::size_t> Link::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    if (!card_.channel) return Error{.code = Errc::card_removed, .where = "vpcd"};
    return slot_->transmit(this, card_, command, answer);
}

Result<void> Link::reconnect()
{
    slot_->end(this);
    return find_card();
}

}  // namespace tallycard::vpcd
