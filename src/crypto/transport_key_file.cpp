// SPDX-License-Identifier: Apache-2.0
#include <tallycard/transport_key_file.hpp>

#include <array>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tallycard/fixed_bytes.hpp>

namespace tallycard {
namespace {

constexpr const char* where = "transport key file";
constexpr std::size_t digits = 2 * TransportKey::size;

Error rejected(const char* what)
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = what};
}

// One byte more than a key file has, so that a longer one is noticed.
struct Text {
    Text() = default;
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;
    std::array<char, digits + 2> chars{};
    std::size_t size = 0;
    ~Text() { detail::erase({reinterpret_cast<std::uint8_t*>(chars.data()), chars.size()}); }
};

Result<void> check(int descriptor)
{
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return rejected(where);
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return rejected("transport key file is not a regular file");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        errno = EACCES;
        return rejected("transport key file is open to others (chmod 600)");
    }
    return {};
}

Result<void> read_all(int descriptor, Text& text)
{
    while (text.size < text.chars.size()) {
        const auto n =
            ::read(descriptor, text.chars.data() + text.size, text.chars.size() - text.size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected(where);
        if (n == 0) break;
        text.size += static_cast<std::size_t>(n);
    }
    return {};
}

Result<TransportKey> parse(const Text& text)
{
    std::string_view hex(text.chars.data(), text.size);
    if (hex.ends_with('\n')) hex.remove_suffix(1);
    if (hex.size() != digits) {
        return Error{.code = Errc::malformed,
                     .detail = static_cast<std::uint32_t>(hex.size()),
                     .where = "transport key file is not 64 hex digits"};
    }
    std::array<std::uint8_t, TransportKey::size> bytes{};
    const bool is_hex = detail::from_hex(hex, bytes);
    TransportKey key(bytes);
    if (is_hex) return key;
    const auto at = hex.find_first_not_of("0123456789abcdef");
    return Error{.code = Errc::malformed,
                 .detail = static_cast<std::uint32_t>(at),
                 .where = "transport key file has something else than 0-9 and a-f"};
}

}  // namespace

Result<TransportKey> read_transport_key(const std::string& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) return Error{.code = Errc::file_missing, .where = where};
        return rejected(where);
    }
    Text text;
    auto done = check(descriptor);
    if (done) done = read_all(descriptor, text);
    ::close(descriptor);
    if (!done) return done.error();
    return parse(text);
}

}  // namespace tallycard
