// SPDX-License-Identifier: Apache-2.0
// A program of somebody who uses the library: it links, runs, and meets an honest error.
#include <cstdio>

#include <tallycard/issuer_description.hpp>
#include <tallycard/verify.hpp>

int main()
{
    const auto safe = tallycard::self_test();
    if (!safe) return std::puts(safe.error().message().c_str()), 1;
    const auto issuer = tallycard::read_issuer_file("no-such-file");
    if (issuer || issuer.error().code != tallycard::Errc::file_missing) return 1;
    std::puts("consumer: fine");
    return 0;
}
