// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// Who an issuer is, in public: what a terminal and an auditor pin. A value type.
struct IssuerDescription {
    std::string origin;  // its name: 1 to 64 characters 21–7E without '+'; checkpoints carry it
    Currency currency;
    PublicKey card_root;
    PublicKey checkpoint_key;
    std::vector<PublicKey> operation_keys;  // all that ever signed; the first is for new cards

    TALLYCARD_EXPORT bool valid() const;
    // Lines of text, in one form. Requires valid().
    TALLYCARD_EXPORT std::string to_text() const;
    // Takes exactly what to_text() makes: Errc::malformed, with the offset.
    TALLYCARD_EXPORT static Result<IssuerDescription> parse(std::string_view text);

    friend bool operator==(const IssuerDescription&, const IssuerDescription&) = default;
};

// The description as a file. Errc::file_missing; Errc::file_damaged.
TALLYCARD_EXPORT Result<IssuerDescription> read_issuer_file(const std::string& path);
// Errc::file_exists when it is there already.
TALLYCARD_EXPORT Result<void> create_issuer_file(const std::string& path,
                                                 const IssuerDescription& issuer);
// In one step: a reader sees the old one or the new one.
TALLYCARD_EXPORT Result<void> replace_issuer_file(const std::string& path,
                                                  const IssuerDescription& issuer);

}  // namespace tallycard
