// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include <tallycard/contract.hpp>
#include <tallycard/cosignature.hpp>

#include "../crypto/ed25519.hpp"
#include "signed_note.hpp"

namespace tallycard {

CosignerKey::CosignerKey(std::string name, KeySeed seed)
    : verifier_{.name = std::move(name),
                .type = NoteKeyType::witness,
                .key = ed25519::public_key(seed)},
      seed_(std::move(seed))
{
    TALLYCARD_EXPECTS(is_note_name(verifier_.name));
}

std::string CosignerKey::cosign(std::string_view text, std::uint64_t time) const
{
    TALLYCARD_EXPECTS(!text.empty() && text.back() == '\n' && time >> 63 == 0);
    const auto message = cosigned_message(text, time);
    const auto signature = ed25519::sign_message(
        seed_, {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
    std::array<std::uint8_t, 8 + Signature::size> blob;
    for (std::size_t i = 0; i < 8; ++i) blob[i] = static_cast<std::uint8_t>(time >> (56 - 8 * i));
    std::ranges::copy(signature.bytes(), blob.begin() + 8);
    return signature_line(verifier_, blob);
}

}  // namespace tallycard
