// SPDX-License-Identifier: Apache-2.0
// Audits an exported ledger with public keys alone. Usage: verify_ledger ISSUER.PUB LEDGER
#include <cstdio>

#include <tallycard/issuer_description.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/result_error.hpp>

namespace {

int audit(const char* issuer_file, const char* ledger_file)
{
    const auto issuer = tallycard::read_issuer_file(issuer_file).value();
    const auto found = tallycard::verify_ledger(ledger_file, issuer).value();
    if (found.fault) {
        std::fprintf(stderr, "line %llu: %s\n", static_cast<unsigned long long>(found.fault->line),
                     found.fault->what.c_str());
        return 1;
    }
    std::printf("%llu entries, %llu cards: right\n", static_cast<unsigned long long>(found.entries),
                static_cast<unsigned long long>(found.cards));
    return 0;
}

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 3) return std::fputs("usage: verify_ledger ISSUER.PUB LEDGER\n", stderr), 64;
    return audit(argv[1], argv[2]);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
