// SPDX-License-Identifier: Apache-2.0
#include "add_checkpoint.hpp"

#include <array>
#include <optional>

#include "base64.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

// The next line of `text`, without its end; nullopt when there is no whole one.
std::optional<std::string_view> take_line(std::string_view& text)
{
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

Error malformed(std::string_view all, std::string_view rest)
{
    return {.code = Errc::malformed,
            .detail = static_cast<std::uint32_t>(all.size() - rest.size()),
            .where = "request to a witness"};
}

}  // namespace

Result<AddCheckpoint> AddCheckpoint::parse(std::string_view text)
{
    if (text.size() > longest) return malformed(text, text);
    AddCheckpoint request;
    auto rest = text;
    const auto first = take_line(rest);
    if (!first) return malformed(text, text);
    text::Words words(*first);
    words.require(words.next() == "old");
    request.old_size = words.number<std::uint64_t>();
    if (!words.at_end()) return malformed(text, text);
    for (;;) {
        const auto before = rest;
        const auto line = take_line(rest);
        if (!line) return malformed(text, before);
        if (line->empty()) break;
        std::array<std::uint8_t, Digest::size> hash;
        if (request.proof.size() == most_hashes || !base64::decode(*line, hash))
            return malformed(text, before);
        request.proof.emplace_back(hash);
    }
    request.note = rest;
    return request;
}

std::string AddCheckpoint::to_text() const
{
    auto text = "old " + std::to_string(old_size) + '\n';
    for (const auto& hash : proof) text += base64::encode(hash.bytes()) + '\n';
    text += '\n';
    text += note;
    return text;
}

}  // namespace tallycard
