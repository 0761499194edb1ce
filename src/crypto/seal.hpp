// SPDX-License-Identifier: Apache-2.0
// The seal of PERSONALISE: ChaCha20-Poly1305-IETF under the card's transport key, with the command
// header as additional data (docs/protocol.md, section 5).
#pragma once

#include <cstdint>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

#include "../protocol/personalisation.hpp"

namespace tallycard {

inline constexpr std::size_t seal_overhead = 12 + 16;
static_assert(SealedPersonalisation::capacity == PersonalisationBytes::capacity + seal_overhead);

TALLYCARD_EXPORT SealedPersonalisation seal(const PersonalisationBytes& object,
                                            const TransportKey& key,
                                            std::span<const std::uint8_t, 12> nonce);
// With a fresh random nonce.
TALLYCARD_EXPORT SealedPersonalisation seal(const PersonalisationBytes& object,
                                            const TransportKey& key);

// Errc::not_authentic when the seal does not verify. Requires seal_overhead bytes at least.
TALLYCARD_EXPORT Result<PersonalisationBytes> unseal(std::span<const std::uint8_t> sealed,
                                                     const TransportKey& key);

}  // namespace tallycard
