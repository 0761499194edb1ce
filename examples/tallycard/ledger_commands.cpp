// SPDX-License-Identifier: Apache-2.0
// ledger verify, checkpoint, key, prove, export.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <tallycard/ledger_verifier.hpp>
#include <tallycard/result_error.hpp>

#include "add_checkpoint.hpp"
#include "commands.hpp"
#ifdef TALLYCARD_WITH_HTTPS
#include "chain.hpp"
#endif
#include "keys.hpp"
#include "ledger_report.hpp"
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

constexpr unsigned most_threads = 256;

// Checking takes about 0.1 ms an entry: says so to whoever is watching.
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

std::string read_text(const std::string& path, const char* where)
{
    std::ifstream in(path, std::ios::binary);
    if (!in) raise(Error{.code = Errc::file_missing, .where = where});
    return {std::istreambuf_iterator<char>(in), {}};
}

// An earlier checkpoint that the ledger must continue, where one was given.
std::optional<Checkpoint> known_checkpoint(const Options& options, const IssuerDescription& issuer)
{
    if (options.known.empty()) return std::nullopt;
    const auto note = read_text(options.known, "--known");
    return Checkpoint::open_cosigned(note, issuer.origin, issuer.checkpoint_key).value();
}

// What witnesses have cosigned goes into an export: the file that is named, or the service's.
std::string cosigned_checkpoint(const Options& options)
{
    if (!options.cosigned.empty()) return read_text(options.cosigned, "--cosigned");
    const auto in_folder = IssuerFolder(options.issuer).cosigned_checkpoint();
    if (!std::filesystem::exists(in_folder)) return {};
    return read_text(in_folder, "checkpoint.cosigned in the issuer's folder");
}

std::optional<WitnessDemand> witness_demand(const Options& options)
{
    if (options.witness_policy.empty()) return std::nullopt;
    return WitnessDemand{.policy = WitnessPolicy::read(options.witness_policy).value(),
                         .most_unwitnessed = options.unwitnessed};
}

// What was found of an export, and of the chain where one is named.
Report verify_file(const Options& options, const std::string& file, const IssuerDescription& issuer)
{
    const auto known = known_checkpoint(options, issuer);
    const auto demand = witness_demand(options);
    const auto found = verify_ledger(file, issuer, known, demand, options.threads).value();
    auto report = verified(found, issuer.currency);
    if (found.witnessed && !found.fault) report_witnessed(report, found, demand->policy);
#ifdef TALLYCARD_WITH_HTTPS
    if (!options.chain_url.empty() && !found.fault)
        chain::verify(options, issuer.card_root, file, found, report);
#endif
    return report;
}

Report verify(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    announce(options.file.empty() ? options.issuer : options.file);
    if (!options.file.empty()) return verify_file(options, options.file, issuer);
    const auto platform = workplace::platform(options, Signing::no);
    const auto checkpoint = IssuerFolder(options.issuer).checkpoint();
    const bool was_there = std::filesystem::exists(checkpoint);  // the export writes it
    const Scratch scratch(options.issuer + "/ledger." + std::to_string(::getpid()));
    (void)platform
        ->export_ledger(scratch.path, checkpoint_key(options), cosigned_checkpoint(options))
        .value();
    auto report = verify_file(options, scratch.path, issuer);
    if (!was_there && platform->ledger_head().value().size > 0) report_missing(report, checkpoint);
    return report;
}

// What a witness is asked that knows so many entries: C2SP tlog-witness, add-checkpoint.
std::string witness_request(Platform& platform, const IssuerDescription& issuer,
                            const std::string& note, std::uint64_t known_size)
{
    const auto opened = Checkpoint::open(note, issuer.origin, issuer.checkpoint_key).value();
    AddCheckpoint request{.old_size = known_size, .proof = {}, .note = note};
    if (known_size > opened.head.size)
        raise(Error{.code = Errc::malformed, .where = "--known-size (larger than the ledger)"});
    if (known_size > 0)
        request.proof = platform.prove_consistency(known_size, opened.head.size).value();
    return request.to_text();
}

Report checkpoint(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    auto note = platform->checkpoint(checkpoint_key(options)).value();
    if (options.known_size)
        note = witness_request(*platform, platform->issuer(), note, *options.known_size);
    if (!note.empty() && note.back() == '\n') note.pop_back();
    return {note, {{"checkpoint", note + "\n"}}, exit_code::done};
}

Report public_key(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    const NoteKey key{
        .name = issuer.origin, .type = NoteKeyType::log, .key = issuer.checkpoint_key};
    return {key.to_string(), {{"key", key.to_string()}}, exit_code::done};
}

Report prove(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto proof = platform->prove(*options.entry).value();
    const auto leaf = merkle::leaf_hash(proof.entry.encode());
    Json path = Json::array();
    std::string text = "entry " + std::to_string(proof.index) + " of " +
                       std::to_string(proof.head.size) + "\nentry " + to_hex(proof.entry.encode()) +
                       "\nleaf " + leaf.to_string();
    for (const auto& digest : proof.path) {
        path.push_back(digest.to_string());
        text += "\npath " + digest.to_string();
    }
    Json json{{"entry", proof.index},
              {"tree_size", proof.head.size},
              {"object", to_hex(proof.entry.encode())},
              {"leaf", leaf.to_string()},
              {"path", path},
              {"root", proof.head.root.to_string()}};
    if (const auto* record = proof.entry.record()) {
        json["receipt"] = to_hex(record->receipt.encode());
        if (record->issuer_signature) {
            const FirstInstruction first{record->operation, *record->issuer_signature};
            json["first_instruction"] = to_hex(first.encode());
        }
    }
    return {text + "\nroot " + proof.head.root.to_string(), json, exit_code::done};
}

Report export_to(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto made =
        platform->export_ledger(options.file, checkpoint_key(options), cosigned_checkpoint(options))
            .value();
    return {counted(made.head.size, "entry") + " written to " + options.file,
            {{"file", options.file}, {"entries", made.head.size}},
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
#ifdef TALLYCARD_WITH_HTTPS
    chain::declare(check, options);
    check.get_option("--chain")->needs("--contract");
    check.add_option("--from-block", options.from_block,
                     "With --chain: no event of the contract is in an older block");
#endif
    const auto with_key = [&](CLI::App& added) {
        with::passphrase(added, options);
        with::checkpoint_key(added, options);
    };
    with_key(check);
    check.add_option("--witness-policy", options.witness_policy,
                     "Demand the cosignatures of this policy file (docs/witnesses.md)");
    check
        .add_option("--unwitnessed", options.unwitnessed,
                    "So many of the last entries may have no witness")
        ->capture_default_str();
    auto& note = command("checkpoint", "Sign what the ledger is now", checkpoint);
    with_key(note);
    note.add_option("--known-size", options.known_size,
                    "Make it a request to a witness that knows so many entries");
    command("key", "Print the public key of the checkpoints, as witnesses want it", public_key);
    command("prove", "Prove that an entry is in the ledger", prove)
        .add_option("entry", options.entry, "Number of the entry, from 0")
        ->check(CLI::NonNegativeNumber)
        ->required();
    auto& out = command("export", "Write the ledger for auditors", export_to);
    out.add_option("file", options.file, "Where to")->required();
    out.add_option("--cosigned", options.cosigned,
                   "A checkpoint with cosignatures; default: the service's, where there is one");
    with_key(out);
}
