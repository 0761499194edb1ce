// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/contract.hpp>

#include "../crypto/ed25519.hpp"
#include "../protocol/digest.hpp"
#include "base64.hpp"

namespace tallycard {
namespace {

constexpr std::string_view dash = "\xE2\x80\x94 ";  // the em dash that opens a signature line
constexpr std::size_t key_id_size = 4;
constexpr std::size_t longest_text = 256;  // of what our signer signs
using SignatureBlob = std::array<std::uint8_t, key_id_size + Signature::size>;

std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// C2SP signed-note: SHA-256(name ‖ 0A ‖ 01 ‖ public key), its first four bytes.
std::array<std::uint8_t, key_id_size> key_id(std::string_view origin, const PublicKey& key)
{
    std::vector<std::uint8_t> message(origin.begin(), origin.end());
    message.push_back('\n');
    message.push_back(1);
    message.insert(message.end(), key.bytes().begin(), key.bytes().end());
    std::array<std::uint8_t, key_id_size> id;
    std::ranges::copy(sha256(message).bytes().first<key_id_size>(), id.begin());
    return id;
}

std::string checkpoint_text(std::string_view origin, const merkle::Head& head)
{
    std::string text(origin);
    text += '\n' + std::to_string(head.size) + '\n';
    text += base64::encode(head.root.bytes()) + '\n';
    return text;
}

Error bad(Errc code)
{
    return Error{.code = code, .where = "signed note"};
}

// The next line of `text`, without its end; nullopt when there is no whole one.
std::optional<std::string_view> take_line(std::string_view& text)
{
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

class SoftwareNoteSigner final : public NoteSigner {
public:
    explicit SoftwareNoteSigner(KeySeed seed)
        : seed_(std::move(seed)), public_key_(ed25519::public_key(seed_))
    {
    }
    PublicKey public_key() const override { return public_key_; }
    Result<Signature> sign(std::string_view text) override
    {
        return ed25519::sign(seed_, {}, bytes_of(text));
    }

private:
    KeySeed seed_;
    PublicKey public_key_;
};

}  // namespace

CheckpointKey::CheckpointKey(KeySeed seed)
    : CheckpointKey(std::make_unique<SoftwareNoteSigner>(std::move(seed)))
{
}

CheckpointKey::CheckpointKey(std::unique_ptr<NoteSigner> signer)
    : signer_(std::move(signer)), public_key_(signer_->public_key())
{
}

Result<std::string> CheckpointKey::sign_note(std::string_view text, std::string_view origin) const
{
    TALLYCARD_EXPECTS(!text.empty() && text.back() == '\n' && text.size() <= longest_text);
    const auto signature = signer_->sign(text);
    if (!signature) return signature.error();
    SignatureBlob blob;
    const auto id = key_id(origin, public_key_);
    std::ranges::copy(signature->bytes(), std::ranges::copy(id, blob.begin()).out);
    std::string note(text);
    note += '\n';
    note += dash;
    note += origin;
    note += ' ' + base64::encode(blob) + '\n';
    return note;
}

Result<std::string_view> open_note(std::string_view note, std::string_view origin,
                                   const PublicKey& key)
{
    const auto gap = note.rfind("\n\n");
    if (gap == std::string_view::npos || gap + 1 > longest_text) return bad(Errc::malformed);
    const auto text = note.substr(0, gap + 1);
    auto rest = note.substr(gap + 2);
    if (!rest.starts_with(dash) || !rest.ends_with('\n')) return bad(Errc::malformed);
    rest = rest.substr(dash.size(), rest.size() - dash.size() - 1);
    const auto space = rest.find(' ');
    SignatureBlob blob;
    if (space == std::string_view::npos || !base64::decode(rest.substr(space + 1), blob))
        return bad(Errc::malformed);

    const std::span whole(blob);
    const Signature signature(whole.subspan<key_id_size>());
    const bool ours = rest.substr(0, space) == origin &&
                      std::ranges::equal(whole.first<key_id_size>(), key_id(origin, key));
    if (!ours || !ed25519::verify(signature, {}, bytes_of(text), key))
        return bad(Errc::bad_signature);
    return text;
}

Result<std::string> Checkpoint::sign(const CheckpointKey& key) const
{
    return key.sign_note(checkpoint_text(origin, head), origin);
}

Result<Checkpoint> Checkpoint::open(std::string_view note, std::string_view origin,
                                    const PublicKey& key)
{
    const auto text = open_note(note, origin, key);
    if (!text) return text.error();
    auto rest = *text;
    const auto name = take_line(rest);
    const auto size = take_line(rest);
    const auto root = take_line(rest);
    if (!root || !rest.empty()) return bad(Errc::malformed);

    Checkpoint checkpoint{.origin = std::string(*name), .head = {}};
    std::array<std::uint8_t, Digest::size> digest;
    std::from_chars(size->data(), size->data() + size->size(), checkpoint.head.size);
    if (!base64::decode(*root, digest)) return bad(Errc::malformed);
    checkpoint.head.root = Digest(digest);
    if (*name != origin) return bad(Errc::bad_signature);
    if (checkpoint_text(origin, checkpoint.head) != *text) return bad(Errc::malformed);
    return checkpoint;
}

}  // namespace tallycard
