// SPDX-License-Identifier: Apache-2.0
#include "secret_input.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
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
// `ready()` is asked before each.
template <class Ready>
Result<void> read_line(int descriptor, Line& line, const char* where, Ready&& ready)
{
    while (ready()) {
        char c = 0;
        const auto n = ::read(descriptor, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return rejected(where);
        if (n == 0 || c == '\n') return {};
        if (line.size == line.chars.size()) return Error{.code = Errc::malformed, .where = where};
        line.chars[line.size++] = c;
    }
    return {};
}

Result<void> read_line(int descriptor, Line& line, const char* where)
{
    return read_line(descriptor, line, where, [] { return true; });
}

// Signals that would leave a terminal without its echo are held back for as long as it lives, and
// do then what they do; came() tells that there is one.
class HeldSignals {
public:
    HeldSignals()
    {
        sigset_t held;
        ::sigemptyset(&held);
        ::sigprocmask(SIG_BLOCK, nullptr, &before_);
        for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP})
            if (::sigismember(&before_, number) == 0) ::sigaddset(&held, number);
        ::sigprocmask(SIG_BLOCK, &held, nullptr);
        descriptor_ = ::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    ~HeldSignals()
    {
        if (descriptor_ >= 0) ::close(descriptor_);
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    }

    // Waits until there is something to read, or one of the signals has come.
    bool came_before(int readable)
    {
        std::array<pollfd, 2> watched{pollfd{.fd = descriptor_, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = readable, .events = POLLIN, .revents = 0}};
        while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
        }
        came_ = watched[0].revents != 0;
        return came_;
    }
    bool came() const { return came_; }

private:
    sigset_t before_{};
    int descriptor_;
    bool came_ = false;
};

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

enum class Asked : std::uint8_t { answered, interrupted };

// The echo is on again before a signal that came meanwhile is let through.
Result<Asked> ask(int terminal, const std::string& prompt, Line& line, const char* where)
{
    HeldSignals signals;
    Result<void> read;
    if (::write(terminal, prompt.data(), prompt.size()) >= 0) {
        const Silence silence(terminal);
        read = read_line(terminal, line, where, [&] { return !signals.came_before(terminal); });
    }
    (void)!::write(terminal, "\n", 1);
    if (!read) return read.error();
    return signals.came() ? Asked::interrupted : Asked::answered;
}

Result<void> prompt_line(const std::string& prompt, Line& line, const char* where)
{
    const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) return rejected(where);
    auto asked = ask(terminal, prompt, line, where);
    while (asked && *asked == Asked::interrupted) {  // it was to stop, and goes on
        line.erase();
        line.size = 0;
        asked = ask(terminal, prompt, line, where);
    }
    ::close(terminal);
    if (!asked) return asked.error();
    return {};
}

// What is read, as errors name it.
struct FileNames {
    const char *file, *open_to_others;
};
constexpr FileNames passphrase_file{"passphrase file",
                                    "passphrase file is open to others (chmod 600)"};
constexpr FileNames token_pin_file{"PIN file of the token",
                                   "PIN file of the token is open to others (chmod 600)"};

// What a pipe or a terminal gives is not there for others to read.
Result<void> check_private(int file, const FileNames& names)
{
    struct stat status {};
    if (::fstat(file, &status) != 0) return rejected(names.file);
    if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        errno = EACCES;
        return rejected(names.open_to_others);
    }
    return {};
}

Result<void> read_file(const std::string& path, Line& line, const FileNames& names)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return rejected(names.file);
    auto read = check_private(file, names);
    if (read) read = read_line(file, line, names.file);
    ::close(file);
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

Result<PinBlock> new_pin(const std::string& prompt, std::optional<int> descriptor)
{
    auto first = pin(prompt, descriptor);
    if (!first || descriptor) return first;
    const auto second = pin("The same again", descriptor);
    if (!second) return second.error();
    if (!detail::equal(first->reveal(), second->reveal()))
        return Error{.code = Errc::malformed, .where = "new PIN (the two differ)"};
    return first;
}

Result<Passphrase> passphrase(const std::string& prompt, const PassphraseSource& source,
                              bool confirm)
{
    Line line;
    if (!source.file.empty()) {
        if (const auto read = read_file(source.file, line, passphrase_file); !read)
            return read.error();
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

Result<Passphrase> token_pin(const std::string& prompt, const PassphraseSource& source)
{
    Line line;
    auto read = Result<void>();
    if (!source.file.empty()) {
        read = read_file(source.file, line, token_pin_file);
    } else if (source.descriptor) {
        read = read_line(*source.descriptor, line, "PIN of the token (from --hsm-pin-fd)");
    } else {
        read = prompt_line(prompt + ": ", line, "PIN of the token (no terminal; --hsm-pin-file)");
    }
    if (!read) return read.error();
    return Passphrase::take(line.text());
}

}  // namespace secret_input
