// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// Names a key in a token of a PKCS#11 module, as RFC 7512 writes it. A value type.
//
//     pkcs11:token=issuer;object=operation?module-path=/usr/lib/softhsm/libsofthsm2.so
struct Pkcs11Uri {
    static constexpr std::size_t max_text = 2048;

    // Strict: each attribute once, not empty, no other attribute than those below (and type, which
    // has to be private). Errc::malformed with the offset; `where` says why. A module-path, and an
    // object or id, have to be there. pin-value is refused: it would show the PIN to everybody.
    TALLYCARD_EXPORT static Result<Pkcs11Uri> parse(std::string_view text);

    // What the token has to be; where nothing is said, anything will do.
    std::optional<std::string> token, manufacturer, model, serial;
    std::optional<std::uint64_t> slot_id;
    // What the key has to be.
    std::optional<std::string> object;            // CKA_LABEL
    std::optional<std::vector<std::uint8_t>> id;  // CKA_ID
    std::string module_path;                      // absolute
    std::string pin_source;                       // absolute path of a file, or empty

    friend bool operator==(const Pkcs11Uri&, const Pkcs11Uri&) = default;
};

}  // namespace tallycard
