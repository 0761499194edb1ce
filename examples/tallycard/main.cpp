// SPDX-License-Identifier: Apache-2.0
// The tallycard tool: every business operation of the library from the command line. Exit codes: 0
// done, 1 refused (nothing changed), 2 in doubt (it says how to resolve it), 64 usage.
#include <tallycard/result_error.hpp>

#include <cstdio>
#include <exception>

#include "commands.hpp"
#ifdef TALLYCARD_WITH_HTTPS
#include "chain.hpp"
#endif

namespace {

int usage(const CLI::App& app, const CLI::ParseError& error)
{
    return app.exit(error) == 0 ? exit_code::done : exit_code::usage;
}

Report run(const Program& program)
{
    try {
        return program.run(program.options);
    } catch (const tallycard::ResultError& error) {
        // Asked again, and got nowhere: what the first call did is not undone by that.
        const auto& id = program.options.id;
        const auto code = error.error.code;
        const bool is_typing_error = code == tallycard::Errc::malformed ||
                                     code == tallycard::Errc::file_malformed ||
                                     code == tallycard::Errc::bad_amount;
        const bool was_asked = !is_typing_error && tallycard::OperationId::parse(id);
        return was_asked ? still_in_doubt(error.error, id) : report_of(error.error);
    } catch (const std::exception& error) {
        return {std::string("tallycard: ") + error.what(),
                {{"outcome", "not_applied"},
                 {"error", {{"code", "failed"}, {"message", error.what()}}}},
                exit_code::refused};
    }
}

}  // namespace

int main(int argc, char** argv)
try {
    Program program;
    with::environment(program.options);
    program.app.require_subcommand(1);
    program.app.set_version_flag("--version", TALLYCARD_VERSION);
    add_issuer_commands(program);
    add_reader_commands(program);
    add_card_commands(program);
    add_value_commands(program);
    add_payment_commands(program);
    add_administration_commands(program);
    add_ledger_commands(program);
    add_statement_commands(program);
    add_store_commands(program);
#ifdef TALLYCARD_WITH_HTTPS
    add_chain_commands(program);
#endif

    try {
        program.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return usage(program.app, error);
    }
    const auto report = run(program);
    print(report, program.options.json);
    return report.exit;
} catch (const std::exception& error) {
    return std::fprintf(stderr, "tallycard: %s\n", error.what()), exit_code::refused;
}
