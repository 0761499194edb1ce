// SPDX-License-Identifier: Apache-2.0
#include <tallycard/reader_spec.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include <tallycard/fault_reader.hpp>
#include <tallycard/loopback.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/replay_reader.hpp>
#include <tallycard/trace_reader.hpp>
#include <tallycard/vpcd.hpp>

#include "text_scanner.hpp"

namespace tallycard {

namespace {

constexpr int deepest = 16;  // decorators in one specification

Error wrong(const char* what)
{
    return {.code = Errc::malformed, .where = what};
}

Result<ReaderSource> open(std::string_view spec, ReaderSpecOptions& options, int depth);

Result<ReaderSource> pcsc(std::string_view reader, ReaderSpecOptions& options, int)
{
    auto driver = open_pcsc(options.deadlines);
    if (!driver) return driver.error();
    return ReaderSource{*std::move(driver), std::string(reader)};
}

Result<ReaderSource> loopback(std::string_view image, ReaderSpecOptions& options, int)
{
    if (image.empty()) return wrong("reader: loopback:IMAGE names a card's image");
    std::vector<LoopbackCard> cards(1);
    cards[0].image = image;
    cards[0].transport_key = std::move(options.transport_key);
    auto driver = open_loopback(std::move(cards));
    if (!driver) return driver.error();
    return ReaderSource{*std::move(driver), {}};
}

Result<ReaderSource> vpcd(std::string_view socket, ReaderSpecOptions& options, int)
{
    auto driver = open_vpcd({std::string(socket)}, options.deadlines);
    if (!driver) return driver.error();
    return ReaderSource{*std::move(driver), {}};
}

// FILE,SPEC
struct Decoration {
    std::string file;
    std::string_view inner;
    bool is_whole = false;

    explicit Decoration(std::string_view text)
    {
        const auto comma = text.find(',');
        if (comma == std::string_view::npos) return;
        file = text.substr(0, comma);
        inner = text.substr(comma + 1);
        is_whole = !file.empty() && !inner.empty();
    }
};

Result<ReaderSource> fault(std::string_view text, ReaderSpecOptions& options, int depth)
{
    const Decoration parts(text);
    if (!parts.is_whole) return wrong("reader: fault:PLAN,READER names a plan and a reader");
    const auto plan = FaultPlan::read(parts.file);
    if (!plan) return plan.error();
    auto source = open(parts.inner, options, depth + 1);
    if (source) source->driver = open_faulty(std::move(source->driver), *plan);
    return source;
}

Result<ReaderSource> trace(std::string_view text, ReaderSpecOptions& options, int depth)
{
    const Decoration parts(text);
    if (!parts.is_whole) return wrong("reader: trace:FILE,READER names a new file and a reader");
    auto source = open(parts.inner, options, depth + 1);
    if (!source) return source;
    auto driver = open_traced(std::move(source->driver), parts.file);
    if (!driver) return driver.error();
    source->driver = *std::move(driver);
    return source;
}

Result<ReaderSource> replay(std::string_view file, ReaderSpecOptions&, int)
{
    if (file.empty()) return wrong("reader: replay:FILE names a record");
    auto driver = open_replay(std::string(file));
    if (!driver) return driver.error();
    return ReaderSource{*std::move(driver), {}};
}

// Every kind of reader, by what comes before the first colon. A driver that is new goes in here.
struct Kind {
    std::string_view prefix;
    Result<ReaderSource> (*open)(std::string_view rest, ReaderSpecOptions& options, int depth);
};

constexpr std::array kinds = {Kind{"pcsc", pcsc},   Kind{"loopback", loopback},
                              Kind{"vpcd", vpcd},   Kind{"fault", fault},
                              Kind{"trace", trace}, Kind{"replay", replay}};

// Names of readers have capitals or blanks before a colon, or none.
bool looks_like_a_kind(std::string_view prefix)
{
    return !prefix.empty() && prefix != "serial" && prefix != "usb" &&
           std::ranges::all_of(prefix, [](char c) { return c >= 'a' && c <= 'z'; });
}

Result<ReaderSource> open(std::string_view spec, ReaderSpecOptions& options, int depth)
{
    if (depth > deepest) return wrong("reader: more decorators than anybody needs");
    if (spec == "pcsc") return pcsc({}, options, depth);
    const auto colon = spec.find(':');
    if (colon == std::string_view::npos) return pcsc(spec, options, depth);
    const auto prefix = spec.substr(0, colon);
    const auto known = std::ranges::find(kinds, prefix, &Kind::prefix);
    if (known != kinds.end()) return known->open(spec.substr(colon + 1), options, depth);
    if (looks_like_a_kind(prefix))
        return wrong("reader: it is pcsc:, loopback:, vpcd:, fault:, trace: or replay:");
    return pcsc(spec, options, depth);
}

}  // namespace

Result<ReaderSource> open_reader_driver(const std::string& spec, ReaderSpecOptions options)
{
    return open(spec, options, 0);
}

Result<std::unique_ptr<Reader>> open_reader(ReaderSource& source)
{
    const Error none{.code = Errc::reader_unavailable, .where = "reader"};
    const bool may_be_index = source.reader.find_first_not_of("0123456789") == std::string::npos;
    if (!may_be_index) return source.driver->open(source.reader);
    const auto names = source.driver->list();
    if (!names) return names.error();
    if (!source.reader.empty()) {
        const auto index = to_number<std::size_t>(source.reader);
        if (!index || *index >= names->size()) return none;
        return source.driver->open((*names)[*index]);
    }
    std::unique_ptr<Reader> first;
    for (const auto& name : *names) {
        auto reader = source.driver->open(name);
        if (!reader) return reader;
        if ((*reader)->card()) return reader;
        if (!first) first = *std::move(reader);
    }
    if (!first) return none;
    return first;
}

}  // namespace tallycard
