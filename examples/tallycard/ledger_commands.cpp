// SPDX-License-Identifier: Apache-2.0
// ledger verify, checkpoint, prove, export.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <tallycard/ledger_verifier.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "keys.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::IssuerFolder;
using workplace::Signing;

namespace {

CheckpointKey checkpoint_key(const Options& options)
{
    keys::Secrets secrets(options);
    return keys::open_checkpoint_key(
        workplace::key_or(options.checkpoint_key, IssuerFolder(options.issuer).checkpoint_key(),
                          "checkpoint.key in the issuer's folder"),
        secrets);
}

Report verified(const LedgerReport& found, const Currency& currency)
{
    const auto units = [&](std::int64_t n) {
        return amount_json(Amount::minor_units(n), currency);
    };
    Json json{{"valid", !found.fault},
              {"cards", found.cards},
              {"records", found.records},
              {"accounts", found.accounts},
              {"on_cards", units(found.on_cards)},
              {"in_accounts", units(found.in_accounts)},
              {"cash", units(found.cash)},
              {"root", found.checkpoint.head.root.to_string()}};
    if (!found.fault) {
        const auto text = [&](std::int64_t n) {
            return to_string(Amount::minor_units(n), currency);
        };
        return {"the ledger is right: " + std::to_string(found.records) + " records of " +
                    std::to_string(found.cards) + " cards; " + text(found.on_cards) +
                    " on cards, " + text(found.in_accounts) + " in accounts, " + text(found.cash) +
                    " cash; root " + found.checkpoint.head.root.to_string(),
                json, exit_code::done};
    }
    const auto& fault = *found.fault;
    std::string text = "the ledger is wrong: line " + std::to_string(fault.line);
    json["fault"] = {{"line", fault.line}, {"what", fault.what}};
    if (fault.card) {
        text +=
            ", card " + fault.card->to_string() + ", sequence " + std::to_string(fault.sequence);
        json["fault"]["card"] = fault.card->to_string();
        json["fault"]["sequence"] = fault.sequence;
    }
    return {text + ": " + fault.what, json, exit_code::refused};
}

constexpr unsigned most_threads = 256;

// Checking takes about 0.1 ms a record: says so to whoever is watching.
void announce(const std::string& file)
{
    if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "checking %s ...\n", file.c_str());
}

// A file of the name that is gone when this is.
struct Scratch {
    explicit Scratch(std::string name) : path(std::move(name)) { std::filesystem::remove(path); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch()
    {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    std::string path;
};

// An earlier checkpoint that the ledger must continue, where one was given.
std::optional<Checkpoint> known_checkpoint(const Options& options, const IssuerDescription& issuer)
{
    if (options.known.empty()) return std::nullopt;
    std::ifstream in(options.known, std::ios::binary);
    if (!in) raise(Error{.code = Errc::file_missing, .where = "--known"});
    const std::string note{std::istreambuf_iterator<char>(in), {}};
    return Checkpoint::open(note, issuer.origin, issuer.checkpoint_key).value();
}

// Nothing outside the store said how far the ledger had come: that it is the newest one is not
// known. The first time that is as it has to be.
void report_missing(Report& report, const std::string& checkpoint)
{
    report.json["checkpoint_missing"] = true;
    report.text += "\nnote: there was no " + checkpoint +
                   ", so that an old copy of the store would not have been noticed; there is one "
                   "now. If an earlier one was lost, check again with --known and its published "
                   "copy";
}

Report verify(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    const auto known = known_checkpoint(options, issuer);
    announce(options.file.empty() ? options.issuer : options.file);
    const auto check = [&](const std::string& file) {
        const auto found = verify_ledger(file, issuer, known, options.threads).value();
        return verified(found, issuer.currency);
    };
    if (!options.file.empty()) return check(options.file);
    const auto platform = workplace::platform(options, Signing::no);
    const auto checkpoint = IssuerFolder(options.issuer).checkpoint();
    const bool was_there = std::filesystem::exists(checkpoint);  // the export writes it
    const Scratch scratch(options.issuer + "/ledger." + std::to_string(::getpid()));
    (void)platform->export_ledger(scratch.path, checkpoint_key(options)).value();
    auto report = check(scratch.path);
    if (!was_there && platform->ledger_head().value().size > 0) report_missing(report, checkpoint);
    return report;
}

Report checkpoint(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    auto note = platform->checkpoint(checkpoint_key(options)).value();
    if (!note.empty() && note.back() == '\n') note.pop_back();
    return {note, {{"checkpoint", note + "\n"}}, exit_code::done};
}

Report prove(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto proof = platform->prove(*options.entry).value();
    const auto leaf = merkle::leaf_hash(proof.record.encode());
    Json path = Json::array();
    std::string text = "entry " + std::to_string(proof.index) + " of " +
                       std::to_string(proof.head.size) + "\nrecord " +
                       to_hex(proof.record.encode()) + "\nleaf " + leaf.to_string();
    for (const auto& digest : proof.path) {
        path.push_back(digest.to_string());
        text += "\npath " + digest.to_string();
    }
    Json json{{"entry", proof.index},
              {"tree_size", proof.head.size},
              {"record", to_hex(proof.record.encode())},
              {"leaf", leaf.to_string()},
              {"path", path},
              {"root", proof.head.root.to_string()},
              {"receipt", to_hex(proof.record.receipt.encode())}};
    if (proof.record.issuer_signature) {
        const FirstInstruction first{proof.record.operation, *proof.record.issuer_signature};
        json["first_instruction"] = to_hex(first.encode());
    }
    return {text + "\nroot " + proof.head.root.to_string(), json, exit_code::done};
}

Report export_to(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto made = platform->export_ledger(options.file, checkpoint_key(options)).value();
    return {std::to_string(made.head.size) + " records written to " + options.file,
            {{"file", options.file}, {"records", made.head.size}},
            exit_code::done};
}

}  // namespace

void add_ledger_commands(Program& program)
{
    auto& options = program.options;
    auto& ledger = *program.app.add_subcommand("ledger", "Audit: what settled, provably");
    ledger.require_subcommand(1);
    const auto command = [&](const char* name, const char* help,
                             std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = program.command(ledger, name, help, std::move(run));
        with::issuer(added, options);
        return added;
    };

    auto& check = command("verify", "Check an exported ledger with public keys alone", verify);
    check.add_option("file", options.file, "The export; default: the issuer's books as they are");
    check.add_option("--known", options.known,
                     "An earlier checkpoint that the ledger must continue");
    check
        .add_option("--threads", options.threads,
                    "How many check signatures; default: as many as there are processors")
        ->check(CLI::Range(1U, most_threads));
    const auto with_key = [&](CLI::App& added) {
        with::passphrase(added, options);
        with::checkpoint_key(added, options);
    };
    with_key(check);
    with_key(command("checkpoint", "Sign what the ledger is now", checkpoint));
    command("prove", "Prove that an entry is in the ledger", prove)
        .add_option("entry", options.entry, "Number of the entry, from 0")
        ->check(CLI::NonNegativeNumber)
        ->required();
    auto& out = command("export", "Write the ledger for auditors", export_to);
    out.add_option("file", options.file, "Where to")->required();
    with_key(out);
}
