// SPDX-License-Identifier: Apache-2.0
#include <tallycard/contract.hpp>
#include <tallycard/deny_list.hpp>

#include <array>
#include <utility>

#include "base64.hpp"
#include "running_hash.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

constexpr std::string_view name_of_list = "/deny-list";

// Takes a line off the front of a text, without its line feed.
std::string_view take_line(std::string_view& text)
{
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

}  // namespace

std::string DenyListLine::to_string() const
{
    return (denied ? '+' : '-') + card.to_string();
}

std::optional<DenyListLine> DenyListLine::parse(std::string_view text)
{
    if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
    const auto card = CardId::parse(text.substr(1));
    if (!card) return std::nullopt;
    return DenyListLine{.card = *card, .denied = text.front() == '+'};
}

std::string DenyListHead::to_text() const
{
    std::string text(origin);
    text += name_of_list;
    text += '\n' + std::to_string(lines) + '\n';
    text += base64::encode(hash.bytes()) + '\n';
    return text + std::to_string(time.time_since_epoch().count()) + '\n';
}

Result<std::string> DenyListHead::sign(const CheckpointKey& key) const
{
    TALLYCARD_EXPECTS(time >= Time{} && time <= last_time);
    return key.sign_note(to_text(), origin);
}

Result<DenyListHead> DenyListHead::open(std::string_view note, std::string_view origin,
                                        const PublicKey& key)
{
    const auto text = open_note(note, origin, key);
    if (!text) return text.error();
    auto rest = *text;
    take_line(rest);
    text::Words lines(take_line(rest));
    DenyListHead head{.origin = std::string(origin), .lines = lines.number<std::uint64_t>()};
    std::array<std::uint8_t, Digest::size> hash{};
    lines.require(base64::decode(take_line(rest), hash));
    head.hash = Digest(hash);
    text::Words time(take_line(rest));
    head.time = Time(std::chrono::milliseconds(time.number<std::int64_t>()));
    // One text for each head: the first line, and everything behind the last, are compared here.
    if (!lines.at_end() || !time.at_end() || head.time < Time{} || head.time > last_time ||
        head.to_text() != *text)
        return Error{.code = Errc::malformed, .where = "deny list"};
    return head;
}

class DenyList::Hash : public RunningHash {};

DenyList::DenyList() : hash_(std::make_unique<Hash>()) {}

DenyList::DenyList(const DenyList& other)
    : hash_(std::make_unique<Hash>(*other.hash_)), denied_(other.denied_), lines_(other.lines_)
{
}

DenyList::DenyList(DenyList&& other) noexcept = default;

DenyList& DenyList::operator=(DenyList other) noexcept
{
    std::swap(hash_, other.hash_);
    std::swap(denied_, other.denied_);
    std::swap(lines_, other.lines_);
    return *this;
}

DenyList::~DenyList() = default;

bool DenyList::append(const DenyListLine& line)
{
    if (line.denied == is_denied(line.card)) return false;
    if (line.denied) {
        denied_.insert(line.card);
    } else {
        denied_.erase(line.card);
    }
    hash_->update(line.to_string() + '\n');
    ++lines_;
    return true;
}

Digest DenyList::hash() const
{
    return Hash(*hash_).finish();
}

bool DenyList::matches(const DenyListHead& head) const
{
    return head.lines == lines_ && head.hash == hash();
}

}  // namespace tallycard
