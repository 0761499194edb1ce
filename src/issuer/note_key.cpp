// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <tallycard/note_key.hpp>
#include <tallycard/verify.hpp>

#include "../protocol/digest.hpp"
#include "../protocol/utf8.hpp"
#include "base64.hpp"

namespace tallycard {
namespace {

constexpr std::size_t longest_name = 255;

std::vector<std::uint8_t> key_material(const NoteKey& key)
{
    std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(key.type)};
    bytes.insert(bytes.end(), key.key.bytes().begin(), key.key.bytes().end());
    return bytes;
}

}  // namespace

bool is_note_name(std::string_view name)
{
    return !name.empty() && name.size() <= longest_name && utf8::all_of(name, [](char32_t c) {
        return c > U' ' && c != U'+' && c != 0x7F && !utf8::is_space(c);
    });
}

// SHA-256(name ‖ 0A ‖ type ‖ public key), its first four bytes.
NoteKey::Id NoteKey::id() const
{
    std::vector<std::uint8_t> message(name.begin(), name.end());
    message.push_back('\n');
    const auto material = key_material(*this);
    message.insert(message.end(), material.begin(), material.end());
    Id id;
    std::ranges::copy(sha256(message).bytes().first<sizeof(Id)>(), id.begin());
    return id;
}

std::string NoteKey::to_string() const
{
    return name + '+' + to_hex(id()) + '+' + base64::encode(key_material(*this));
}

std::optional<NoteKey> NoteKey::parse(std::string_view text)
{
    const auto first = text.find('+');
    const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    std::array<std::uint8_t, 1 + PublicKey::size> material;
    if (!base64::decode(text.substr(second + 1), material)) return std::nullopt;
    const auto type = static_cast<NoteKeyType>(material[0]);
    if (type != NoteKeyType::log && type != NoteKeyType::witness) return std::nullopt;
    NoteKey key{.name = std::string(text.substr(0, first)),
                .type = type,
                .key = PublicKey(std::span(material).subspan<1>())};
    if (!is_note_name(key.name) || !is_valid(key.key) || key.to_string() != text)
        return std::nullopt;
    return key;
}

}  // namespace tallycard
