// SPDX-License-Identifier: Apache-2.0
#include "signed_note.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "../crypto/ed25519.hpp"
#include "../protocol/utf8.hpp"
#include "base64.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

constexpr std::string_view dash = "\xE2\x80\x94 ";  // the em dash that opens a signature line
constexpr std::size_t time_size = 8;
constexpr std::uint64_t latest_time = ~std::uint64_t{0} >> 1;

Error malformed()
{
    return Error{.code = Errc::malformed, .where = "signed note"};
}

std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// "— NAME BASE64", with the newline.
std::optional<NoteSignature> parse_line(std::string_view line)
{
    NoteSignature signature{.line = line, .name = {}, .signature = {}};
    if (!line.starts_with(dash)) return std::nullopt;
    line = line.substr(dash.size(), line.size() - dash.size() - 1);
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    signature.name = line.substr(0, space);
    const auto blob = base64::decode(line.substr(space + 1));
    constexpr auto id_size = std::tuple_size_v<NoteKey::Id>;
    if (!blob || blob->size() <= id_size || !is_note_name(signature.name)) return std::nullopt;
    std::copy_n(blob->begin(), id_size, signature.id.begin());
    signature.signature.assign(blob->begin() + id_size, blob->end());
    return signature;
}

}  // namespace

Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines)
{
    std::vector<NoteSignature> signatures;
    if (lines.empty() || lines.size() > longest_note) return malformed();
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        if (end == std::string_view::npos) return malformed();
        auto signature = parse_line(lines.substr(0, end + 1));
        if (!signature || signatures.size() == most_note_signatures) return malformed();
        signatures.push_back(std::move(*signature));
        lines.remove_prefix(end + 1);
    }
    return signatures;
}

Result<SignedNote> SignedNote::parse(std::string_view note)
{
    const auto admitted = [](char32_t c) { return c >= U' ' || c == U'\n'; };
    if (note.size() > longest_note || !utf8::all_of(note, admitted)) return malformed();
    const auto gap = note.rfind("\n\n");
    if (gap == std::string_view::npos) return malformed();
    auto signatures = parse_signatures(note.substr(gap + 2));
    if (!signatures) return signatures.error();
    return SignedNote{.text = note.substr(0, gap + 1), .signatures = std::move(*signatures)};
}

std::string signature_line(const NoteKey& key, std::span<const std::uint8_t> signature)
{
    const auto id = key.id();
    std::vector<std::uint8_t> blob(id.begin(), id.end());
    blob.insert(blob.end(), signature.begin(), signature.end());
    std::string line(dash);
    line += key.name;
    return line + ' ' + base64::encode(blob) + '\n';
}

bool verifies(const NoteSignature& signature, const NoteKey& key, std::string_view text)
{
    if (key.type != NoteKeyType::log || !signature.is_of(key) ||
        signature.signature.size() != Signature::size)
        return false;
    const Signature bytes(std::span(signature.signature).first<Signature::size>());
    return ed25519::verify_message(bytes, bytes_of(text), key.key);
}

std::string cosigned_message(std::string_view text, std::uint64_t time)
{
    std::string message = "cosignature/v1\ntime " + std::to_string(time) + '\n';
    message += text;
    return message;
}

OpenedCosignature open_cosignature(const NoteSignature& signature, const NoteKey& key,
                                   std::string_view text)
{
    if (key.type != NoteKeyType::witness || !signature.is_of(key) ||
        signature.signature.size() != time_size + Signature::size)
        return {};
    const std::span whole(signature.signature);
    std::uint64_t time = 0;
    for (const auto byte : whole.first<time_size>()) time = time << 8 | byte;
    if (time > latest_time) return {};
    const Signature bytes(whole.subspan(time_size).first<Signature::size>());
    const bool valid =
        ed25519::verify_message(bytes, bytes_of(cosigned_message(text, time)), key.key);
    return {.valid = valid, .time = valid ? time : 0};
}

Result<CheckpointText> CheckpointText::parse(std::string_view text)
{
    std::array<std::string_view, 3> lines;
    for (auto& line : lines) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos || end == 0) return malformed();
        line = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    if (text.starts_with('\n') || text.find("\n\n") != std::string_view::npos) return malformed();
    CheckpointText checkpoint{.origin = lines[0], .head = {}};
    text::Words size(lines[1]);
    checkpoint.head.size = size.number<std::uint64_t>();
    std::array<std::uint8_t, Digest::size> root;
    if (!size.at_end() || !base64::decode(lines[2], root)) return malformed();
    checkpoint.head.root = Digest(root);
    return checkpoint;
}

}  // namespace tallycard
