// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "ifd_config.hpp"
#include "ifd_slot.hpp"
#include "pin_entry.hpp"

namespace tallycard::ifd {

// One reader of pcscd: an entry in reader.conf.d, with the slots that its configuration file says.
// pcscd opens and closes them one by one.
class IfdReader {
public:
    // What goes wrong here and in open_slot() is logged with its place and remedy.
    static std::shared_ptr<IfdReader> open(const std::string& config_path);

    bool open_slot(std::size_t number);
    // Who is in the middle of a call keeps the slot until its end.
    void close_slot(std::size_t number);
    bool is_closed() const;
    std::shared_ptr<Slot> slot(std::size_t number) const;  // null: not open

    const Config& config() const { return config_; }
    PinEntry* pinpad() const { return pinpad_.get(); }  // null: the reader has none

private:
    IfdReader(Config config, std::unique_ptr<PinEntry> pinpad)
        : config_(std::move(config)), pinpad_(std::move(pinpad))
    {
    }

    Config config_;
    std::unique_ptr<PinEntry> pinpad_;
    mutable std::mutex mutex_;
    std::array<std::shared_ptr<Slot>, Config::max_slots> slots_;
};

}  // namespace tallycard::ifd
