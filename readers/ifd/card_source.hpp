// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

#include "ifd_config.hpp"

namespace tallycard::ifd {

// A card in a slot. One thread at a time, but for is_gone().
class Card {
public:
    Card() = default;
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;
    virtual ~Card() = default;

    virtual Result<Atr> power_on() = 0;
    virtual Result<Atr> reset() = 0;
    virtual Result<void> power_off() = 0;
    // At least two bytes, or an error whose effect says whether the card may have had the command.
    virtual Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                         std::span<std::uint8_t> answer) = 0;
    virtual bool is_gone() const = 0;
};

// Where the cards of a slot come from. From any thread.
class CardSource {
public:
    CardSource() = default;
    CardSource(const CardSource&) = delete;
    CardSource& operator=(const CardSource&) = delete;
    virtual ~CardSource() = default;

    // Who is in now; null: nobody. Each one that comes in is an object of its own.
    virtual std::shared_ptr<Card> card() = 0;
    // Until card() may say something else, or `interrupt` is ready to be read, or the time is over.
    virtual void wait(std::chrono::milliseconds at_most, int interrupt) = 0;
};

// Card programs at a Unix socket. `name` is for the log: "slot 2".
Result<std::unique_ptr<CardSource>> open_program_source(const std::string& socket,
                                                        std::chrono::milliseconds deadline,
                                                        std::string name);

// One card, in as soon as its image can be had: what prevents it is logged and tried again.
std::unique_ptr<CardSource> open_image_source(SlotConfig config, std::string name);

}  // namespace tallycard::ifd
