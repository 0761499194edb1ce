// SPDX-License-Identifier: Apache-2.0
// What is in a card image, and what a card with that memory answers.
#pragma once

#include "issued_card.hpp"

namespace testing {

inline Bytes encoded(const tallycard::chip::CardMemory& memory)
{
    std::array<std::uint8_t, tallycard::chip::CardMemory::encoded_size> bytes;
    memory.encode(bytes);
    return bytes_of(bytes);
}

// The memory in an image; empty where it does not read.
inline Bytes loaded(const tallycard::chip::MemoryStorage::Bytes& image)
{
    tallycard::chip::MemoryStorage storage(image);
    tallycard::chip::SlotNvm nvm(storage);
    nvm.load();
    return nvm.readable() ? encoded(nvm.current()) : Bytes();
}

// What a card that has just been selected answers.
inline std::uint16_t send(tallycard::chip::Nvm& nvm, const Bytes& command)
{
    tallycard::chip::Applet applet(nvm);
    std::array<std::uint8_t, tallycard::chip::Applet::max_answer> answer{};
    applet.process(command_apdu(tallycard::wire::command::select, tallycard::wire::aid, 0), answer);
    const auto size = applet.process(command, answer);
    return reply_of(std::span(answer).first(size)).sw;
}

}  // namespace testing
