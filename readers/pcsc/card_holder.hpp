// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <cstdint>
#include <string>

namespace tallycard::pcsc {

// A link of this process, for as long as the object lives: a violation may be of our own making.
class OwnUse {
public:
    OwnUse(std::string reader, DWORD share_mode);
    OwnUse(const OwnUse&) = delete;
    OwnUse& operator=(const OwnUse&) = delete;
    ~OwnUse();

    const std::string& reader() const { return reader_; }
    DWORD share_mode() const { return share_mode_; }
    std::uint32_t process() const { return process_; }

private:
    std::string reader_;
    DWORD share_mode_;
    std::uint32_t process_;  // a parent's, in a forked child
};

// The process that holds the card of `reader` against a connect of `own` in `share_mode`: this one,
// where another link of its own stands in the way; another, where it is the only one that can be.
// 0: not certain.
std::uint32_t violator(const std::string& reader, DWORD share_mode, const OwnUse* own);

// The process whose transaction on the card `own` waits for: likewise.
std::uint32_t other_user(const std::string& reader, const OwnUse* own);

}  // namespace tallycard::pcsc
