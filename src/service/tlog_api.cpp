// SPDX-License-Identifier: Apache-2.0
// The ledger as C2SP tlog-tiles has it: a signed checkpoint, tiles of 256 hashes, and bundles of
// 256 entries, each entry behind its length in two bytes.
#include <charconv>

#include "api.hpp"

namespace tallycard::service::api {
namespace {

constexpr std::uint64_t width = 256;
constexpr unsigned height = 8, highest_level = 63;

struct Tile {
    std::uint64_t index = 0;
    std::uint64_t wanted = width;  // less for a partial one
};

std::optional<std::uint64_t> three_digits(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.size() != 3 || code != std::errc{} || end != text.data() + 3) return std::nullopt;
    return value;
}

// A number without leading zeros.
std::optional<std::uint64_t> plain_number(std::string_view text, std::uint64_t most)
{
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value > most)
        return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    return value;
}

// "x001/x234/067" or "x001/x234/067.p/5".
std::optional<Tile> parse_tile(std::string_view path)
{
    Tile tile;
    if (const auto dot = path.find(".p/"); dot != std::string_view::npos) {
        const auto wanted = plain_number(path.substr(dot + 3), width - 1);
        if (!wanted || *wanted == 0) return std::nullopt;
        tile.wanted = *wanted;
        path = path.substr(0, dot);
    }
    constexpr std::size_t most_groups = 5;  // 256·10^15 entries, which 64 bits can count
    for (std::size_t group = 0; group < most_groups; ++group) {
        const bool more = path.starts_with('x');
        if (more) path.remove_prefix(1);
        const auto digits = three_digits(path.substr(0, 3));
        if (!digits) return std::nullopt;
        if (more && group == 0 && *digits == 0) return std::nullopt;  // the shortest form
        tile.index = tile.index * 1000 + *digits;
        path.remove_prefix(3);
        if (!more) return path.empty() ? std::optional(tile) : std::nullopt;
        if (!path.starts_with('/')) return std::nullopt;
        path.remove_prefix(1);
    }
    return std::nullopt;
}

Answer no_such_tile()
{
    return refusal({.code = Errc::unknown_operation, .where = "ledger"});
}

Answer bytes(std::string body)
{
    return {.body = std::move(body), .type = "application/octet-stream", .retry_after = {}};
}

void append(std::string& body, std::span<const std::uint8_t> bytes)
{
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

Answer tlog_checkpoint(Works& works, const Call&)
{
    const auto note = published(works);
    if (!note) return refusal(note.error());
    return {.body = *note, .type = "text/plain; charset=utf-8", .retry_after = {}};
}

Answer tlog_tile(Works& works, const Call& call)
{
    const std::string_view path = call.captured[0];
    const auto slash = std::min(path.find('/'), path.size());
    const auto level = plain_number(path.substr(0, slash), highest_level);
    const auto tile =
        slash < path.size() ? parse_tile(path.substr(slash + 1)) : std::optional<Tile>();
    if (!level || !tile) return no_such_tile();
    const auto hashes = works.platform.subtrees(static_cast<unsigned>(*level) * height,
                                                tile->index * width, tile->wanted);
    if (!hashes) return refusal(hashes.error());
    if (hashes->size() < tile->wanted) return no_such_tile();
    std::string body;
    for (const auto& hash : *hashes) append(body, hash.bytes());
    return bytes(std::move(body));
}

Answer tlog_entries(Works& works, const Call& call)
{
    const auto tile = parse_tile(call.captured[0]);
    if (!tile) return no_such_tile();
    const auto entries = works.platform.entries(tile->index * width, tile->wanted);
    if (!entries) return refusal(entries.error());
    if (entries->size() < tile->wanted) return no_such_tile();
    std::string body;
    for (const auto& entry : *entries) {
        const auto encoded = entry.encode();
        const auto size = encoded.size();
        body += static_cast<char>(size >> 8);
        body += static_cast<char>(size & 0xFF);
        append(body, encoded.bytes());
    }
    return bytes(std::move(body));
}

}  // namespace tallycard::service::api
