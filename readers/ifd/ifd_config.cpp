// SPDX-License-Identifier: Apache-2.0
#include "ifd_config.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "../vpcd/descriptor.hpp"

namespace tallycard::ifd {
namespace {

// Why a line is refused; null: it is not.
using Refusal = const char*;

constexpr std::string_view spaces = " \t";

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(spaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

std::optional<unsigned> number_in(std::string_view text, unsigned least, unsigned most)
{
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || number < least || number > most) return std::nullopt;
    return number;
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < 0x20 && c != '\t';
}

Refusal set_path(std::string& path, std::string_view value)
{
    if (!value.starts_with('/')) return "a path from the root is wanted";
    path = value;
    return nullptr;
}

bool is_name(std::string_view text)
{
    return text.size() <= 32 && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
           });
}

Refusal set_name(std::string& name, std::string_view value)
{
    if (!is_name(value)) return "at most 32 letters, digits and . _ - are wanted";
    name = value;
    return nullptr;
}

class Parser {
public:
    Result<Config> parse(std::string_view text)
    {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            ++line_;
            if (const auto* why = take(text.substr(0, end))) return refused(why, line_);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        if (const auto* why = check_whole()) return refused(why, last_slot_line_);
        return std::move(config_);
    }

private:
    static Error refused(Refusal why, std::uint32_t line)
    {
        return {.code = Errc::malformed, .detail = line, .where = why};
    }

    Refusal take(std::string_view line)
    {
        if (std::ranges::any_of(line, is_control)) return "a control character";
        line = trimmed(line);
        if (line.empty() || line.starts_with('#')) return nullptr;
        if (line.starts_with('[')) return take_section(line);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) return "NAME = VALUE or [slot N] is wanted";
        const auto name = trimmed(line.substr(0, equals)), value = trimmed(line.substr(equals + 1));
        if (value.empty()) return "a value is wanted";
        if (!seen_.emplace(section_ ? *section_ + 1 : 0, name).second) return "given twice";
        return section_ ? set_in_slot(config_.slot[*section_], name, value) : set(name, value);
    }

    Refusal take_section(std::string_view line)
    {
        constexpr std::string_view opening = "[slot ";
        std::optional<unsigned> number;
        if (line.starts_with(opening) && line.ends_with(']')) {
            line.remove_prefix(opening.size());
            line.remove_suffix(1);
            number = number_in(trimmed(line), 0, Config::max_slots - 1);
        }
        if (!number) return "[slot N] is wanted, N from 0 to 15";
        section_ = *number;
        if (section_ >= last_slot_) {
            last_slot_ = *section_;
            last_slot_line_ = line_;
        }
        return nullptr;
    }

    Refusal set(std::string_view name, std::string_view value)
    {
        if (name == "slots") {
            const auto number = number_in(value, 1, Config::max_slots);
            if (!number) return "a number from 1 to 16 is wanted";
            config_.slots = *number;
            return nullptr;
        }
        if (name == "directory") return set_path(config_.directory, value);
        if (name == "owner") return set_name(config_.owner, value);
        if (name == "serial") return set_name(config_.serial, value);
        if (name == "deadline-ms") {
            const auto number = number_in(value, 1, 3'600'000);
            if (!number) return "milliseconds, 1 to 3600000, are wanted";
            config_.deadline = std::chrono::milliseconds(*number);
            return nullptr;
        }
        return set_pin(name, value);
    }

    Refusal set_pin(std::string_view name, std::string_view value)
    {
        if (name == "pin-timeout-s") {
            const auto number = number_in(value, 1, 255);
            if (!number) return "seconds, 1 to 255, are wanted";
            config_.pin_timeout = std::chrono::seconds(*number);
            return nullptr;
        }
        if (name != "pin-pipe" && name != "pin-prompt") return "no such setting";
        if (config_.has_pinpad()) return "there is one pinpad: pin-pipe or pin-prompt, not both";
        if (name == "pin-pipe") return set_path(config_.pin_pipe, value);
        config_.pin_prompt = value;
        return nullptr;
    }

    static Refusal set_in_slot(SlotConfig& slot, std::string_view name, std::string_view value)
    {
        if (name == "image") return set_path(slot.image, value);
        if (name == "transport-key-file") return set_path(slot.transport_key_file, value);
        if (name == "protocol") {
            if (value != "t0" && value != "t1") return "t0 or t1 is wanted";
            slot.protocol = value == "t0" ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
            return nullptr;
        }
        if (name == "fsync") {
            if (value != "yes" && value != "no") return "yes or no is wanted";
            slot.fsync = value == "yes";
            return nullptr;
        }
        return "no such setting of a slot";
    }

    Refusal check_whole() const
    {
        if (last_slot_line_ != 0 && last_slot_ >= config_.slots) return "there is no such slot";
        return nullptr;
    }

    Config config_;
    std::optional<std::size_t> section_;
    std::set<std::pair<std::size_t, std::string>, std::less<>> seen_;  // section and name
    std::uint32_t line_ = 0, last_slot_line_ = 0;
    std::size_t last_slot_ = 0;  // the highest that has a section
};

Error rejected(const char* where, int code)
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(code), .where = where};
}

Result<void> check_trusted(int file)
{
    struct stat status {};
    if (::fstat(file, &status) != 0) return rejected("configuration", errno);
    if (S_ISCHR(status.st_mode)) return {};  // /dev/null
    if (!S_ISREG(status.st_mode)) return rejected("configuration is not a regular file", EINVAL);
    const bool by_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    const bool trusted = status.st_uid == 0 || status.st_uid == ::geteuid();
    if (by_others || !trusted)
        return rejected("configuration is for others to write (chmod go-w)", EACCES);
    return {};
}

}  // namespace

std::string Config::socket_of(std::size_t number) const
{
    return directory + "/slot-" + std::to_string(number);
}

Result<Config> parse_config(std::string_view text)
{
    return Parser().parse(text);
}

Result<Config> read_config(const std::string& path)
{
    constexpr std::size_t longest = 65536;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) {
        if (errno == ENOENT) return Error{.code = Errc::file_missing, .where = "configuration"};
        return rejected("configuration", errno);
    }
    if (auto done = check_trusted(file.number()); !done) return done.error();
    std::string text(longest, '\0');
    std::size_t size = 0;
    for (;;) {
        const auto n = ::read(file.number(), text.data() + size, text.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected("configuration", errno);
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
        if (size == longest) return rejected("configuration", EFBIG);
    }
    return parse_config(std::string_view(text).substr(0, size));
}

}  // namespace tallycard::ifd
