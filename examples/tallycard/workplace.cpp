// SPDX-License-Identifier: Apache-2.0
#include "workplace.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

#include <tallycard/key_file.hpp>
#include <tallycard/loopback.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/transport_key_file.hpp>

#include "secret_input.hpp"

using namespace tallycard;

namespace workplace {
namespace {

constexpr std::string_view loopback_prefix = "loopback:";

[[noreturn]] void refuse(Errc code, const char* where)
{
    raise(Error{.code = code, .where = where});
}

std::optional<std::size_t> index_of(const std::string& text)
{
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return n;
}

// By name, by index, or the first one with a card.
std::unique_ptr<Reader> choose(ReaderDriver& driver, const std::string& spec, int wait_seconds)
{
    const auto names = driver.list().value();
    if (!spec.empty()) {
        const auto index = index_of(spec);
        if (index && *index >= names.size()) refuse(Errc::reader_unavailable, "--reader");
        return driver.open(index ? names[*index] : spec).value();
    }
    if (names.empty())
        refuse(Errc::reader_unavailable, "no reader is connected ('tallycard doctor' helps)");
    std::unique_ptr<Reader> empty;
    for (const auto& name : names) {
        auto reader = driver.open(name).value();
        if (reader->card()) return reader;
        if (!empty) empty = std::move(reader);
    }
    if (wait_seconds > 0 && names.size() > 1) {
        std::fprintf(stderr, "waiting at '%s'; choose another with --reader\n",
                     empty->name().c_str());
    }
    return empty;
}

}  // namespace

void expect_file(const std::string& path, const char* where)
{
    std::error_code error;
    if (!std::filesystem::exists(path, error)) refuse(Errc::file_missing, where);
}

IssuerDescription issuer(const Options& options)
{
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

std::unique_ptr<Platform> platform(const Options& options, Signing signing)
{
    const IssuerFolder folder(options.issuer);
    PlatformSettings settings{.issuer = issuer(options), .signers = {}, .checkpoint_file = {}};
    if (!std::filesystem::is_directory(options.issuer))
        refuse(Errc::file_missing, "the issuer's folder (--issuer names a file)");
    settings.checkpoint_file = folder.checkpoint();
    if (signing == Signing::yes) {
        const auto secret = passphrase(options, "Passphrase of the operation key");
        expect_file(folder.operation_key(), "operation.key in the issuer's folder");
        settings.signers.push_back(open_operation_key(folder.operation_key(), secret).value());
    }
    auto store = open_sqlite_store(folder.store(), StoreCheck::quick).value();
    return Platform::open(std::move(store), std::move(settings)).value();
}

std::unique_ptr<ReaderDriver> driver(const Options& options, const std::string& spec)
{
    if (!spec.starts_with(loopback_prefix)) return open_pcsc().value();
    LoopbackCard card;
    card.image = spec.substr(loopback_prefix.size());
    if (!options.transport_key_file.empty())
        card.transport_key = read_transport_key(options.transport_key_file).value();
    std::vector<LoopbackCard> cards;
    cards.push_back(std::move(card));
    return open_loopback(std::move(cards)).value();
}

Desk desk(const Options& options, const std::string& reader_spec)
{
    Desk desk;
    desk.driver = driver(options, reader_spec);
    desk.reader = choose(*desk.driver, reader_spec, options.wait_seconds);
    if (options.wait_seconds > 0) {
        if (!desk.reader->card()) std::fprintf(stderr, "waiting for a card ...\n");
        desk.reader->wait_for_card(std::chrono::seconds(options.wait_seconds)).value();
    }
    desk.card = desk.reader->connect(Sharing::shared).value();
    return desk;
}

TerminalSettings terminal_settings(const Options& options, const IssuerDescription& issuer)
{
    return {.card_root = issuer.card_root,
            .name = account(options.terminal, "--terminal"),
            .observer = nullptr};
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

std::optional<PinBlock> pin(const Options& options)
{
    if (!options.ask_pin && !options.pin_fd) return std::nullopt;
    return secret_input::pin("PIN of the card", options.pin_fd).value();
}

Passphrase passphrase(const Options& options, const std::string& what, bool confirm)
{
    return secret_input::passphrase(what, {options.passphrase_file, options.passphrase_fd}, confirm)
        .value();
}

}  // namespace workplace
