// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/contract.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/verify.hpp>

#include "files.hpp"
#include "text.hpp"

namespace tallycard {
namespace {

constexpr std::size_t longest_origin = 64, most_operation_keys = 256, longest_text = 65536;

bool is_origin_character(char c)
{
    return c >= 0x21 && c <= 0x7E && c != '+';
}

// One "name value" line at a time.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text), size_(text.size()) {}

    std::optional<text::Words> line(std::string_view name)
    {
        const auto end = rest_.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        text::Words words(rest_.substr(0, end));
        if (words.next() != name) return std::nullopt;
        rest_.remove_prefix(end + 1);
        return words;
    }
    template <class T>
    bool value(std::string_view name, T& out)
    {
        auto words = line(name);
        if (!words) return false;
        const auto parsed = words->parsed<T>();
        whole_ = words->at_end();
        if (whole_) out = *parsed;
        return whole_;
    }
    // Nothing is left, and no line was taken that is not what its name says.
    bool at_end() const { return whole_ && rest_.empty(); }
    Error malformed() const
    {
        return Error{.code = Errc::malformed,
                     .detail = static_cast<std::uint32_t>(size_ - rest_.size()),
                     .where = "issuer description"};
    }

private:
    std::string_view rest_;
    std::size_t size_;
    bool whole_ = true;
};

bool read_names(Reader& reader, IssuerDescription& issuer)
{
    auto version = reader.line("tallycard-issuer");
    if (!version || version->next() != "1" || !version->at_end()) return false;
    auto origin = reader.line("origin");
    if (!origin) return false;
    issuer.origin = origin->next();
    auto unit = reader.line("unit");
    if (!unit || !origin->at_end()) return false;
    const auto code = Unit::from_code(unit->number<std::uint16_t>());
    issuer.currency.exponent = unit->number<std::uint8_t>();
    if (!code || !unit->at_end()) return false;
    issuer.currency.unit = *code;
    return true;
}

bool read_keys(Reader& reader, IssuerDescription& issuer)
{
    if (!reader.value("card-root", issuer.card_root)) return false;
    if (!reader.value("checkpoint-key", issuer.checkpoint_key)) return false;
    PublicKey key;
    while (issuer.operation_keys.size() < most_operation_keys && reader.value("operation-key", key))
        issuer.operation_keys.push_back(key);
    return reader.at_end();
}

}  // namespace

bool IssuerDescription::valid() const
{
    const auto valid_key = [](const PublicKey& key) { return is_valid(key); };
    return !origin.empty() && origin.size() <= longest_origin &&
           std::ranges::all_of(origin, is_origin_character) && !operation_keys.empty() &&
           operation_keys.size() <= most_operation_keys && valid_key(card_root) &&
           valid_key(checkpoint_key) && std::ranges::all_of(operation_keys, valid_key);
}

std::string IssuerDescription::to_text() const
{
    TALLYCARD_EXPECTS(valid());
    std::string text = "tallycard-issuer 1\norigin " + origin;
    text +=
        "\nunit " + std::to_string(currency.unit.code()) + ' ' + std::to_string(currency.exponent);
    text += "\ncard-root " + card_root.to_string();
    text += "\ncheckpoint-key " + checkpoint_key.to_string() + '\n';
    for (const auto& key : operation_keys) text += "operation-key " + key.to_string() + '\n';
    return text;
}

Result<IssuerDescription> IssuerDescription::parse(std::string_view text)
{
    Reader reader(text);
    IssuerDescription issuer;
    if (!read_names(reader, issuer) || !read_keys(reader, issuer) || !issuer.valid())
        return reader.malformed();
    return issuer;
}

Result<IssuerDescription> read_issuer_file(const std::string& path)
{
    const auto text = files::read(path, longest_text);
    if (!text) return text.error();
    auto issuer = IssuerDescription::parse(*text);
    if (!issuer) {
        return Error{.code = Errc::file_damaged,
                     .detail = issuer.error().detail,
                     .where = "issuer description"};
    }
    return issuer;
}

Result<void> create_issuer_file(const std::string& path, const IssuerDescription& issuer)
{
    return files::create(path, issuer.to_text());
}

Result<void> replace_issuer_file(const std::string& path, const IssuerDescription& issuer)
{
    return files::replace(path, issuer.to_text());
}

}  // namespace tallycard
