// SPDX-License-Identifier: Apache-2.0
#include "journal_file.hpp"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol/digest.hpp"

namespace tallycard::journal {
namespace {

constexpr const char* where = "journal";
constexpr std::string_view header = "tallycard-journal 1\n";
constexpr std::size_t check_size = 8;
// No append is longer: what is behind the last good line, and is longer, is not left of one.
constexpr std::size_t longest_append = 4096;

Error rejected()
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = where};
}

// The first four bytes of SHA-256(checksum of the line before ‖ line), in hex.
std::string check_of(std::string_view before, std::string_view line)
{
    const auto text = std::string(before) + std::string(line);
    const auto digest = sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return to_hex(digest.bytes().first<check_size / 2>());
}

bool write_all(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const auto n = ::write(descriptor, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

Result<std::string> read_all(int descriptor)
{
    std::string text;
    char block[4096];
    for (;;) {
        const auto n = ::read(descriptor, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected();
        if (n == 0) return text;
        text.append(block, static_cast<std::size_t>(n));
    }
}

// A file that was made or renamed just now has a durable name only when its folder is synced.
Result<void> sync_folder_of(const std::string& path)
{
    const auto folder = std::filesystem::absolute(path).parent_path().string();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return rejected();
    const bool synced = ::fsync(descriptor) == 0;
    const auto error = rejected();
    ::close(descriptor);
    if (!synced) return error;
    return {};
}

// Nobody can be asked to wake us when a lock is free: it is tried again, as SQLite does.
Result<void> lock(int descriptor, std::chrono::milliseconds wait)
{
    const auto end = std::chrono::steady_clock::now() + wait;
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return rejected();
        if (std::chrono::steady_clock::now() >= end)
            return Error{.code = Errc::file_in_use, .where = where};
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
}

// Whoever had it before may have put another file in its place.
bool is_still_there(int descriptor, const std::string& path)
{
    struct stat here {
    }, there{};
    return ::fstat(descriptor, &here) == 0 && ::stat(path.c_str(), &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

// What a loss of power can leave of an append that was not durable: a part of it, or blocks that
// were never written. Anything else was durable once.
bool is_torn(std::string_view rest)
{
    return rest.size() <= longest_append &&
           (rest.back() != '\n' || rest.find('\0') != std::string_view::npos);
}

}  // namespace

Error damaged(std::size_t line)
{
    return {.code = Errc::file_damaged,
            .detail = static_cast<std::uint32_t>(line),
            .column = 1,
            .where = where};
}

Result<std::unique_ptr<JournalFile>> JournalFile::open(const std::string& path,
                                                       std::chrono::milliseconds wait)
{
    std::unique_ptr<JournalFile> file;
    do {
        const int descriptor =
            ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
        if (descriptor < 0) return rejected();
        file.reset(new JournalFile(descriptor, path));
        if (auto locked = lock(descriptor, wait); !locked) return locked.error();
    } while (!is_still_there(file->descriptor_, path));
    if (auto loaded = file->load(); !loaded) return loaded.error();
    if (auto named = sync_folder_of(path); !named) return named.error();
    return file;
}

JournalFile::~JournalFile()
{
    ::close(descriptor_);
}

// What the last process wrote may be in the system's cache only: it is made durable before it
// counts.
Result<void> JournalFile::load()
{
    if (::fdatasync(descriptor_) != 0) return rejected();
    const auto text = read_all(descriptor_);
    if (!text) return text.error();
    if (text->size() < header.size() || text->front() == '\0') {
        const bool is_new = text->empty() || header.starts_with(*text) ||
                            text->find_first_not_of('\0') == std::string::npos;
        if (is_new) return begin_anew();
    }
    if (!text->starts_with(header)) {
        return Error{.code = Errc::file_malformed, .detail = 1, .column = 1, .where = where};
    }
    size_ = header.size();
    return take(std::string_view(*text).substr(header.size()));
}

Result<void> JournalFile::take(std::string_view text)
{
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        const auto content = line.substr(std::min(line.size(), check_size + 1));
        const auto check = check_of(check_, content);
        const bool whole = line.size() < text.size() && line.size() > check_size;
        if (!whole || line.substr(0, check_size) != check || line[check_size] != ' ') {
            if (is_torn(text)) return undo(size_);
            return damaged(lines_.size() + 2);
        }
        check_ = check;
        lines_.emplace_back(content);
        size_ += line.size() + 1;
        text.remove_prefix(line.size() + 1);
    }
    return {};
}

Result<void> JournalFile::begin_anew()
{
    if (auto emptied = undo(0); !emptied) return emptied;
    if (!write_all(descriptor_, header) || ::fdatasync(descriptor_) != 0) return rejected();
    size_ = header.size();
    return {};
}

Result<void> JournalFile::append(std::span<const std::string> lines)
{
    if (broken_) return Error{.code = Errc::file_rejected, .detail = EIO, .where = where};
    std::string text;
    auto check = check_;
    for (const auto& line : lines) {
        check = check_of(check, line);
        text.append(check).append(1, ' ').append(line).append(1, '\n');
    }
    TALLYCARD_EXPECTS(text.size() <= longest_append);
    if (::lseek(descriptor_, static_cast<off_t>(size_), SEEK_SET) < 0) return rejected();
    if (!write_all(descriptor_, text) || ::fdatasync(descriptor_) != 0) {
        const auto error = rejected();
        broken_ = !undo(size_);
        return error;
    }
    check_ = check;
    size_ += text.size();
    return {};
}

Result<void> JournalFile::replace(std::span<const std::string> lines)
{
    const auto draft = path_ + ".new";
    const int descriptor = ::open(
        draft.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return rejected();
    JournalFile next(descriptor, path_);
    if (auto locked = lock(descriptor, std::chrono::milliseconds(0)); !locked) return locked;
    std::string text(header);
    for (const auto& line : lines) {
        next.check_ = check_of(next.check_, line);
        text.append(next.check_).append(1, ' ').append(line).append(1, '\n');
    }
    next.size_ = text.size();
    if (!write_all(descriptor, text) || ::fsync(descriptor) != 0 ||
        ::rename(draft.c_str(), path_.c_str()) != 0)
        return rejected();
    // From here on the new file is the one: its name may go with the power, the old one's may not
    // be written to any more.
    std::swap(descriptor_, next.descriptor_);
    check_ = next.check_;
    size_ = next.size_;
    auto named = sync_folder_of(path_);
    broken_ = !named;
    return named;
}

Result<void> JournalFile::undo(std::size_t size)
{
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 ||
        ::lseek(descriptor_, static_cast<off_t>(size), SEEK_SET) < 0 || ::fsync(descriptor_) != 0)
        return rejected();
    return {};
}

}  // namespace tallycard::journal
