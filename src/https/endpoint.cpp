// SPDX-License-Identifier: Apache-2.0
#include "endpoint.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tallycard::https {
namespace {

constexpr std::size_t shortest_token = 20, longest_token = 128;

bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

bool is_host_character(char c)
{
    return is_token_character(c) || c == ':';
}

std::optional<std::uint16_t> port_of(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

Error rejected(int code, const char* where)
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(code), .where = where};
}

Result<std::string> read_line(int file)
{
    struct stat status {};
    if (::fstat(file, &status) != 0) return rejected(errno, "token file");
    if (!S_ISREG(status.st_mode)) return rejected(EINVAL, "token file is not a regular file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return rejected(EACCES, "token file is open to others (chmod 600)");
    std::array<char, longest_token + 2> buffer{};
    const auto n = ::read(file, buffer.data(), buffer.size());
    if (n < 0) return rejected(errno, "token file");
    std::string token(buffer.data(), static_cast<std::size_t>(n));
    if (token.ends_with('\n')) token.pop_back();
    if (!is_token(token)) return Error{.code = Errc::file_damaged, .where = "token file"};
    return token;
}

}  // namespace

bool is_token(std::string_view text)
{
    return text.size() >= shortest_token && text.size() <= longest_token &&
           std::ranges::all_of(text, is_token_character);
}

namespace {

// "HOST[:PORT]" behind the scheme.
std::optional<Endpoint> parse_authority(std::string_view url, Endpoint endpoint)
{
    if (url.starts_with('[')) {
        const auto end = url.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        endpoint.host = url.substr(1, end - 1);
        url.remove_prefix(end + 1);
    } else {
        endpoint.host = url.substr(0, url.find(':'));
        url.remove_prefix(endpoint.host.size());
    }
    if (endpoint.host.empty() || !std::ranges::all_of(endpoint.host, is_host_character))
        return std::nullopt;
    if (url.empty()) return endpoint;
    const auto port = url.starts_with(':') ? port_of(url.substr(1)) : std::nullopt;
    if (!port) return std::nullopt;
    endpoint.port = *port;
    return endpoint;
}

// 127.0.0.0/8, and no name that only begins like it.
bool is_ipv4_loopback(const std::string& host)
{
    in_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 &&
           ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

constexpr std::string_view tls_scheme = "https://", plain_scheme = "http://";

bool is_path_character(char c)
{
    return is_token_character(c) || c == '/' || c == '=' || c == '&' || c == '?' || c == '%';
}

}  // namespace

std::optional<Endpoint> parse_url(std::string_view url)
{
    if (!url.starts_with(tls_scheme)) return std::nullopt;
    url.remove_prefix(tls_scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    return parse_authority(url, {});
}

std::optional<Endpoint> parse_node_url(std::string_view url)
{
    Endpoint endpoint;
    if (url.starts_with(plain_scheme)) {
        endpoint.tls = false;
        endpoint.port = 8545;
    } else if (!url.starts_with(tls_scheme)) {
        return std::nullopt;
    }
    url.remove_prefix(url.find('/') + 2);
    const auto slash = url.find('/');
    if (slash != std::string_view::npos) {
        endpoint.path = url.substr(slash);
        url = url.substr(0, slash);
    }
    if (!std::ranges::all_of(endpoint.path, is_path_character)) return std::nullopt;
    return parse_authority(url, std::move(endpoint));
}

bool is_confidential(const Endpoint& endpoint)
{
    const auto& host = endpoint.host;
    return endpoint.tls || host == "localhost" || host == "::1" || is_ipv4_loopback(host);
}

Result<std::string> read_token(const std::string& path)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 && errno == ENOENT)
        return Error{.code = Errc::file_missing, .where = "token file"};
    if (file < 0) return rejected(errno, "token file");
    auto token = read_line(file);
    ::close(file);
    return token;
}

}  // namespace tallycard::https
