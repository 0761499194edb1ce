// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdlib>
#include <utility>

namespace with {

// CLI11 would take the environment for each command that has the option, also after the one that
// was given: `-i` would lose against $TALLYCARD_ISSUER.
void environment(Options& options)
{
    for (const auto& [name, value] : {std::pair{"TALLYCARD_ISSUER", &options.issuer},
                                      {"TALLYCARD_STORE", &options.store},
                                      {"TALLYCARD_CA", &options.ca_file},
                                      {"TALLYCARD_TOKEN_FILE", &options.token_file},
                                      {"TALLYCARD_READER", &options.reader},
                                      {"TALLYCARD_TERMINAL", &options.terminal},
                                      {"TALLYCARD_JOURNAL", &options.journal}}) {
        const char* set = std::getenv(name);
        if (set != nullptr && *set != '\0') *value = set;
    }
}

void issuer(CLI::App& command, Options& options)
{
    command
        .add_option("-i,--issuer", options.issuer,
                    "The issuer's folder; its issuer.pub where nothing is signed or settled; or "
                    "https://HOST:PORT of its service ($TALLYCARD_ISSUER)")
        ->capture_default_str();
    command.add_option(
        "--store", options.store,
        "The issuer's store, where it is not store.db in its folder: another file, "
        "postgresql://HOST/DATABASE, or postgres:service=NAME; never with a password "
        "($TALLYCARD_STORE)");
    command.add_option("--ca", options.ca_file,
                       "Of a service: who vouches for it (PEM; $TALLYCARD_CA)");
    command.add_option("--token-file", options.token_file,
                       "Of a service: our token, in a file ($TALLYCARD_TOKEN_FILE)");
    command.add_option("--certificate", options.certificate_file,
                       "Of a service: our certificate (PEM), instead of a token");
    command.add_option("--key", options.key_file, "The key of --certificate (PEM)");
    command.add_option("--pinned", options.pinned,
                       "Of a service: refuse it unless it is the issuer of this issuer.pub");
}

void passphrase(CLI::App& command, Options& options)
{
    command.add_option("--passphrase-file", options.passphrase_file,
                       "Read the passphrase of the issuer's keys from this file (else a prompt)");
    command.add_option("--passphrase-fd", options.passphrase_fd,
                       "Read the passphrase from this file descriptor");
    command.add_option("--hsm-pin-file", options.hsm_pin_file,
                       "Read the PIN of a key's token (PKCS#11) from this file (else the URI's "
                       "pin-source, else a prompt)");
    command.add_option("--hsm-pin-fd", options.hsm_pin_fd,
                       "Read it from this file descriptor: one line for each key in a token");
}

namespace {

constexpr auto reference =
    ": a PKCS#11 URI (pkcs11:...), or a file; default: in the issuer's "
    "folder";

}  // namespace

void operation_key(CLI::App& command, Options& options)
{
    command
        .add_option(
            "--operation-key", options.operation_keys,
            std::string("An operation key, one for each that is still in a card") + reference)
        ->allow_extra_args(false);
}

void card_root(CLI::App& command, Options& options)
{
    command.add_option("--card-root", options.card_root,
                       std::string("The card root key") + reference);
}

void checkpoint_key(CLI::App& command, Options& options)
{
    command.add_option("--checkpoint-key", options.checkpoint_key,
                       std::string("The checkpoint key") + reference);
}

void account_key(CLI::App& command, Options& options)
{
    command.add_option("--account-key", options.account_key,
                       "The account's key, its owner's: a PKCS#11 URI (pkcs11:...), or a file");
}

void reader(CLI::App& command, Options& options)
{
    command.add_option(
        "-r,--reader", options.reader,
        "Reader by name or index (see 'readers'), also as pcsc:NAME; loopback:IMAGE, a "
        "virtual card in this process; fault:PLAN,READER, which fails as planned; "
        "trace:FILE,READER, recorded in a new file; replay:FILE, a record played "
        "again; default: the one with a card ($TALLYCARD_READER)");
    command.add_option("-w,--wait", options.wait_seconds, "Wait this many seconds for a card")
        ->check(CLI::Range(0, 86400))
        ->capture_default_str();
}

void pin(CLI::App& command, Options& options)
{
    command.add_flag(
        "--pin", options.ask_pin,
        "Give the card its PIN, typed at the reader if it has a keypad, else at a prompt");
    command.add_option("--pin-fd", options.pin_fd, "Read the PIN from this file descriptor");
}

void operation(CLI::App& command, Options& options)
{
    command.add_option("--id", options.id,
                       "Id of the operation, 32 hex digits: asking twice is asking once; default: "
                       "a new one, shown when in doubt and with --json");
    command
        .add_option("-t,--terminal", options.terminal,
                    "This terminal's name: whose cash moves ($TALLYCARD_TERMINAL)")
        ->capture_default_str();
}

void amount(CLI::App& command, Options& options)
{
    command.add_option("amount", options.amount, "Amount, as people write it: 50.00")->required();
}

void journal(CLI::App& command, Options& options)
{
    command
        .add_option("-j,--journal", options.journal,
                    "File of this terminal's operations ($TALLYCARD_JOURNAL)")
        ->capture_default_str();
}

}  // namespace with
