// SPDX-License-Identifier: Apache-2.0
// Takes 12.30 off the card on the first reader, offline, and prints the signed receipt.
// Usage: pay ISSUER.PUB PAYEE
#include <array>
#include <cstdio>
#include <random>
#include <string>

#include <tallycard/issuer_description.hpp>
#include <tallycard/offline_issuer.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/terminal.hpp>

namespace {

int pay(const std::string& issuer_file, const tallycard::AccountId& payee)
{
    const auto issuer = tallycard::read_issuer_file(issuer_file).value();
    const auto readers = tallycard::open_pcsc().value();
    const auto names = readers->list().value();
    if (names.empty()) return std::fputs("no reader is connected\n", stderr), 1;
    const auto card = readers->open(names[0]).value()->connect(tallycard::Sharing::shared).value();

    std::array<std::uint8_t, 16> random;
    for (std::random_device source; auto& byte : random) byte = static_cast<std::uint8_t>(source());
    tallycard::OfflineIssuer nobody;
    tallycard::Terminal terminal(
        nobody, {.card_root = issuer.card_root, .name = *tallycard::AccountId::parse("till-1")});
    const auto outcome = terminal.pay(*card, tallycard::OperationId(random),
                                      tallycard::Amount::minor_units(1230), payee);

    // The goods may be handed out now; operation and receipt go to the issuer when there is a way.
    if (const auto* done = std::get_if<tallycard::Applied>(&outcome)) {
        std::printf("%s\n%s\n", tallycard::to_hex(done->operation.encode()).c_str(),
                    tallycard::to_hex(done->receipt.encode()).c_str());
        return 0;
    }
    if (const auto* refused = std::get_if<tallycard::NotApplied>(&outcome))
        return std::fprintf(stderr, "%s\n", refused->reason.message().c_str()), 1;
    return std::fputs("in doubt: present the card again, same id\n", stderr), 2;
}

}  // namespace

int main(int argc, char** argv)
try {
    const auto payee = argc == 3 ? tallycard::AccountId::parse(argv[2]) : std::nullopt;
    if (!payee) return std::fputs("usage: pay ISSUER.PUB PAYEE\n", stderr), 64;
    return pay(argv[1], *payee);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
