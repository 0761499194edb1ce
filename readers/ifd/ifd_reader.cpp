// SPDX-License-Identifier: Apache-2.0
#include "ifd_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ifd_log.hpp"

namespace tallycard::ifd {
namespace {

std::string explain(const Error& error)
{
    if (error.code == Errc::file_in_use) return "in use by another process";
    return error.message();
}

std::string explain_config(const std::string& path, const Error& error)
{
    if (error.code != Errc::malformed) return path + ": " + explain(error);
    return path + ":" + std::to_string(error.detail) + ": " + error.where;
}

// The folder of the sockets: whoever may write there could put another socket in our place.
Result<void> make_folder(const std::string& path)
{
    const auto rejected = [](const char* where, int code) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(code),
                     .where = where};
    };
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
        return rejected("folder of the sockets", errno);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return rejected("folder of the sockets", errno);
    if (!S_ISDIR(status.st_mode)) return rejected("folder of the sockets", ENOTDIR);
    const bool by_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (by_others || status.st_uid != ::geteuid())
        return rejected("folder of the sockets is for others to write", EACCES);
    return {};
}

Result<void> give_to(const std::string& owner, const std::string& path)
{
    if (owner.empty()) return {};
    std::array<char, 4096> buffer;
    passwd entry{}, *found = nullptr;
    const int code = ::getpwnam_r(owner.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(code != 0 ? code : ENOENT),
                     .where = "no such user: owner"};
    }
    if (::lchown(path.c_str(), entry.pw_uid, static_cast<gid_t>(-1)) == 0) return {};
    return Error{
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = "owner"};
}

Result<std::unique_ptr<CardSource>> open_source(const Config& config, std::size_t number)
{
    auto name = "slot " + std::to_string(number);
    const auto& slot = config.slot.at(number);
    if (!slot.image.empty()) return open_image_source(slot, std::move(name));
    const auto path = config.socket_of(number);
    auto source = open_program_source(path, config.deadline, std::move(name));
    if (!source) return source;
    if (auto given = give_to(config.owner, path); !given) return given.error();
    return source;
}

Result<std::unique_ptr<PinEntry>> open_pinpad(const Config& config)
{
    if (!config.pin_prompt.empty()) return open_pin_prompt(config.pin_prompt);
    if (config.pin_pipe.empty()) return std::unique_ptr<PinEntry>();
    auto pipe = open_pin_pipe(config.pin_pipe);
    if (!pipe) return pipe;
    if (auto given = give_to(config.owner, config.pin_pipe); !given) return given.error();
    return pipe;
}

}  // namespace

std::shared_ptr<IfdReader> IfdReader::open(const std::string& config_path)
{
    auto config = read_config(config_path);
    if (!config) {
        log_error(explain_config(config_path, config.error()));
        return nullptr;
    }
    if (auto made = make_folder(config->directory); !made) {
        log_error(config->directory + ": " + explain(made.error()));
        return nullptr;
    }
    auto pinpad = open_pinpad(*config);
    if (!pinpad) {
        log_error(config->pin_pipe + ": " + explain(pinpad.error()));
        return nullptr;
    }
    return std::shared_ptr<IfdReader>(new IfdReader(*std::move(config), *std::move(pinpad)));
}

bool IfdReader::open_slot(std::size_t number)
{
    if (number >= config_.slots) {
        log_error("slot " + std::to_string(number) + ": there is no such slot");
        return false;
    }
    auto source = open_source(config_, number);
    if (!source) {
        log_error(config_.socket_of(number) + ": " + explain(source.error()));
        return false;
    }
    const std::lock_guard guard(mutex_);
    slots_.at(number) = std::make_shared<Slot>(*std::move(source));
    return true;
}

void IfdReader::close_slot(std::size_t number)
{
    std::shared_ptr<Slot> closing;
    {
        const std::lock_guard guard(mutex_);
        if (number < slots_.size()) closing.swap(slots_.at(number));
    }
    if (closing) closing->power_off();
}

bool IfdReader::is_closed() const
{
    const std::lock_guard guard(mutex_);
    return std::ranges::none_of(slots_, [](const auto& slot) { return slot != nullptr; });
}

std::shared_ptr<Slot> IfdReader::slot(std::size_t number) const
{
    const std::lock_guard guard(mutex_);
    return number < slots_.size() ? slots_.at(number) : nullptr;
}

}  // namespace tallycard::ifd
