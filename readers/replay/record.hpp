// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/reader.hpp>

namespace tallycard::replay {

enum class Call : std::uint8_t {
    list,
    open,
    card,
    wait_for_card,
    wait_for_removal,
    connect,
    begin,
    end,
    transmit,
    type_pin,
    type_new_pin,
    reconnect,
    close,
    event,
};

// Bytes of a record, some of them masked.
struct Bytes {
    std::vector<std::uint8_t> values;  // masked ones are 0
    std::vector<bool> shown;

    std::size_t size() const { return values.size(); }
    // Where other bytes begin to differ; empty when they match. A length that differs does so
    // behind the shorter one.
    std::optional<std::size_t> difference(std::span<const std::uint8_t> other) const;
};

// One line of a record.
struct Step {
    Call call{};
    std::uint32_t line = 0;
    std::uint32_t number = 0;  // of the reader or link that is called; 0 for the driver
    std::optional<Error> error;

    Bytes command, answer;
    std::uint32_t command_column = 0;
    std::vector<std::uint32_t> readers;  // list
    Sharing sharing{};                   // connect, and what it gave:
    std::uint32_t link = 0;
    TransmissionProtocol protocol{};
    bool has_pin_pad = false;
    Atr atr;  // also of card, wait_for_card and event
    ReaderEvent::Kind event{};
};

struct Record {
    std::map<std::uint32_t, std::string> readers;  // names by number
    std::vector<Step> steps;
    std::uint32_t lines = 0;

    // Errc::file_malformed (detail: line; column).
    static Result<Record> parse(std::string_view text);
};

}  // namespace tallycard::replay
