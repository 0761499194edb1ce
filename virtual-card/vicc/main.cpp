// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <system_error>

#include <tallycard/transport_key_file.hpp>
#include "../virtual_card.hpp"
#include "reader_connection.hpp"

namespace {

using namespace tallycard;

constexpr int done = 0, refused = 1, wrong_usage = 64;

struct Options {
    std::string image, transport_key_file;
    std::string host = "127.0.0.1";
    std::uint16_t port = 35963;
    std::string protocol = "t1";
    bool no_fsync = false;
};

void describe(CLI::App& app, Options& options)
{
    app.add_option("--image", options.image,
                   "The card's memory. Holds the card's secrets: mode 0600, never a copy of it")
        ->required()
        ->type_name("FILE");
    app.add_option("--transport-key-file", options.transport_key_file,
                   "32 bytes as hex, mode 0600: makes a blank card where there is no image")
        ->type_name("FILE");
    app.add_option("--host", options.host, "Where the reader listens")
        ->capture_default_str()
        ->type_name("HOST");
    app.add_option("--port", options.port, "Its port")
        ->check(CLI::Range(1, 65535).description(""))
        ->capture_default_str()
        ->type_name("PORT");
    app.add_option("--protocol", options.protocol, "What the card speaks")
        ->check(CLI::IsMember({"t1", "t0"}))
        ->capture_default_str()
        ->type_name("");
    app.add_flag("--no-fsync", options.no_fsync,
                 "Do not wait for the disk: for tests. A crash of the machine may lose operations");
    app.footer(
        "Puts the card into a vpcd reader of pcscd (Debian: vsmartcard-vpcd) and keeps it "
        "there until SIGTERM\nor SIGINT. Exit status: 0 done, 1 refused, 64 wrong usage.\n\n"
        "  tallycard-vicc --image card1.image --transport-key-file card1.key");
}

std::string explain(const Error& error, const std::string& image)
{
    if (error.code == Errc::file_missing)
        return image + ": no such card image; --transport-key-file makes a blank card there";
    if (error.code == Errc::file_in_use)
        return image + ": the card is in use by another process; stop that one first";
    if (error.code == Errc::file_damaged) {
        return image +
               ": not a card image, or damaged at its start; have the issuer deny that "
               "card and issue another";
    }
    if (error.code != Errc::file_rejected) return error.message();
    const std::error_code reason(static_cast<int>(error.detail), std::generic_category());
    return image + ": " + error.where + ": " + reason.message();
}

int refuse(const std::string& why)
{
    std::fprintf(stderr, "tallycard-vicc: %s\n", why.c_str());
    return refused;
}

void keep_in_reader(VirtualCard& card, const Options& options, const chip::StopSignal& stop)
{
    const auto address = options.host + ":" + std::to_string(options.port);
    chip::ReaderConnection::Events events{
        .no_reader =
            [&] {
                std::fprintf(stderr,
                             "tallycard-vicc: no reader at %s yet; is pcscd running, with vpcd "
                             "installed? Trying again\n",
                             address.c_str());
            },
        .inserted =
            [&] {
                std::printf("the reader at %s has the card %s\n", address.c_str(),
                            options.image.c_str());
                std::fflush(stdout);
            },
        .nonsense =
            [&](const Error& error) {
                std::fprintf(stderr, "tallycard-vicc: %s does not speak vpcd: %s\n",
                             address.c_str(), error.message().c_str());
            }};
    chip::ReaderConnection(card, options.host, options.port, std::move(events)).run(stop);
}

int run(const Options& options)
{
    std::optional<TransportKey> key;
    if (!options.transport_key_file.empty()) {
        auto read = read_transport_key(options.transport_key_file);
        if (!read) return refuse(options.transport_key_file + ": " + read.error().message());
        key = std::move(*read);
    }
    const chip::StopSignal stop;
    const auto card = VirtualCard::open(
        {.image = options.image,
         .transport_key = key ? &*key : nullptr,
         .protocol = options.protocol == "t0" ? TransmissionProtocol::t0 : TransmissionProtocol::t1,
         .durable = !options.no_fsync});
    key.reset();
    if (!card) return refuse(explain(card.error(), options.image));
    if ((*card)->memory_damaged()) {
        std::fprintf(stderr,
                     "tallycard-vicc: %s: both copies of the card's memory are damaged; it answers "
                     "6581. Have the issuer deny that card and issue another\n",
                     options.image.c_str());
    }
    keep_in_reader(**card, options, stop);
    return done;
}

}  // namespace

int main(int argc, char** argv)
try {
    CLI::App app("A virtual tallycard in a PC/SC reader", "tallycard-vicc");
    Options options;
    describe(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : wrong_usage;
    }
    return run(options);
} catch (const std::exception& error) {  // out of memory
    std::fprintf(stderr, "tallycard-vicc: %s\n", error.what());
    return refused;
}
