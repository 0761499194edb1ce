// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "options.hpp"
#include "report.hpp"

// The program: its options, and the command that was chosen. Each add_… below declares commands of
// one kind; choosing one sets `run`.
struct Program {
    CLI::App app{"Stored-value chip cards over PC/SC: issue, top up, pay, settle, audit."};
    Options options;
    std::function<Report(const Options&)> run;

    CLI::App& command(CLI::App& parent, const char* name, const char* help,
                      std::function<Report(const Options&)> function)
    {
        auto& added = *parent.add_subcommand(name, help);
        added.add_flag("--json", options.json, "Print JSON, one object on one line");
        added.callback([this, &added, function = std::move(function)] {
            if (added.get_subcommands().empty()) run = function;  // else theirs, which ran first
        });
        return added;
    }
    CLI::App& command(const char* name, const char* help,
                      std::function<Report(const Options&)> function)
    {
        return command(app, name, help, std::move(function));
    }
};

void add_issuer_commands(Program& program);
// `issuer`: the command that those for its keys stand under.
void add_key_commands(Program& program, CLI::App& issuer);
// `issuer`: likewise, for those that the issuer gives alone.
void add_account_commands(Program& program, CLI::App& issuer);
void add_reader_commands(Program& program);
void add_card_commands(Program& program);
void add_value_commands(Program& program);
void add_payment_commands(Program& program);
void add_administration_commands(Program& program);
void add_ledger_commands(Program& program);
void add_statement_commands(Program& program);
void add_store_commands(Program& program);
