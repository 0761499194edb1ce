// SPDX-License-Identifier: Apache-2.0
#include <tallycard/checkpoint.hpp>
#include <tallycard/contract.hpp>

#include "../crypto/ed25519.hpp"
#include "base64.hpp"
#include "signed_note.hpp"

namespace tallycard {
namespace {

constexpr std::size_t longest_text = 256;  // of what our signer signs

std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

NoteKey note_key(std::string_view origin, const PublicKey& key)
{
    return {.name = std::string(origin), .type = NoteKeyType::log, .key = key};
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

// A checkpoint of ours: there is one text for each.
Result<Checkpoint> checkpoint_in(std::string_view text, std::string_view origin)
{
    const auto parsed = CheckpointText::parse(text);
    if (!parsed) return parsed.error();
    if (parsed->origin != origin) return bad(Errc::bad_signature);
    if (checkpoint_text(origin, parsed->head) != text) return bad(Errc::malformed);
    return Checkpoint{.origin = std::string(origin), .head = parsed->head};
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
    std::string note(text);
    note += '\n';
    return note + signature_line(note_key(origin, public_key_), signature->bytes());
}

Result<std::string_view> open_note(std::string_view note, std::string_view origin,
                                   const PublicKey& key)
{
    const auto parsed = SignedNote::parse(note);
    if (!parsed) return parsed.error();
    if (parsed->signatures.size() != 1 || parsed->text.size() > longest_text)
        return bad(Errc::malformed);
    if (!verifies(parsed->signatures[0], note_key(origin, key), parsed->text))
        return bad(Errc::bad_signature);
    return parsed->text;
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
    return checkpoint_in(*text, origin);
}

Result<Checkpoint> Checkpoint::open_cosigned(std::string_view note, std::string_view origin,
                                             const PublicKey& key)
{
    const auto parsed = SignedNote::parse(note);
    if (!parsed) return parsed.error();
    const auto issuer = note_key(origin, key);
    bool is_signed = false;
    for (const auto& signature : parsed->signatures) {
        if (!signature.is_of(issuer)) continue;
        if (!verifies(signature, issuer, parsed->text)) return bad(Errc::bad_signature);
        is_signed = true;
    }
    if (!is_signed) return bad(Errc::bad_signature);
    return checkpoint_in(parsed->text, origin);
}

}  // namespace tallycard
