// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include <tallycard/transport_key_file.hpp>
#include "../virtual_card.hpp"
#include "reader_connection.hpp"
#include "relayed_card.hpp"
#include "vscard_connection.hpp"

namespace {

using namespace tallycard;

constexpr int done = 0, refused = 1, wrong_usage = 64;

struct Options {
    std::string image, card, transport_key_file;
    std::string shown_card() const { return card.empty() ? image : card; }
    std::string host = "127.0.0.1";
    std::uint16_t port = 35963;
    std::optional<unsigned> slot;
    std::string socket;
    std::string protocol = "t1";
    std::string vscard;  // a virtual machine's address instead
    bool no_fsync = false;
};

void describe(CLI::App& app, Options& options)
{
    auto* const image =
        app.add_option("--image", options.image,
                       "The card's memory. Holds the card's secrets: mode 0600, never a copy of it")
            ->type_name("FILE");
    auto* const card =
        app.add_option(
               "--card", options.card,
               "In place of --image: the card of another reader, loopback:IMAGE, pcsc:NAME, "
               "fault:PLAN,READER, trace:FILE,READER or replay:FILE")
            ->type_name("READER");
    image->excludes(card);
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
    auto* slot = app.add_option("--slot", options.slot,
                                "A slot of our own driver, in place of host and port")
                     ->check(CLI::Range(0, 15).description(""))
                     ->type_name("N");
    auto* socket = app.add_option("--socket", options.socket,
                                  "The Unix socket of a reader (a slot's: /run/tallycard/slot-N)")
                       ->excludes(slot)
                       ->type_name("PATH");
    for (const auto* tcp : {"--host", "--port"}) {
        app.get_option(tcp)->excludes(slot)->excludes(socket);
    }
    app.add_option("--protocol", options.protocol, "What the card speaks")
        ->excludes(card)
        ->check(CLI::IsMember({"t1", "t0"}))
        ->capture_default_str()
        ->type_name("");
    app.add_option("--vscard", options.vscard,
                   "Into the USB reader of a virtual machine instead: where QEMU's "
                   "ccid-card-passthru listens. T=0")
        ->check([](const std::string& text) {
            return chip::VscardAddress::parse(text) ? "" : "not HOST:PORT: " + text;
        })
        ->excludes("--host", "--port", "--slot", "--socket", "--protocol", "--card")
        ->type_name("HOST:PORT");
    app.add_flag("--no-fsync", options.no_fsync,
                 "Do not wait for the disk: for tests. A crash of the machine may lose operations")
        ->excludes(card);
    app.footer(
        "Puts the card into a reader of pcscd (our driver's, or Debian's vsmartcard-vpcd) and "
        "keeps it there\nuntil SIGTERM or SIGINT. Exit status: 0 done, 1 refused, 64 wrong "
        "usage.\n\n"
        "  tallycard-vicc --image card1.image --transport-key-file card1.key\n"
        "  tallycard-vicc --image card1.image --slot 0\n"
        "  tallycard-vicc --card fault:plan.txt,loopback:card1.image\n"
        "  tallycard-vicc --image card1.image --vscard 127.0.0.1:35964");
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
    return error.code == Errc::file_rejected ? image + ": " + error.message() : error.message();
}

int refuse(const std::string& why)
{
    std::fprintf(stderr, "tallycard-vicc: %s\n", why.c_str());
    return refused;
}

chip::ReaderAddress address_of(const Options& options)
{
    auto path = options.socket;
    if (options.slot) path = "/run/tallycard/slot-" + std::to_string(*options.slot);
    return {.path = path, .host = options.host, .port = options.port};
}

void keep_in_reader(VirtualCard& card, const Options& options, const chip::StopSignal& stop)
{
    const auto reader = address_of(options);
    const auto* driver = reader.path.empty() ? "vpcd" : "the tallycard driver";
    const auto address = reader.text();
    chip::ReaderConnection::Events events{
        .no_reader =
            [&] {
                std::fprintf(stderr,
                             "tallycard-vicc: no reader at %s yet; is pcscd running, with %s "
                             "installed? Trying again\n",
                             address.c_str(), driver);
            },
        .refused =
            [&] {
                std::fprintf(stderr,
                             "tallycard-vicc: the reader at %s hangs up; is there another card in "
                             "it? Trying again\n",
                             address.c_str());
            },
        .inserted =
            [&] {
                std::printf("the reader at %s has the card %s\n", address.c_str(),
                            options.shown_card().c_str());
                std::fflush(stdout);
            },
        .nonsense =
            [&](const Error& error) {
                std::fprintf(stderr, "tallycard-vicc: %s does not speak vpcd: %s\n",
                             address.c_str(), error.message().c_str());
            }};
    chip::ReaderConnection(card, reader, std::move(events)).run(stop);
}

void keep_in_machine(VirtualCard& card, const Options& options, const chip::StopSignal& stop)
{
    const auto address = *chip::VscardAddress::parse(options.vscard);
    const auto name = address.to_string();
    const auto complain = [name](const char* what) {
        std::fprintf(stderr, "tallycard-vicc: %s %s\n", name.c_str(), what);
    };
    chip::VscardConnection::Events events{
        .no_machine =
            [=] {
                complain(
                    "does not answer yet; does a virtual machine with ccid-card-passthru "
                    "listen there? Trying again");
            },
        .silent =
            [=] {
                complain(
                    "says nothing; has its reader another card, or does another kind of "
                    "program listen there? Waiting");
            },
        .inserted =
            [&] {
                std::printf("the virtual machine at %s has the card %s\n", name.c_str(),
                            options.image.c_str());
                std::fflush(stdout);
            },
        .refused =
            [=](chip::VscardError error) {
                complain(error == chip::VscardError::cannot_add_more_readers
                             ? "has no reader to give. Trying again"
                             : "refuses the card. Trying again");
            },
        .nonsense =
            [=](const Error& error) {
                complain(("does not speak VSCard: " + error.message()).c_str());
            }};
    chip::VscardConnection(card, address, std::move(events)).run(stop);
}

TransmissionProtocol protocol_of(const Options& options)
{
    const bool t0 = options.protocol == "t0" || !options.vscard.empty();
    return t0 ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
}

Result<std::unique_ptr<VirtualCard>> open_card(const Options& options,
                                               std::optional<TransportKey> key)
{
    if (!options.card.empty()) {
        ReaderSpecOptions how;
        how.transport_key = std::move(key);
        return chip::RelayedCard::open(options.card, std::move(how));
    }
    return VirtualCard::open({.image = options.image,
                              .transport_key = key ? &*key : nullptr,
                              .protocol = protocol_of(options),
                              .durable = !options.no_fsync});
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
    const auto card = open_card(options, std::move(key));
    if (!card) {
        return refuse(options.card.empty() ? explain(card.error(), options.image)
                                           : card.error().message());
    }
    if ((*card)->memory_damaged()) {
        std::fprintf(stderr,
                     "tallycard-vicc: %s: both copies of the card's memory are damaged; it answers "
                     "6581. Have the issuer deny that card and issue another\n",
                     options.image.c_str());
    }
    if (options.vscard.empty()) {
        keep_in_reader(**card, options, stop);
    } else {
        keep_in_machine(**card, options, stop);
    }
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
        if (options.image.empty() && options.card.empty())
            throw CLI::RequiredError("--image or --card");
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? done : wrong_usage;
    }
    return run(options);
} catch (const std::exception& error) {  // out of memory
    std::fprintf(stderr, "tallycard-vicc: %s\n", error.what());
    return refused;
}
