// SPDX-License-Identifier: Apache-2.0
#include "deny_list_file.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <tallycard/result_error.hpp>

using namespace tallycard;

namespace deny_list_file {
namespace {

[[noreturn]] void refuse(Errc code, const char* where)
{
    raise(Error{.code = code, .where = where});
}

std::chrono::hours age_of(const Found& found)
{
    const auto age = std::chrono::system_clock::now() - found.head.time;
    return std::max(std::chrono::duration_cast<std::chrono::hours>(age), std::chrono::hours(0));
}

constexpr auto damaged = "deny list; remove the file, and fetch it again";

struct Content {
    Found found;
    std::string lines, note;
};

void append(Content& content, const DenyListLine& line)
{
    if (!content.found.list.append(line)) refuse(Errc::file_damaged, damaged);
    content.lines += line.to_string() + '\n';
}

void check_note(Content& content, const IssuerDescription& issuer)
{
    const auto head = DenyListHead::open(content.note, issuer.origin, issuer.checkpoint_key);
    if (!head) refuse(Errc::bad_signature, damaged);
    if (!content.found.list.matches(*head)) refuse(Errc::file_damaged, damaged);
    content.found.head = *head;
}

Content read(const std::string& path, const IssuerDescription& issuer)
{
    std::ifstream in(path, std::ios::binary);
    if (!in) refuse(Errc::file_missing, "deny list; fetch it with 'tallycard deny-list'");
    Content content;
    std::string line;
    while (content.note.empty() && std::getline(in, line)) {
        if (const auto parsed = DenyListLine::parse(line)) {
            append(content, *parsed);
        } else {
            content.note = line + '\n';
        }
    }
    while (std::getline(in, line)) content.note += line + '\n';
    check_note(content, issuer);
    return content;
}

// Beside, then renamed: a till never finds half a list.
void write(const std::string& path, const Content& content)
{
    const auto beside = path + ".new";
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << content.lines << content.note;
    out.close();
    if (!out) refuse(Errc::file_rejected, "deny list");
    std::filesystem::rename(beside, path);
}

}  // namespace

std::optional<Found> current(const Options& options, const IssuerDescription& issuer)
{
    if (options.deny_list.empty()) return std::nullopt;
    auto content = read(options.deny_list, issuer);
    if (options.deny_list_hours && age_of(content.found).count() >= *options.deny_list_hours)
        refuse(Errc::timed_out, "the deny list is older than --deny-list-max-age: fetch it again");
    return std::move(content.found);
}

Found fetch(const Options& options, workplace::Office& office)
{
    Content content;
    const bool is_there = std::filesystem::exists(options.file);
    if (is_there) content = read(options.file, office.issuer());
    const auto before = content.found.head;
    const auto update = office.deny_list(content.found.list.lines(), options);
    for (const auto& line : update.lines) append(content, line);
    content.note = update.note;
    check_note(content, office.issuer());
    if (is_there && content.found.head.time < before.time)
        refuse(Errc::ledger_behind, "deny list, which is older than the one that is here");
    write(options.file, content);
    return std::move(content.found);
}

void report_age(Report& report, const Found& found)
{
    const auto hours = age_of(found).count();
    report.json["deny_list"] = {{"time", utc(found.head.time)}, {"hours", hours}};
    if (!report.text.empty()) {
        report.text += "\nthe deny list is of " + utc(found.head.time) + ", " +
                       counted(static_cast<std::uint64_t>(hours), "hour") + " ago";
    }
}

}  // namespace deny_list_file
