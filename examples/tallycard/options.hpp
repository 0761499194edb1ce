// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

// What the user asked for: filled by CLI11, read by the commands.
struct Options {
    // Where.
    std::string issuer = "issuer";  // a folder that 'issuer init' made, or an issuer.pub alone
    std::string reader;             // see open_reader_driver(); empty: the one with a card
    std::string second_reader;
    std::string terminal = "terminal-1";
    std::string journal = "terminal.journal";
    int wait_seconds = 0;
    bool json = false;

    // Secrets come from a prompt or a descriptor.
    bool ask_pin = false;
    std::optional<int> pin_fd, new_pin_fd, passphrase_fd;
    std::string passphrase_file, transport_key_file;

    // What.
    std::string id, amount, account, file, known, instruction, card, origin, unit = "EUR";
    unsigned exponent = 2;
    std::string max_balance, max_amount, pin_above, offline_total;
    unsigned offline_payments = 10;
    bool private_balance = false, without_pin = false, from_account = false, watch = false;
    std::optional<std::uint64_t> entry;
};

// The options that several commands share, each declared in one place.
namespace with {
void issuer(CLI::App& command, Options& options);
void passphrase(CLI::App& command, Options& options);
void reader(CLI::App& command, Options& options);
void pin(CLI::App& command, Options& options);
void operation(CLI::App& command, Options& options);  // --id and --terminal
void amount(CLI::App& command, Options& options);
void journal(CLI::App& command, Options& options);
}  // namespace with
