// SPDX-License-Identifier: Apache-2.0
#include "state.hpp"

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../issuer/files.hpp"
#include "../issuer/signed_note.hpp"
#include "../protocol/digest.hpp"

namespace tallycard::witness {
namespace {

constexpr std::size_t name_size = 64;  // of a state's file: SHA-256 of the origin, in hex

Error os_error(const char* where)
{
    const auto code = static_cast<std::uint32_t>(errno);
    return {.code = Errc::file_rejected, .detail = code, .where = where};
}

std::string file_of(const std::string& folder, std::string_view origin)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(origin.data());
    return folder + '/' + sha256({bytes, origin.size()}).to_string();
}

}  // namespace

Result<State> State::open(const std::string& folder)
{
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return os_error("witness's state");
    if (const auto kept = files::sync_folder_of(folder); !kept) return kept.error();
    const auto path = folder + "/lock";
    const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return os_error("witness's state");
    State state(folder, lock);
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return Error{.code = Errc::file_in_use, .where = "witness's state"};
        return os_error("witness's state");
    }
    state.remove_leftovers();
    return state;
}

State::State(State&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1))
{
}

State::~State()
{
    if (lock_ >= 0) ::close(lock_);
}

// A process that was killed leaves what it had not put into place.
void State::remove_leftovers() const
{
    std::error_code failed;
    std::vector<std::filesystem::path> leftovers;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
        const auto name = entry.path().filename().string();
        if (name.size() > name_size && name[name_size] == '.') leftovers.push_back(entry.path());
    }
    for (const auto& path : leftovers) std::filesystem::remove(path, failed);
}

Result<std::optional<merkle::Head>> newest_in(const std::string& folder, std::string_view origin)
{
    const auto note = files::read(file_of(folder, origin), longest_note);
    if (!note && note.error().code == Errc::file_missing) return std::optional<merkle::Head>();
    const Error damaged{.code = Errc::file_damaged, .where = "witness's state"};
    if (!note) return note.error().code == Errc::file_damaged ? damaged : note.error();
    const auto parsed = SignedNote::parse(*note);
    if (!parsed) return damaged;
    const auto checkpoint = CheckpointText::parse(parsed->text);
    if (!checkpoint || checkpoint->origin != origin) return damaged;
    return std::optional(checkpoint->head);
}

Result<std::optional<merkle::Head>> State::newest(std::string_view origin) const
{
    return newest_in(folder_, origin);
}

Result<void> State::put(std::string_view origin, std::string_view note) const
{
    return files::replace(file_of(folder_, origin), note);
}

}  // namespace tallycard::witness
