// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

// What the user asked for: filled by CLI11, read by the commands.
struct Options {
    // Where.
    // A folder that 'issuer init' made, an issuer.pub alone, or the URL of a service.
    std::string issuer = "issuer";
    std::string ca_file, token_file, certificate_file, key_file, pinned;  // for a service
    std::string store;   // see open_store(); empty: the file in the issuer's folder
    std::string reader;  // see open_reader_driver(); empty: the one with a card
    std::string second_reader;
    std::string terminal = "terminal-1";
    std::string journal = "terminal.journal";
    int wait_seconds = 0;
    bool json = false;

    // Secrets come from a prompt or a descriptor.
    bool ask_pin = false, ask_receiver_pin = false;
    std::optional<int> pin_fd, receiver_pin_fd, new_pin_fd, passphrase_fd;
    std::string passphrase_file, transport_key_file;
    std::string hsm_pin_file;
    std::optional<int> hsm_pin_fd;

    // Where keys are, other than in the issuer's folder: see keys.hpp.
    std::vector<std::string> operation_keys;
    std::string card_root, checkpoint_key;

    // What.
    std::string from, to;  // stores
    std::string receiver;  // a card id
    std::string id, amount, account, file, known, instruction, card, origin, unit = "EUR";
    unsigned exponent = 2;
    unsigned threads = 0;  // 0: as many as there are processors
    std::string max_balance, max_amount, pin_above, offline_total;
    unsigned offline_payments = 10;
    std::string account_key, new_account_key, reference, outside, payment;
    std::string signed_order, owner_signature;
    std::string at_terminal, since, until, entry_kind, least, most, format;  // of a statement
    std::size_t limit = 0;                                                   // 0: all
    bool local_time = false;
    std::string deny_list;  // a file
    std::optional<unsigned> deny_list_hours;
    bool forfeit = false;  // the balance of a card that is terminated
    bool another = false;  // payment, though one of the same amount was in doubt
    bool sign_only = false, everything = false;
    bool private_balance = false, without_pin = false, from_account = false, watch = false;
    std::optional<std::uint64_t> entry;
    std::string witness_policy, cosigned;  // of the ledger
    std::uint64_t unwitnessed = 0;
    std::optional<std::uint64_t> known_size;

    // The ledger on a chain.
    std::string chain_url, signer_url, chain_ca_file, chain_token_file;
    std::string contract, chain_account, chain_writer;
    std::optional<std::uint64_t> chain_id;
    std::uint64_t from_block = 0;
    unsigned chain_wait_seconds = 120;
    bool revoke = false;
};

// The options that several commands share, each declared in one place.
namespace with {
void environment(Options& options);  // what it says, before the command line is read
void issuer(CLI::App& command, Options& options);
void passphrase(CLI::App& command, Options& options);
void operation_key(CLI::App& command, Options& options);
void card_root(CLI::App& command, Options& options);
void checkpoint_key(CLI::App& command, Options& options);
void account_key(CLI::App& command, Options& options);
void reader(CLI::App& command, Options& options);
void pin(CLI::App& command, Options& options);
void operation(CLI::App& command, Options& options);  // --id and --terminal
void amount(CLI::App& command, Options& options);
void journal(CLI::App& command, Options& options);
}  // namespace with
