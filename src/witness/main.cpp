// SPDX-License-Identifier: Apache-2.0
// tallycard-witness: cosigns the checkpoints of logs. Exit codes: 0 done, 1 refused or could not
// start, 2 in doubt, 64 usage.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>

#include "../issuer/add_checkpoint.hpp"
#include "../service/https_server.hpp"
#include "../service/settings.hpp"
#include "folder.hpp"
#include "serving.hpp"

using namespace tallycard;
using namespace tallycard::witness;

namespace {

constexpr int refused = 1, in_doubt = 2, usage = 64;

struct Options {
    std::string folder = "witness", name, passphrase_file, request = "-";
    std::string listen = "127.0.0.1:8444", certificate, key;
    std::vector<std::string> logs;
};

int complain(const Error& error)
{
    std::fprintf(stderr, "tallycard-witness: %s\n", error.message().c_str());
    return refused;
}

std::string or_in_folder(const std::string& given, const std::string& in_folder)
{
    return given.empty() ? in_folder : given;
}

std::uint64_t now()
{
    using namespace std::chrono;
    const auto since = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0));
}

Result<std::unique_ptr<Witness>> open_witness(const Options& options)
{
    const Folder folder(options.folder);
    auto key = open_key(folder, or_in_folder(options.passphrase_file, folder.passphrase()));
    if (!key) return key.error();
    auto logs = read_logs(folder);
    if (!logs) return logs.error();
    auto state = State::open(folder.state());
    if (!state) return state.error();
    return std::make_unique<Witness>(std::move(*key), std::move(*logs), std::move(*state), now);
}

int init(const Options& options)
{
    std::vector<NoteKey> logs;
    for (const auto& text : options.logs) {
        auto key = NoteKey::parse(text);
        if (!key || key->type != NoteKeyType::log) {
            return complain({.code = Errc::malformed,
                             .where = "--log (NAME+ID+KEY, as 'tallycard ledger key' prints it)"});
        }
        logs.push_back(std::move(*key));
    }
    const Folder folder(options.folder);
    const auto made = make_folder(folder, options.name, logs,
                                  or_in_folder(options.passphrase_file, folder.passphrase()));
    if (!made) return complain(made.error());
    std::printf("%s\n", made->to_string().c_str());
    return 0;
}

int show(const Options& options)
{
    const Folder folder(options.folder);
    const auto key = read_public_key(folder);
    if (!key) return complain(key.error());
    const auto logs = read_logs(folder);
    if (!logs) return complain(logs.error());
    std::printf("%s\n", key->to_string().c_str());
    for (const auto& log : *logs) {
        const auto newest = newest_in(folder.state(), log.name);
        if (!newest) return complain(newest.error());
        if (*newest) {
            std::printf("%s: cosigned up to %llu, root %s\n", log.name.c_str(),
                        static_cast<unsigned long long>((*newest)->size),
                        (*newest)->root.to_string().c_str());
        } else {
            std::printf("%s: nothing cosigned yet\n", log.name.c_str());
        }
    }
    return 0;
}

// Why nothing was signed, for people, and what helps.
std::string reason_of(const Answer& answer)
{
    const auto size = std::to_string(answer.size);
    const auto about = answer.origin + ": ";
    switch (answer.verdict) {
    case Verdict::cosigned: break;
    case Verdict::malformed: return answer.error.message();
    case Verdict::unknown_log:
        return about + "not among the logs of this witness; add its key to the file 'logs'";
    case Verdict::not_signed:
        return about + "none of this log's keys signed the checkpoint; see the file 'logs'";
    case Verdict::other_size:
        return about + "this witness knows " + size +
               " entries: the request has to begin with 'old " + size + "', and the proof there";
    case Verdict::forked:
        return about + "FORK: this log signed another tree of " + size +
               " entries; keep the request as evidence, and talk to the other witnesses";
    case Verdict::inconsistent:
        return about + "the proof does not lead from the " + size +
               " entries that are known to this checkpoint: a wrong proof, or a fork; keep the "
               "request as evidence";
    case Verdict::failed:
        return answer.error.message() +
               "; nothing was signed, and it may be recorded all the same: see 'show', and ask "
               "again";
    }
    return {};
}

int explain(const Answer& answer)
{
    if (answer.verdict == Verdict::cosigned) return 0;
    std::fprintf(stderr, "tallycard-witness: %s\n", reason_of(answer).c_str());
    return answer.verdict == Verdict::failed ? in_doubt : refused;
}

