// SPDX-License-Identifier: Apache-2.0
// The text of a PKCS#11 URI: whatever it is, a key and a module that it names, or an error inside
// the text.
#include <string_view>

#include <tallycard/pkcs11_uri.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace tallycard;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto uri = Pkcs11Uri::parse(text);
    if (!uri) {
        FUZZ_CHECK(uri.error().code == Errc::malformed);
        FUZZ_CHECK(uri.error().detail <= size && uri.error().where[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(size <= Pkcs11Uri::max_text && text.starts_with("pkcs11:"));
    FUZZ_CHECK(uri->module_path.starts_with('/'));
    FUZZ_CHECK(uri->pin_source.empty() || uri->pin_source.starts_with('/'));
    FUZZ_CHECK(uri->object || uri->id);
    FUZZ_CHECK(!uri->token || (!uri->token->empty() && uri->token->size() <= 32));
    return 0;
}
