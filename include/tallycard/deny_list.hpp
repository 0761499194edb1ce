// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <tallycard/checkpoint.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

// The cards that no till may serve: a log that is only appended to (docs/accounts.md, section 8).
namespace tallycard {

// One line of it: "+<card id>" denies the card, "-<card id>" takes that back. A value type.
struct DenyListLine {
    CardId card;
    bool denied = true;

    TALLYCARD_EXPORT std::string to_string() const;  // without a line feed
    // Takes exactly what to_string() makes.
    TALLYCARD_EXPORT static std::optional<DenyListLine> parse(std::string_view text);

    friend bool operator==(const DenyListLine&, const DenyListLine&) = default;
};

// The list as it was at one moment, in the issuer's words. As text it is a signed note. A value
// type.
struct DenyListHead {
    std::string origin;  // the issuer's
    std::uint64_t lines = 0;
    Digest hash{};  // SHA-256 of those lines, each with its line feed
    Time time{};    // when it was signed: 0 to last_time

    // The four lines, each with its line feed.
    TALLYCARD_EXPORT std::string to_text() const;
    TALLYCARD_EXPORT Result<std::string> sign(const CheckpointKey& key) const;
    // Takes exactly what sign() makes. Errc::malformed; Errc::bad_signature when it is of another
    // origin, or not of this key.
    TALLYCARD_EXPORT static Result<DenyListHead> open(std::string_view note,
                                                      std::string_view origin,
                                                      const PublicKey& key);

    friend bool operator==(const DenyListHead&, const DenyListHead&) = default;
};

// The list itself, line by line. Memory grows with the cards that are on it, not with its lines.
// A value type.
class TALLYCARD_EXPORT DenyList {
public:
    DenyList();
    DenyList(const DenyList& other);
    DenyList(DenyList&& other) noexcept;
    DenyList& operator=(DenyList other) noexcept;
    ~DenyList();

    // Each line changes something. False: this one does not, and has not been appended.
    [[nodiscard]] bool append(const DenyListLine& line);

    bool is_denied(const CardId& card) const { return denied_.contains(card); }
    const std::set<CardId>& denied() const { return denied_; }
    std::uint64_t lines() const { return lines_; }
    Digest hash() const;  // as DenyListHead::hash
    // True where `head` is on this very list.
    bool matches(const DenyListHead& head) const;

private:
    class Hash;
    std::unique_ptr<Hash> hash_;
    std::set<CardId> denied_;
    std::uint64_t lines_ = 0;
};

}  // namespace tallycard
