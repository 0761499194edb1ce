// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/export.hpp>

#include "card_memory.hpp"

namespace tallycard::chip {

// The card's memory, which outlives power. A seam: a file, a buffer and a tearing one implement it.
//
// A change is made whole or not at all: write it into the draft, then commit. Whatever cuts the
// power, the next power-on finds the state before the commit or the state after it. Not
// thread-safe.
class TALLYCARD_EXPORT Nvm {
public:
    Nvm() = default;
    Nvm(const Nvm&) = delete;
    Nvm& operator=(const Nvm&) = delete;
    virtual ~Nvm();

    // False when no intact state is left: then there is nothing to read, and nothing to change.
    virtual bool readable() const = 0;
    // Requires readable(). Valid until the next commit.
    virtual const CardMemory& current() const = 0;
    // A copy of current(), to be changed; an earlier draft is dropped. Requires readable().
    virtual CardMemory& draft() = 0;
    // Makes the draft current. False: it could not be written, and current() is what it was.
    [[nodiscard]] virtual bool commit() = 0;
};

}  // namespace tallycard::chip
