// SPDX-License-Identifier: Apache-2.0
#include "text_file.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace tallycard {

namespace {

Error rejected(const char* where)
{
    if (errno == ENOENT) return {.code = Errc::file_missing, .where = where};
    if (errno == EEXIST) return {.code = Errc::file_exists, .where = where};
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = where};
}

Result<std::string> read_all(int file, std::size_t longest, const char* where)
{
    std::string text;
    std::array<char, 4096> piece;
    for (;;) {
        const auto n = ::read(file, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected(where);
        if (n == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(n));
        if (text.size() > longest) return Error{.code = Errc::file_damaged, .where = where};
    }
}

}  // namespace

Result<std::string> read_text(const std::string& path, std::size_t longest, const char* where)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return rejected(where);
    auto text = read_all(file, longest, where);
    ::close(file);
    return text;
}

Result<TextWriter> TextWriter::create(const std::string& path, const char* where)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return rejected(where);
    return TextWriter(file);
}

TextWriter::TextWriter(TextWriter&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

TextWriter::~TextWriter()
{
    close();
}

void TextWriter::close() noexcept
{
    if (file_ >= 0) ::close(std::exchange(file_, -1));
}

void TextWriter::append(std::string_view text) noexcept
{
    while (file_ >= 0 && !text.empty()) {
        const auto n = ::write(file_, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return close();
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace tallycard
