// SPDX-License-Identifier: Apache-2.0
// The text of an issuer's description: what is taken is what would be written, to the byte, and is
// valid; by itself and as a file. The first byte says which.
#include <tallycard/issuer_description.hpp>

#include "fuzz.hpp"
#include "input.hpp"
#include "scratch.hpp"

using namespace tallycard;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const auto how = input.byte();
    const auto bytes = input.rest();
    const auto text = fuzz::text(bytes);
    const auto issuer = IssuerDescription::parse(text);
    if (issuer)
        FUZZ_CHECK(issuer->valid() && issuer->to_text() == text);
    else
        FUZZ_CHECK(issuer.error().code == Errc::malformed && issuer.error().detail <= size);
    if (how % 8 != 0) return 0;
    const auto path = fuzz::file_with("issuer", bytes);
    const auto read = read_issuer_file(path);
    FUZZ_CHECK(read.has_value() == issuer.has_value());
    if (!read) {
        FUZZ_CHECK(read.error().code == Errc::file_damaged);
        return 0;
    }
    FUZZ_CHECK(*read == *issuer && replace_issuer_file(path, *issuer));
    FUZZ_CHECK(!create_issuer_file(path, *issuer) && read_issuer_file(path).value() == *issuer);
    return 0;
}
