// SPDX-License-Identifier: Apache-2.0
// store copy.
#include <tallycard/result_error.hpp>
#include <tallycard/store_copy.hpp>

#include "commands.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

// A new store, or one that is there: whether that one is empty is for copy_store() to see.
std::unique_ptr<Store> create_or_open(const std::string& place)
{
    auto created = create_store(place);
    if (created || created.error().code != Errc::file_exists)
        return workplace::reached(std::move(created), place);
    return workplace::open_store_at(place);
}

Report copy(const Options& options)
{
    const auto from = workplace::open_store_at(options.from);
    const auto to = create_or_open(options.to);
    const auto sum = copy_store(*from, *to).value();
    return {"copied: " + counted(sum.head.size, "entry") + " of " + counted(sum.cards, "card") +
                "; root " + sum.head.root.to_string() +
                "\nBoth hold the same, row by row: " + sum.rows.to_string() +
                "\nFrom now on use the copy, and only the copy: put the original away.",
            {{"entries", sum.head.size},
             {"cards", sum.cards},
             {"operations", sum.operations},
             {"accounts", sum.accounts},
             {"kept", sum.kept},
             {"evidence", sum.evidence},
             {"root", sum.head.root.to_string()},
             {"rows", sum.rows.to_string()}},
            exit_code::done};
}

}  // namespace

void add_store_commands(Program& program)
{
    auto& options = program.options;
    auto& store = *program.app.add_subcommand("store", "Where the issuer's books are kept");
    store.require_subcommand(1);
    auto& copying = program.command(
        store, "copy", "Copy all of a store into an empty one, and prove that it is the same",
        copy);
    const std::string places =
        "a file, postgresql://HOST/DATABASE, or postgres:service=NAME; never with a password";
    copying.add_option("from", options.from, "From: " + places)->required();
    copying.add_option("to", options.to, "To: likewise; made where it is not there")->required();
}
