// SPDX-License-Identifier: Apache-2.0
// tallycard-issuerd: the issuer's platform as a service. Exit codes: 0 stopped as it was asked to,
// 1 could not start, 64 usage.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>

#include <tallycard/store.hpp>

#include "../issuer/files.hpp"
#include "clients.hpp"
#include "opening.hpp"
#include "service.hpp"
#include "settings.hpp"

using namespace tallycard;
using namespace tallycard::service;

namespace {

constexpr int refused = 1, usage = 64;

struct Options {
    std::string config, folder, origin = "issuer", unit = "EUR", listen;
    unsigned exponent = 2;
    bool init = false, check = false, new_token = false;
};

int complain(const Error& error)
{
    std::fprintf(stderr, "tallycard-issuerd: %s\n", error.message().c_str());
    return refused;
}

// Where the store's server cannot be reached, its library says why.
int complain(const Error& error, const Settings& settings)
{
    if (error.code == Errc::store_unreachable)
        std::fprintf(stderr, "%s\n", explain_store(settings.store).c_str());
    return complain(error);
}

Result<Settings> settings_of(const Options& options)
{
    if (options.config.empty())
        return settings_of_folder(options.folder.empty() ? "issuer" : options.folder);
    const auto text = files::read(options.config, 65536);
    if (!text) {
        auto error = text.error();
        error.where = "configuration";
        return error;
    }
    return parse_settings(*text);
}

sigset_t handled_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, number);
    return signals;
}

// Until a signal says stop. SIGHUP: read clients and certificates again.
void obey_signals(Service& service, EventLog& log)
{
    const auto signals = handled_signals();
    for (;;) {
        int number = 0;
        ::sigwait(&signals, &number);
        if (number != SIGHUP) break;
        const auto reloaded = service.reload();
        if (reloaded) {
            log.write("reloaded");
        } else {
            log.write("not reloaded", {{"reason", reloaded.error().message()}});
        }
    }
    log.write("stopping");
    service.stop();
}

int serve(const Settings& settings)
{
    EventLog log(stderr);
    auto engine = open_engine(settings);
    if (!engine) return complain(engine.error(), settings);
    const auto* key = engine->checkpoint_key ? &*engine->checkpoint_key : nullptr;
    const auto service = Service::open(*engine->platform, key, settings.service, log);
    if (!service) return complain(service.error());
    log.write("serving", {{"origin", engine->platform->issuer().origin},
                          {"address", settings.service.server.address},
                          {"port", (*service)->port()}});
    std::thread signals([&] { obey_signals(**service, log); });
    (*service)->run();
    signals.join();
    log.write("stopped");
    return 0;
}

int run(const Options& options)
{
    if (options.new_token) {
        const auto token = make_token();
        std::printf("%s\ntoken-sha256 = %s\n", token.c_str(),
                    digest_of_token(token).to_string().c_str());
        return 0;
    }
    auto settings = settings_of(options);
    if (!settings) return complain(settings.error());
    if (!options.listen.empty()) {
        const auto listened = parse_settings("listen = " + options.listen + "\n");
        if (!listened) return complain(listened.error());
        settings->service.server.address = listened->service.server.address;
        settings->service.server.port = listened->service.server.port;
    }
    if (options.check) return 0;
    if (options.init) {
        const auto unit = Unit::parse(options.unit);
        if (!unit) return complain({.code = Errc::malformed, .where = "--unit (EUR, 978, 0x8001)"});
        const NewIssuer issuer{
            .origin = options.origin,
            .currency = {.unit = *unit, .exponent = static_cast<std::uint8_t>(options.exponent)}};
        if (const auto made = make_engine(*settings, issuer); !made)
            return complain(made.error(), *settings);
    }
    return serve(*settings);
}

void declare(CLI::App& app, Options& options)
{
    app.set_version_flag("--version", TALLYCARD_VERSION);
    auto* const config =
        app.add_option("-c,--config", options.config, "Configuration file (docs/service.md)");
    app.add_option("-i,--issuer", options.folder, "The issuer's folder, with the usual settings")
        ->excludes(config);
    app.add_option("--listen", options.listen, "ADDRESS:PORT instead of the configured one");
    app.add_flag("--init", options.init,
                 "Make what is missing first: issuer, keys, clients with tokens, a certificate for "
                 "loopback");
    app.add_option("--name", options.origin, "With --init: the issuer's name")
        ->capture_default_str();
    app.add_option("--unit", options.unit, "With --init: what cards hold")->capture_default_str();
    app.add_option("--exponent", options.exponent, "With --init: decimal digits")
        ->check(CLI::Range(0, 18))
        ->capture_default_str();
    app.add_flag("--check", options.check, "Read the configuration and do nothing");
    app.add_flag("--new-token", options.new_token,
                 "Print a new token, and the line of the clients' file for it");
}

}  // namespace

int main(int argc, char** argv)
try {
    // Before any thread: signals are for the one that waits for them. A peer that goes away is an
    // error of its connection, and a file that may not grow one of its write.
    const auto signals = handled_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    CLI::App app{"The issuer's platform as a service over HTTPS."};
    Options options;
    declare(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : usage;
    }
    return run(options);
} catch (const std::exception& error) {
    return std::fprintf(stderr, "tallycard-issuerd: %s\n", error.what()), refused;
}
