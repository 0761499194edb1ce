// SPDX-License-Identifier: Apache-2.0
// Where a secret becomes public, and where public bytes turn out to hold a secret. Nothing happens
// there, but in tests/secrets: built for valgrind, which reports every branch and every index that
// depends on a byte that is secret.
#pragma once

#include <cstdint>
#include <span>

#ifdef TALLYCARD_CHECK_SECRETS
#include <valgrind/memcheck.h>
#endif

namespace tallycard::secrecy {

#ifdef TALLYCARD_CHECK_SECRETS
inline void now_public(std::span<const std::uint8_t> bytes)
{
    VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size());
}
inline void now_secret(std::span<const std::uint8_t> bytes)
{
    VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}
#else
inline void now_public(std::span<const std::uint8_t>) {}
inline void now_secret(std::span<const std::uint8_t>) {}
#endif

// Of a comparison, or of a check: that it holds or not may be known, by how much it fails may not.
// `difference` is zero where it holds.
inline bool holds(unsigned difference)
{
    now_public({reinterpret_cast<const std::uint8_t*>(&difference), sizeof difference});
    return difference == 0;
}

}  // namespace tallycard::secrecy
