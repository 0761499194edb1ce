// SPDX-License-Identifier: Apache-2.0
#include "workplace.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

#include <tallycard/result_error.hpp>
#include <tallycard/transport_key_file.hpp>

#include "keys.hpp"
#include "office.hpp"
#include "secret_input.hpp"

using namespace tallycard;

namespace workplace {
namespace {

[[noreturn]] void refuse(Errc code, const char* where)
{
    raise(Error{.code = code, .where = where});
}

std::unique_ptr<Reader> choose(ReaderSource& source, int wait_seconds)
{
    if (!source.reader.empty()) return open_reader(source).value();
    const auto names = source.driver->list().value();
    if (names.empty())
        refuse(Errc::reader_unavailable, "no reader is connected ('tallycard doctor' helps)");
    auto reader = open_reader(source).value();
    if (wait_seconds > 0 && names.size() > 1 && !reader->card()) {
        std::fprintf(stderr, "waiting at '%s'; choose another with --reader\n",
                     reader->name().c_str());
    }
    return reader;
}

}  // namespace

void expect_file(const std::string& path, const char* where)
{
    std::error_code error;
    if (!std::filesystem::exists(path, error)) refuse(Errc::file_missing, where);
}

std::string key_or(const std::string& reference, const std::string& in_folder, const char* where)
{
    if (!reference.empty()) return reference;
    expect_file(in_folder, where);
    return in_folder;
}

IssuerDescription issuer(const Options& options)
{
    if (is_remote(options)) return remote_issuer(options);
    if (std::filesystem::is_directory(options.issuer)) {
        const auto file = IssuerFolder(options.issuer).description();
        expect_file(file, "issuer.pub in the issuer's folder");
        return read_issuer_file(file).value();
    }
    if (!std::filesystem::exists(options.issuer)) {
        refuse(Errc::file_missing,
               "the issuer (make one with 'tallycard issuer init', or name it with --issuer)");
    }
    return read_issuer_file(options.issuer).value();
}

std::unique_ptr<Store> reached(Result<std::unique_ptr<Store>> store, const std::string& place)
{
    if (!store && store.error().code == Errc::store_unreachable)
        std::fprintf(stderr, "%s\n", explain_store(place).c_str());
    return std::move(store).value();
}

std::unique_ptr<Store> open_store_at(const std::string& place)
{
    return reached(open_store(place, StoreCheck::quick), place);
}

std::string store_place(const Options& options)
{
    return options.store.empty() ? IssuerFolder(options.issuer).store() : options.store;
}

std::unique_ptr<Platform> platform(const Options& options, Signing signing)
{
    if (is_remote(options))
        refuse(Errc::malformed, "--issuer (a service does not do this: name the issuer's folder)");
    const IssuerFolder folder(options.issuer);
    PlatformSettings settings{.issuer = issuer(options), .signers = {}, .checkpoint_file = {}};
    if (!std::filesystem::is_directory(options.issuer))
        refuse(Errc::file_missing, "the issuer's folder (--issuer names a file)");
    settings.checkpoint_file = folder.checkpoint();
    if (signing == Signing::yes) {
        keys::Secrets secrets(options);
        settings.signers = keyring::open_operation_keys(options.operation_keys, options.issuer,
                                                        settings.issuer, secrets)
                               .value();
    }
    auto store = open_store_at(store_place(options));
    return Platform::open(std::move(store), std::move(settings)).value();
}

ReaderSource readers(const Options& options, const std::string& spec)
{
    ReaderSpecOptions how;
    if (!options.transport_key_file.empty())
        how.transport_key = read_transport_key(options.transport_key_file).value();
    return open_reader_driver(spec, std::move(how)).value();
}

Desk desk(const Options& options, const std::string& reader_spec)
{
    Desk desk;
    auto source = readers(options, reader_spec);
    desk.reader = choose(source, options.wait_seconds);
    desk.driver = std::move(source.driver);
    if (options.wait_seconds > 0) {
        if (!desk.reader->card()) std::fprintf(stderr, "waiting for a card ...\n");
        desk.reader->wait_for_card(std::chrono::seconds(options.wait_seconds)).value();
    }
    desk.card = desk.reader->connect(Sharing::shared).value();
    return desk;
}

std::unique_ptr<OperationJournal> journal(const Options& options)
{
    constexpr std::size_t most_entries = 2000, kept = 1000;
    auto opened = OperationJournal::open(options.journal, std::chrono::seconds(10)).value();
    if (opened->entries().size() > most_entries) opened->compact(kept).value();
    return opened;
}

TerminalSettings terminal_settings(const Options& options, const IssuerDescription& issuer,
                                   OperationJournal* journal)
{
    return {
        .card_root = issuer.card_root,
        .name = account(options.terminal, "--terminal (1 to 34 printable characters, no space)"),
        .observer = nullptr,
        .journal = journal};
}

OperationId operation_id(const Options& options)
{
    if (!options.id.empty()) {
        const auto id = OperationId::parse(options.id);
        if (!id) refuse(Errc::malformed, "--id (32 lower-case hex digits)");
        return *id;
    }
    std::array<std::uint8_t, OperationId::size> bytes;
    std::random_device random;
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    return OperationId(bytes);
}

AccountId account(const std::string& text, const char* what)
{
    const auto id = AccountId::parse(text);
    if (!id) refuse(Errc::malformed, what);
    return *id;
}

CardId card_id(const std::string& text)
{
    const auto id = CardId::parse(text);
    if (!id) refuse(Errc::malformed, "card id (32 lower-case hex digits)");
    return *id;
}

HolderPin Pin::of(CardLink& card)
{
    if (!is_asked_ && !descriptor_) return {};
    if (!descriptor_ && card.has_pin_pad()) {
        std::fprintf(stderr, "type the PIN at the reader\n");
        return HolderPin::at_reader();
    }
    block_.emplace(secret_input::pin(prompt_, descriptor_).value());
    return &*block_;
}

}  // namespace workplace