int sign(const Options& options)
{
    std::ifstream file;
    if (options.request != "-") {
        file.open(options.request, std::ios::binary);
        if (!file) return complain({.code = Errc::file_missing, .where = "request"});
    }
    std::istream& in = options.request == "-" ? std::cin : file;
    std::string request(AddCheckpoint::longest + 1, '\0');
    in.read(request.data(), static_cast<std::streamsize>(request.size()));
    request.resize(static_cast<std::size_t>(in.gcount()));
    const auto witness = open_witness(options);
    if (!witness) return complain(witness.error());
    const auto answer = (*witness)->add_checkpoint(request);
    std::fputs(answer.lines.c_str(), stdout);
    return explain(answer);
}

sigset_t handled_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, number);
    return signals;
}

// Until a signal says stop. SIGHUP: read the logs and the certificate again.
void obey_signals(service::HttpsServer& server, Witness& witness, const Folder& folder,
                  const service::tls::Files& files, service::EventLog& log)
{
    const auto signals = handled_signals();
    for (;;) {
        int number = 0;
        ::sigwait(&signals, &number);
        if (number != SIGHUP) break;
        auto logs = read_logs(folder);
        auto context = service::tls::open(files);
        if (logs && context) {
            witness.replace_logs(std::move(*logs));
            server.replace(std::move(*context));
            log.write("reloaded");
        } else {
            const auto& error = logs ? context.error() : logs.error();
            log.write("not reloaded", {{"reason", error.message()}});
        }
    }
    log.write("stopping");
    server.stop();
}

int serve(const Options& options)
{
    auto listened = service::parse_settings("listen = " + options.listen + "\n");
    if (!listened) return complain(listened.error());
    auto settings = listened->service.server;
    settings.longest_body = AddCheckpoint::longest;
    settings.content_type.clear();
    const Folder folder(options.folder);
    const service::tls::Files files{
        .certificate = or_in_folder(options.certificate, folder.certificate()),
        .key = or_in_folder(options.key, folder.certificate_key()),
        .client_authority = {}};
    const auto witness = open_witness(options);
    if (!witness) return complain(witness.error());
    auto context = service::tls::open(files);
    if (!context) return complain(context.error());
    service::EventLog log(stderr);
    Serving serving(**witness, log);
    const auto server = service::HttpsServer::bind(settings, std::move(*context), serving);
    if (!server) return complain(server.error());
    log.write("serving", {{"witness", (*witness)->verifier().to_string()},
                          {"address", settings.address},
                          {"port", (*server)->port()}});
    std::thread signals([&] { obey_signals(**server, **witness, folder, files, log); });
    (*server)->run();
    signals.join();
    log.write("stopped");
    return 0;
}

using Command = int (*)(const Options&);

CLI::App& add(CLI::App& app, Options& options, Command& chosen, const char* name, const char* help,
              Command command)
{
    auto& added = *app.add_subcommand(name, help);
    added.add_option("-f,--folder", options.folder, "The witness's folder")->capture_default_str();
    added.callback([&chosen, command] { chosen = command; });
    return added;
}

void declare(CLI::App& app, Options& options, Command& chosen)
{
    app.set_version_flag("--version", TALLYCARD_VERSION);
    app.require_subcommand(1);
    const auto with_passphrase = [&](CLI::App& command) {
        command.add_option("--passphrase-file", options.passphrase_file,
                           "Its first line opens the key; default: in the folder");
    };
    auto& making =
        add(app, options, chosen, "init", "Make a witness, and print its public key", init);
    making.add_option("--name", options.name, "Its name: as a URL without https://")->required();
    making.add_option("--log", options.logs, "Public key of a log whose checkpoints it cosigns");
    with_passphrase(making);
    add(app, options, chosen, "show", "Print its public key, and what it cosigned last", show);
    auto& once = add(app, options, chosen, "sign",
                     "Cosign one checkpoint: a request in, a signature line out", sign);
    once.add_option("request", options.request, "File of the request (C2SP tlog-witness); -: stdin")
        ->capture_default_str();
    with_passphrase(once);
    auto& server =
        add(app, options, chosen, "serve", "Cosign over HTTPS (C2SP tlog-witness)", serve);
    server.add_option("--listen", options.listen, "ADDRESS:PORT")->capture_default_str();
    server.add_option("--certificate", options.certificate,
                      "PEM, with its chain; default: the one for loopback in the folder");
    server.add_option("--key", options.key, "Of the certificate");
    with_passphrase(server);
}

}  // namespace

int main(int argc, char** argv)
try {
    // Before any thread: signals are for the one that waits for them.
    const auto signals = handled_signals();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    CLI::App app{"A witness of transparency logs: cosigns checkpoints that continue what it saw."};
    Options options;
    Command chosen = nullptr;
    declare(app, options, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : usage;
    }
    if (chosen == serve) ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return chosen(options);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "tallycard-witness: %s\n", error.what()), refused;
}
