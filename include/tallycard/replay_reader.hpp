// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>

namespace tallycard {

// The readers of a record that open_traced() wrote: they answer what was answered then, with no
// card and at once.
//
// What opens, waits, connects, ends transactions or sends must come in the record's order, and a
// command must be the one that was recorded; where bytes are masked, any do. The first call that
// differs fails with Errc::link_failed, Error::detail and Error::column telling where in the record
// it should have been, and so does every call after it. Not in this order are list(), card() and
// open(): they may be called more or less often than they were. A monitor gives all recorded
// events, one after the other. Masked bytes of an answer are zeros; a reader's identity is empty.
//
// Threads: as those of open_pcsc().
class TALLYCARD_EXPORT ReplayDriver : public ReaderDriver {
public:
    // Errc::link_failed, with the place in the record, when a call differed, or when there is more
    // in the record than was played.
    virtual Result<void> finished() const = 0;
    ~ReplayDriver() override;
};

inline constexpr std::size_t max_record_text = 64 << 20;

// Errc::file_missing, file_rejected; file_malformed (detail: line; column); file_damaged when it is
// longer than max_record_text.
TALLYCARD_EXPORT Result<std::unique_ptr<ReplayDriver>> open_replay(const std::string& path);
// The same, of the record's text.
TALLYCARD_EXPORT Result<std::unique_ptr<ReplayDriver>> parse_replay(std::string_view text);

}  // namespace tallycard
