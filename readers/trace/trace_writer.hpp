// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <tallycard/reader.hpp>

#include "../text_file.hpp"

namespace tallycard::trace {

// Writes the record of a session. Readers and links are numbered as they come. Thread-safe.
class Writer {
public:
    static Result<std::shared_ptr<Writer>> create(const std::string& path);
    explicit Writer(TextWriter file);

    // The number of this reader; a new one is introduced with its name.
    std::uint32_t number_of(const std::string& reader);
    std::uint32_t next_link();

    // One line: when, the call, and how it ended; `result` is empty where there is nothing to say.
    void put(std::string_view call, std::string_view result);
    void put(std::string_view call, const Result<void>& result);
    void put(std::string_view call, const Result<Atr>& result);
    void put_event(const ReaderEvent& event);
    // An exchange of the card in `reader`; `call` is what comes before the command.
    void put_exchange(std::string_view call, std::uint32_t reader,
                      std::span<const std::uint8_t> command, std::span<const std::uint8_t> answer,
                      const Result<std::size_t>& size);

private:
    std::uint32_t number_of_locked(const std::string& reader);
    void write_line(std::string_view text);

    std::mutex mutex_;
    TextWriter file_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::map<std::string, std::uint32_t> readers_;
    std::uint32_t links_ = 0;
    // By reader: whether its last command was public, so that the answer that GET RESPONSE fetches
    // may be shown.
    std::map<std::uint32_t, bool> last_was_public_;
};

// "! link_failed unknown 00000000"
std::string failure(const Error& error);
// "-" for an empty one.
std::string atr_text(const Atr& atr);

}  // namespace tallycard::trace
