// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace tallycard::files {
namespace {

Error os_error(const char* where)
{
    const int code = errno;
    auto what = Errc::file_rejected;
    if (code == ENOENT) what = Errc::file_missing;
    if (code == EEXIST) what = Errc::file_exists;
    return Error{.code = what, .detail = static_cast<std::uint32_t>(code), .where = where};
}

class Descriptor {
public:
    explicit Descriptor(int file) : file_(file) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (file_ >= 0) ::close(file_);
    }
    int get() const { return file_; }

private:
    int file_;
};

std::string folder_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read(const std::string& path, std::size_t longest)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return os_error("open");
    std::string content;
    std::array<char, 4096> buffer;
    for (;;) {
        const auto n = ::read(file.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("read");
        if (n == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(n));
        if (content.size() > longest) return Error{.code = Errc::file_damaged, .where = "read"};
    }
}

Result<void> sync_folder_of(const std::string& path)
{
    const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0) return os_error("open folder");
    if (::fsync(folder.get()) != 0) return os_error("fsync folder");
    return {};
}

Result<Replacement> Replacement::begin(const std::string& path)
{
    std::string temporary = path + ".XXXXXX";
    const int file = ::mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
    if (file < 0) return os_error("mkostemp");
    return Replacement(path, std::move(temporary), file);
}

Replacement::Replacement(Replacement&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::exchange(other.file_, -1))
{
}

Replacement::~Replacement()
{
    if (file_ >= 0) ::close(file_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> Replacement::append(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto n = ::write(file_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("write");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> Replacement::finish_writing()
{
    if (::fsync(file_) != 0) return os_error("fsync");
    if (::close(std::exchange(file_, -1)) != 0) return os_error("close");
    return {};
}

Result<void> Replacement::commit()
{
    if (const auto written = finish_writing(); !written) return written;
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return os_error("rename");
    temporary_.clear();
    return sync_folder_of(path_);
}

Result<void> Replacement::commit_if_new()
{
    if (const auto written = finish_writing(); !written) return written;
    if (::link(temporary_.c_str(), path_.c_str()) != 0) return os_error("link");
    ::unlink(temporary_.c_str());
    temporary_.clear();
    return sync_folder_of(path_);
}

Result<void> create(const std::string& path, std::string_view bytes)
{
    auto file = Replacement::begin(path);
    if (!file) return file.error();
    if (const auto written = file->append(bytes); !written) return written;
    return file->commit_if_new();
}

Result<void> replace(const std::string& path, std::string_view bytes)
{
    auto file = Replacement::begin(path);
    if (!file) return file.error();
    if (const auto written = file->append(bytes); !written) return written;
    return file->commit();
}

}  // namespace tallycard::files
