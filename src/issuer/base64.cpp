// SPDX-License-Identifier: Apache-2.0
#include "base64.hpp"

#include <sodium/utils.h>

namespace tallycard::base64 {

std::string encode(std::span<const std::uint8_t> bytes)
{
    std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // the zero that libsodium counts in
    return text;
}

bool decode(std::string_view text, std::span<std::uint8_t> out)
{
    if (out.empty()) return text.empty();  // libsodium takes no null pointer
    std::size_t size = 0;
    const char* end = nullptr;
    const int status = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr,
                                         &size, &end, sodium_base64_VARIANT_ORIGINAL);
    if (status != 0 || size != out.size() || end != text.data() + text.size()) return false;
    return encode(out) == text;
}

std::optional<std::vector<std::uint8_t>> decode(std::string_view text)
{
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    for (auto rest = text; rest.ends_with('=') && !bytes.empty(); rest.remove_suffix(1))
        bytes.pop_back();
    if (!decode(text, bytes)) return std::nullopt;
    return bytes;
}

}  // namespace tallycard::base64
