// SPDX-License-Identifier: Apache-2.0
#include "file_storage.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tallycard::chip {
namespace {

constexpr const char* where = "card image";

Error rejected(const char* what = where)
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = what};
}

Result<void> lock(int descriptor)
{
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return Error{.code = Errc::file_in_use, .where = where};
        if (errno != EINTR) return rejected();
    }
    return {};
}

Result<void> check_owner_only(int descriptor)
{
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return rejected();
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return rejected("card image is not a regular file");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        errno = EACCES;
        return rejected("card image holds secrets and others may read it (chmod 600)");
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<FileStorage>> FileStorage::open(const std::string& path, bool durable)
{
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) return Error{.code = Errc::file_missing, .where = where};
        return rejected();
    }
    std::unique_ptr<FileStorage> storage(new FileStorage(descriptor, path, durable));
    if (auto done = check_owner_only(descriptor); !done) return done.error();
    if (auto done = lock(descriptor); !done) return done.error();
    return storage;
}

Result<std::unique_ptr<FileStorage>> FileStorage::create(const std::string& path, bool durable)
{
    auto draft = path + ".XXXXXX";
    const int descriptor = ::mkostemp(draft.data(), O_CLOEXEC);  // O_EXCL, mode 0600
    if (descriptor < 0) return rejected();
    std::unique_ptr<FileStorage> storage(new FileStorage(descriptor, path, durable));
    storage->draft_path_ = std::move(draft);
    if (auto done = lock(descriptor); !done) return done.error();
    return storage;
}

Result<void> FileStorage::publish()
{
    if (::link(draft_path_.c_str(), path_.c_str()) != 0) {
        if (errno == EEXIST) return Error{.code = Errc::file_exists, .where = where};
        return rejected();
    }
    ::unlink(draft_path_.c_str());
    draft_path_.clear();
    return sync_directory();
}

Result<void> FileStorage::sync_directory() const
{
    if (!durable_) return {};
    const auto slash = path_.rfind('/');
    const auto directory =
        slash == std::string::npos ? std::string(".") : path_.substr(0, slash == 0 ? 1 : slash);
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return rejected();
    const int done = ::fsync(descriptor);
    const auto result = done == 0 ? Result<void>() : Result<void>(rejected());
    ::close(descriptor);
    return result;
}

FileStorage::~FileStorage()
{
    if (!draft_path_.empty()) ::unlink(draft_path_.c_str());
    ::close(descriptor_);
}

bool FileStorage::read(std::size_t offset, std::span<std::uint8_t> out)
{
    while (!out.empty()) {
        const auto n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        offset += static_cast<std::size_t>(n);
        out = out.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool FileStorage::write(std::size_t offset, std::span<const std::uint8_t> bytes)
{
    while (!bytes.empty()) {
        const auto n =
            ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        offset += static_cast<std::size_t>(n);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool FileStorage::sync()
{
    return !durable_ || ::fdatasync(descriptor_) == 0;
}

}  // namespace tallycard::chip
