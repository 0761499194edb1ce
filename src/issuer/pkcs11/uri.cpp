// SPDX-License-Identifier: Apache-2.0
#include <tallycard/pkcs11_uri.hpp>

#include <algorithm>
#include <charconv>

namespace tallycard {
namespace {

constexpr std::string_view scheme = "pkcs11:";

bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// Reads the attributes off a text; the first mistake stays, with its place.
class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    bool scheme_and_length()
    {
        if (text_.size() > Pkcs11Uri::max_text) return fail("PKCS#11 URI (too long)");
        if (!text_.starts_with(scheme)) return fail("PKCS#11 URI (begins with pkcs11:)");
        at_ = scheme.size();
        return true;
    }
    bool at_end() const { return at_ == text_.size(); }
    // Whether `c` comes next; it is taken.
    bool take(char c)
    {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    std::string_view name()
    {
        const auto begin = at_;
        while (!at_end() && (is_letter_or_digit(text_[at_]) || text_[at_] == '-')) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    // What stands up to the next separator, decoded.
    bool value(std::string_view allowed, std::string& out)
    {
        out.clear();
        while (!at_end()) {
            const char c = text_[at_];
            if (c == '%') {
                const int high = at_ + 2 < text_.size() ? digit_of(text_[at_ + 1]) : -1;
                const int low = high < 0 ? -1 : digit_of(text_[at_ + 2]);
                if (low < 0) return fail("PKCS#11 URI (two hex digits belong after %)");
                out += static_cast<char>(high * 16 + low);
                at_ += 3;
            } else if (is_letter_or_digit(c) || allowed.find(c) != std::string_view::npos) {
                out += c;
                ++at_;
            } else {
                break;
            }
        }
        return !out.empty() || fail("PKCS#11 URI (a value is missing)");
    }
    bool fail(const char* why)
    {
        if (error_.where[0] == '\0') {
            error_ = {
                .code = Errc::malformed, .detail = static_cast<std::uint32_t>(at_), .where = why};
        }
        return false;
    }
    const Error& error() const { return error_; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    Error error_;
};

constexpr std::string_view in_path = "-._~:[]@!$'()*+,=&", in_query = "-._~:[]@!$'()*+,=/?|";

bool is_text(const std::string& value)
{
    return std::ranges::none_of(value, [](char c) { return c >= 0 && (c < 0x20 || c == 0x7F); });
}

// Puts a text where none was.
bool put(Parser& in, std::optional<std::string>& place, std::string value, std::size_t longest)
{
    if (place) return in.fail("PKCS#11 URI (an attribute is given twice)");
    if (value.size() > longest || !is_text(value))
        return in.fail("PKCS#11 URI (a value is too long, or has control characters)");
    place = std::move(value);
    return true;
}

bool put_slot(Parser& in, std::optional<std::uint64_t>& place, const std::string& digits)
{
    if (place) return in.fail("PKCS#11 URI (an attribute is given twice)");
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code != std::errc{} || end != digits.data() + digits.size())
        return in.fail("PKCS#11 URI (slot-id is a number)");
    place = number;
    return true;
}

bool put_id(Parser& in, std::optional<std::vector<std::uint8_t>>& place, const std::string& bytes)
{
    constexpr std::size_t longest = 256;
    if (place) return in.fail("PKCS#11 URI (an attribute is given twice)");
    if (bytes.size() > longest) return in.fail("PKCS#11 URI (the id is too long)");
    place.emplace(bytes.begin(), bytes.end());
    return true;
}

bool path_attribute(Parser& in, Pkcs11Uri& uri, std::optional<std::string>& type)
{
    const auto name = in.name();
    std::string value;
    if (!in.take('=')) return in.fail("PKCS#11 URI (name=value is expected)");
    if (!in.value(in_path, value)) return false;
    if (name == "token") return put(in, uri.token, std::move(value), 32);
    if (name == "manufacturer") return put(in, uri.manufacturer, std::move(value), 32);
    if (name == "model") return put(in, uri.model, std::move(value), 16);
    if (name == "serial") return put(in, uri.serial, std::move(value), 16);
    if (name == "object") return put(in, uri.object, std::move(value), 256);
    if (name == "id") return put_id(in, uri.id, value);
    if (name == "slot-id") return put_slot(in, uri.slot_id, value);
    if (name != "type") return in.fail("PKCS#11 URI (no attribute that is known here)");
    if (value != "private") return in.fail("PKCS#11 URI (type can only be private)");
    return put(in, type, std::move(value), 16);
}

bool put_file(Parser& in, std::optional<std::string>& place, std::string path)
{
    constexpr std::size_t longest = 1024;
    if (!path.starts_with('/')) return in.fail("PKCS#11 URI (a path has to begin with /)");
    return put(in, place, std::move(path), longest);
}

bool query_attribute(Parser& in, std::optional<std::string>& module,
                     std::optional<std::string>& pin_source)
{
    const auto name = in.name();
    if (name == "pin-value")
        return in.fail("PKCS#11 URI (pin-value shows the PIN to everybody: give pin-source)");
    std::string value;
    if (!in.take('=')) return in.fail("PKCS#11 URI (name=value is expected)");
    if (!in.value(in_query, value)) return false;
    if (name == "module-path") return put_file(in, module, std::move(value));
    if (name != "pin-source") return in.fail("PKCS#11 URI (no attribute that is known here)");
    constexpr std::string_view file = "file:";
    if (value.starts_with(file)) value.erase(0, file.size());
    return put_file(in, pin_source, std::move(value));
}

bool parse_into(Parser& in, Pkcs11Uri& uri)
{
    std::optional<std::string> type, module, pin_source;
    if (!in.scheme_and_length()) return false;
    do {
        if (!path_attribute(in, uri, type)) return false;
    } while (in.take(';'));
    if (in.take('?')) {
        do {
            if (!query_attribute(in, module, pin_source)) return false;
        } while (in.take('&'));
    }
    if (!in.at_end()) return in.fail("PKCS#11 URI (a character that does not belong here)");
    if (!module) return in.fail("PKCS#11 URI (module-path is missing)");
    if (!uri.object && !uri.id) return in.fail("PKCS#11 URI (object or id is missing)");
    uri.module_path = std::move(*module);
    if (pin_source) uri.pin_source = std::move(*pin_source);
    return true;
}

}  // namespace

Result<Pkcs11Uri> Pkcs11Uri::parse(std::string_view text)
{
    Parser in(text);
    Pkcs11Uri uri;
    if (!parse_into(in, uri)) return in.error();
    return uri;
}

}  // namespace tallycard
