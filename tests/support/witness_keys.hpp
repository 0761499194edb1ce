// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <tallycard/cosignature.hpp>

#include "crypto/ed25519.hpp"
#include "test_issuer.hpp"

namespace tallycard::test {

// Witness number n: 1, 2, 3 ...
inline CosignerKey witness_key(unsigned n)
{
    return {"witness.test/" + std::to_string(n), seed(static_cast<std::uint8_t>(0x70 + n))};
}

// A policy of witnesses 1 to n, of which `wanted` are enough.
inline std::string policy_text(unsigned wanted, unsigned n)
{
    std::string text, group = "group all-of-them " + std::to_string(wanted);
    for (unsigned i = 1; i <= n; ++i) {
        const auto name = " w" + std::to_string(i);
        text += "witness" + name + ' ' + witness_key(i).verifier().to_string() + '\n';
        group += name;
    }
    return text + group + "\nquorum all-of-them\n";
}

}  // namespace tallycard::test
