// SPDX-License-Identifier: Apache-2.0
#include "secret_input.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

using namespace tallycard;

namespace {

// One line that erases itself.
struct Line {
    Line() = default;
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { erase(); }
    void erase() { detail::erase({reinterpret_cast<std::uint8_t*>(chars.data()), chars.size()}); }
    std::span<char> text() { return std::span(chars).first(size); }

    std::array<char, 512> chars{};
    std::size_t size = 0;
};

Error rejected(const char* where)
{
    return {.code = errno == ENOENT ? Errc::file_missing : Errc::file_rejected,
            .detail = static_cast<std::uint32_t>(errno),
            .where = where};
}

// Byte by byte, so that what follows the line stays for the next reader of the descriptor.
Result<void> read_line(int descriptor, Line& line, const char* where)
{
    for (;;) {
        char c = 0;
        const auto n = ::read(descriptor, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected(where);
        if (n == 0 || c == '\n') return {};
        if (line.size == line.chars.size()) return Error{.code = Errc::malformed, .where = where};
        line.chars[line.size++] = c;
    }
}

// Turns the echo off for as long as it lives.
class Silence {
public:
    explicit Silence(int terminal) : terminal_(terminal)
    {
        if (::tcgetattr(terminal_, &before_) != 0) return;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence()
    {
        if (changed_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    }

private:
    int terminal_;
    termios before_{};
    bool changed_ = false;
};

Result<void> prompt_line(const std::string& prompt, Line& line, const char* where)
{
    const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) return rejected(where);
    const auto say = [&](const std::string& text) {
        return ::write(terminal, text.data(), text.size()) >= 0;
    };
    Result<void> read;
    if (say(prompt)) {
        const Silence silence(terminal);
        read = read_line(terminal, line, where);
    }
    (void)say("\n");
    ::close(terminal);
    return read;
}

}  // namespace

namespace secret_input {

Result<PinBlock> pin(const std::string& prompt, std::optional<int> descriptor)
{
    Line line;
    const auto read = descriptor
                          ? read_line(*descriptor, line, "PIN (from --pin-fd)")
                          : prompt_line(prompt + ": ", line, "PIN (no terminal; use --pin-fd)");
    if (!read) return read.error();
    return make_pin_block(line.text());
}

Result<Passphrase> passphrase(const std::string& prompt, const PassphraseSource& source,
                              bool confirm)
{
    Line line;
    if (!source.file.empty()) {
        const int file = ::open(source.file.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) return rejected("passphrase file");
        const auto read = read_line(file, line, "passphrase file");
        ::close(file);
        if (!read) return read.error();
    } else if (source.descriptor) {
        const auto read = read_line(*source.descriptor, line, "passphrase (from --passphrase-fd)");
        if (!read) return read.error();
    } else {
        constexpr auto where = "passphrase (no terminal; use --passphrase-file)";
        if (auto read = prompt_line(prompt + ": ", line, where); !read) return read.error();
        Line again;
        if (confirm) {
            if (auto read = prompt_line("The same again: ", again, where); !read)
                return read.error();
            if (!std::ranges::equal(line.text(), again.text()))
                return Error{.code = Errc::wrong_passphrase, .where = "the two differ"};
        }
    }
    return Passphrase::take(line.text());
}

}  // namespace secret_input
