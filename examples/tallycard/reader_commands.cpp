// SPDX-License-Identifier: Apache-2.0
// readers, doctor: what is between us and a card, and what to do about it.
#include <algorithm>
#include <chrono>

#include <tallycard/card_session.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/verify.hpp>

#include "commands.hpp"
#include "watch_command.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

std::string atr_text(const Result<Atr>& atr)
{
    if (atr) return to_hex(atr->bytes());
    return atr.error().code == Errc::no_card ? "no card" : atr.error().message();
}

// The names that stay right when readers are plugged in another order.
std::string roles(const ReaderIdentity& identity)
{
    std::string text;
    if (!identity.serial.empty()) text += "serial:" + identity.serial;
    if (!text.empty() && !identity.usb_path.empty()) text += ' ';
    if (!identity.usb_path.empty()) text += "usb:" + identity.usb_path;
    return text;
}

Report readers(const Options& options)
{
    const auto driver = open_pcsc().value();
    if (options.watch) return watch_readers(*driver, options.json);
    const auto names = driver->list().value();
    std::vector<std::vector<std::string>> rows = {{"index", "reader", "card (ATR)", "also"}};
    Json json = Json::array();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto reader = driver->open(names[i]);
        const auto atr = reader ? (*reader)->card() : Result<Atr>(reader.error());
        rows.push_back({std::to_string(i), names[i], atr_text(atr)});
        Json entry{{"index", i}, {"reader", names[i]}, {"card", atr.has_value()}};
        if (atr) entry["atr"] = to_hex(atr->bytes());
        const auto identity = reader ? (*reader)->identity() : ReaderIdentity{};
        if (identity && !identity->serial.empty()) entry["serial"] = identity->serial;
        if (identity && !identity->usb_path.empty()) entry["usb"] = identity->usb_path;
        rows.back().push_back(identity ? roles(*identity) : "");
        json.push_back(entry);
    }
    return {names.empty() ? "no reader is connected" : table(rows),
            {{"readers", json}},
            exit_code::done};
}

// One thing that must be right, what was found, and how to mend it.
struct Finding {
    bool good = false;
    std::string what, found, remedy;
};

// Microseconds that GET CHALLENGE of 8 bytes takes there and back: the median of some.
std::optional<double> round_trip(CardSession& session)
{
    using Clock = std::chrono::steady_clock;
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
        std::array<std::uint8_t, 8> random;
        const auto start = Clock::now();
        if (!session.challenge(random)) return std::nullopt;
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    std::ranges::nth_element(times, times.begin() + 10);
    return times[10];
}

Finding check_card(Reader& reader, const PublicKey& card_root, bool knows_issuer)
{
    const auto what = "card in '" + reader.name() + "'";
    const auto link = reader.connect(Sharing::shared);
    if (!link) {
        const bool held = link.error().code == Errc::card_shared;
        return {false, what, link.error().message(),
                held ? "end what holds it" : "take the card out, and insert it again"};
    }
    const auto atr = to_hex((*link)->atr().bytes());
    auto session = CardSession::begin(**link, card_root);
    if (!session) {
        const bool other_issuer = session.error().code == Errc::foreign_card && !knows_issuer;
        return {other_issuer, what, "ATR " + atr + ", " + session.error().message(),
                other_issuer ? "name the issuer with --issuer to talk to it"
                             : "use a card of this issuer"};
    }
    const auto time = round_trip(*session);
    if (!time) return {false, what, "ATR " + atr + ", no answer", "clean the contacts, try again"};
    char text[64];
    std::snprintf(text, sizeof text, ", %s, %.0f us a round trip", name(session->info().state),
                  *time);
    const bool slow = *time > 20000;
    return {!slow, what, "ATR " + atr + text,
            slow ? "a virtual card? It lacks TCP_QUICKACK: use tallycard-vicc" : ""};
}

// "scdaemon (process 1234)": who may hold a card that is not to be had.
std::string other_programs()
{
    std::string text;
    for (const auto& [process, program] : pcsc_clients()) {
        if (!text.empty()) text += ", ";
        text += program + " (process " + std::to_string(process) + ")";
    }
    return text;
}

std::vector<Finding> examine(const Options& options)
{
    std::vector<Finding> findings;
    const auto safe = self_test();
    findings.push_back({safe.has_value(), "libsodium", safe ? "safe" : safe.error().message(),
                        "apt-get install libsodium23 (1.0.18-1+deb12u1 or newer)"});
    const auto driver = open_pcsc();
    findings.push_back({driver.has_value(), "PC/SC service",
                        driver ? "running" : driver.error().message(),
                        "apt-get install pcscd; systemctl start pcscd.socket (or run pcscd)"});
    if (!driver) return findings;
    if (const auto others = other_programs(); !others.empty())
        findings.push_back({true, "other programs", others, ""});
    const auto names = (*driver)->list();
    const bool any = names && !names->empty();
    findings.push_back(
        {any, "readers",
         names ? std::to_string(names->size()) + " connected" : names.error().message(),
         "connect a reader, or apt-get install vsmartcard-vpcd for virtual ones"});
    if (!names) return findings;

    PublicKey card_root;
    bool knows_issuer = true;
    try {
        card_root = workplace::issuer(options).card_root;
    } catch (const ResultError&) {
        knows_issuer = false;
    }
    std::size_t cards = 0;
    for (const auto& name : *names) {
        const auto reader = (*driver)->open(name);
        if (!reader || !(*reader)->card()) continue;
        findings.push_back(check_card(**reader, card_root, knows_issuer));
        ++cards;
    }
    if (any && cards == 0) {
        findings.push_back({false, "card", "no reader has one",
                            "insert a card, or start tallycard-vicc --image FILE"});
    }
    return findings;
}

Report doctor(const Options& options)
{
    const auto findings = examine(options);
    std::vector<std::vector<std::string>> rows = {
        {"ok", "tallycard",
         TALLYCARD_VERSION ", pcsc-lite " PCSC_LITE_VERSION ", libsodium " SODIUM_LIBRARY_VERSION}};
    Json json = Json::array();
    bool good = true;
    for (const auto& f : findings) {
        rows.push_back({f.good ? "ok" : "BAD", f.what, f.found});
        if (!f.remedy.empty() && (!f.good || f.what.starts_with("card in")))
            rows.push_back({"", "", "-> " + f.remedy});
        json.push_back({{"ok", f.good}, {"what", f.what}, {"found", f.found}, {"fix", f.remedy}});
        good = good && f.good;
    }
    return {table(rows),
            {{"version", TALLYCARD_VERSION}, {"findings", json}},
            good ? exit_code::done : exit_code::refused};
}

}  // namespace

void add_reader_commands(Program& program)
{
    auto& list = program.command("readers", "List the PC/SC readers and their cards", readers);
    list.add_flag("--watch", program.options.watch,
                  "Go on and print what happens at them, until interrupted");
    auto& examination =
        program.command("doctor", "Find what keeps this machine from reading cards", doctor);
    with::issuer(examination, program.options);
}
