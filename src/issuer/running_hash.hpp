// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include <sodium/crypto_hash_sha256.h>

#include <tallycard/fixed_bytes.hpp>

namespace tallycard {

// SHA-256 of text that comes in pieces.
class RunningHash {
public:
    RunningHash() { crypto_hash_sha256_init(&state_); }
    void update(std::string_view text)
    {
        crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
    }
    // Once, at the end.
    Digest finish()
    {
        std::array<std::uint8_t, Digest::size> digest;
        crypto_hash_sha256_final(&state_, digest.data());
        return Digest(digest);
    }

private:
    crypto_hash_sha256_state state_;
};

}  // namespace tallycard
