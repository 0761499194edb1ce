// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/pin.hpp>

namespace tallycard {

// How the holder gives the PIN to the card, for operations that may need it.
class HolderPin {
public:
    HolderPin() = default;  // not at all
    // As a block that the caller has; it must outlive the call. Null: not at all.
    HolderPin(const PinBlock* block) : block_(block) {}
    // Typed at the reader, so that it never enters this process. Requires CardLink::has_pin_pad().
    static HolderPin at_reader()
    {
        HolderPin pin;
        pin.at_reader_ = true;
        return pin;
    }

    bool is_given() const { return at_reader_ || block_ != nullptr; }
    bool is_at_reader() const { return at_reader_; }
    const PinBlock* block() const { return block_; }

private:
    const PinBlock* block_ = nullptr;
    bool at_reader_ = false;
};

}  // namespace tallycard
