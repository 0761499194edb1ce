// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

namespace with {

void issuer(CLI::App& command, Options& options)
{
    command
        .add_option("-i,--issuer", options.issuer,
                    "The issuer's folder, or its issuer.pub where nothing is signed or settled")
        ->envname("TALLYCARD_ISSUER")
        ->capture_default_str();
}

void passphrase(CLI::App& command, Options& options)
{
    command.add_option("--passphrase-file", options.passphrase_file,
                       "Read the passphrase of the issuer's keys from this file (else a prompt)");
    command.add_option("--passphrase-fd", options.passphrase_fd,
                       "Read the passphrase from this file descriptor");
}

void reader(CLI::App& command, Options& options)
{
    command
        .add_option("-r,--reader", options.reader,
                    "Reader by name or index (see 'readers'), also as pcsc:NAME; loopback:IMAGE, a "
                    "virtual card in this process; fault:PLAN,READER, which fails as planned; "
                    "trace:FILE,READER, recorded in a new file; replay:FILE, a record played "
                    "again; default: the one with a card")
        ->envname("TALLYCARD_READER");
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
    command.add_option("-t,--terminal", options.terminal, "This terminal's name: whose cash moves")
        ->envname("TALLYCARD_TERMINAL")
        ->capture_default_str();
}

void amount(CLI::App& command, Options& options)
{
    command.add_option("amount", options.amount, "Amount, as people write it: 50.00")->required();
}

void journal(CLI::App& command, Options& options)
{
    command.add_option("-j,--journal", options.journal, "File of this terminal's operations")
        ->envname("TALLYCARD_JOURNAL")
        ->capture_default_str();
}

}  // namespace with
