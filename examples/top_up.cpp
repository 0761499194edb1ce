// SPDX-License-Identifier: Apache-2.0
// Adds 50.00 to the card on the first reader. Usage: top_up ISSUER-FOLDER < passphrase
#include <array>
#include <cstdio>
#include <iostream>
#include <random>
#include <string>

#include <tallycard/key_file.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/terminal.hpp>

namespace {

int top_up(const std::string& folder, tallycard::Amount amount)
{
    std::string typed;
    std::getline(std::cin, typed);
    const auto passphrase = tallycard::Passphrase::take(typed).value();
    auto issuer = tallycard::read_issuer_file(folder + "/issuer.pub").value();
    auto platform =
        tallycard::Platform::open(
            tallycard::open_sqlite_store(folder + "/store.db").value(),
            {.issuer = issuer,
             .signers =
                 {tallycard::open_operation_key(folder + "/operation.key", passphrase).value()},
             .checkpoint_file = folder + "/checkpoint"})
            .value();

    const auto readers = tallycard::open_pcsc().value();
    const auto names = readers->list().value();
    if (names.empty()) return std::fputs("no reader is connected\n", stderr), 1;
    const auto card = readers->open(names[0]).value()->connect(tallycard::Sharing::shared).value();

    // Keep the id: after a crash, asking with it again never tops up twice.
    std::array<std::uint8_t, 16> random;
    for (std::random_device source; auto& byte : random) byte = static_cast<std::uint8_t>(source());
    tallycard::Terminal terminal(
        *platform, {.card_root = issuer.card_root, .name = *tallycard::AccountId::parse("till-1")});
    const auto outcome = terminal.top_up(*card, tallycard::OperationId(random), amount);

    if (const auto* done = std::get_if<tallycard::Applied>(&outcome))
        return std::puts(to_string(done->receipt.result.balance, issuer.currency).c_str()), 0;
    if (const auto* refused = std::get_if<tallycard::NotApplied>(&outcome))
        return std::fprintf(stderr, "%s\n", refused->reason.message().c_str()), 1;
    return std::fputs("in doubt: present the card again, same id\n", stderr), 2;
}

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 2) return std::fputs("usage: top_up ISSUER-FOLDER < passphrase\n", stderr), 64;
    return top_up(argv[1], tallycard::Amount::minor_units(5000));
} catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
