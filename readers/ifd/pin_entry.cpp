// SPDX-License-Identifier: Apache-2.0
#include "pin_entry.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tallycard/secret.hpp>

#include "../vpcd/descriptor.hpp"

namespace tallycard::ifd {
namespace {

using namespace std::chrono;

constexpr const char* where = "PIN entry";

Error rejected(const char* what, int code)
{
    return {.code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(code), .where = what};
}

// The next character; what ends without a line feed ends as with one.
Result<char> read_key(int from, milliseconds at_most)
{
    const auto end = steady_clock::now() + at_most;
    for (;;) {
        const auto left = ceil<milliseconds>(end - steady_clock::now()).count();
        pollfd waiting{from, POLLIN, 0};
        const int count = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
        if (count == 0) return Error{.code = Errc::timed_out, .where = where};
        char key = 0;
        const auto n = count > 0 ? ::read(from, &key, 1) : -1;
        if (n == 1) return key;
        if (n == 0) return '\n';
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        return Error{.code = Errc::cancelled, .where = where};
    }
}

// One line, one character at a time: what follows is for the next question.
Result<void> read_line(int from, const PinQuestion& question, TypedPin& pin)
{
    auto patience = question.first;
    Errc wrong{};
    bool is_wrong = false;
    const auto mark = [&](Errc code) {
        wrong = code;
        is_wrong = true;
    };
    for (;;) {
        auto key = read_key(from, patience);
        patience = question.next;
        if (!key) return key.error();
        if (*key == '\r') continue;
        if (*key == '\n') break;
        if (*key < '0' || *key > '9') {
            mark(Errc::cancelled);
        } else if (!is_wrong && !pin.append(*key)) {
            mark(Errc::malformed);
        }
        *key = 0;
    }
    if (pin.size() == 0 && !is_wrong) mark(Errc::cancelled);
    if (is_wrong) return Error{.code = wrong, .where = where};
    return {};
}

class PinPipe final : public PinEntry {
public:
    explicit PinPipe(Descriptor pipe) : pipe_(std::move(pipe)) {}

private:
    Result<int> begin(const PinQuestion&) override { return pipe_.number(); }
    bool finish(bool) override { return true; }

    Descriptor pipe_;
};

// What a program may do: its output is ours, its signals are as for any program, and nothing of
// pcscd's is open in it. A group of its own, so that all of it can be ended.
class SpawnRules {
public:
    explicit SpawnRules(int output)
    {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
        ::posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        constexpr int flags =
            POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        ::posix_spawnattr_setflags(&attributes, flags);
    }
    SpawnRules(const SpawnRules&) = delete;
    SpawnRules& operator=(const SpawnRules&) = delete;
    ~SpawnRules()
    {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
};

class PinPrompt final : public PinEntry {
public:
    explicit PinPrompt(std::string command) : command_(std::move(command)) {}

private:
    Result<int> begin(const PinQuestion& question) override
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return rejected("pin-prompt", errno);
        output_ = Descriptor(ends[0]);
        const Descriptor input(ends[1]);
        const SpawnRules rules(input.number());
        const std::string prompt = std::string("TALLYCARD_PIN_PROMPT=") + question.what;
        const std::string slot = "TALLYCARD_SLOT=" + std::to_string(question.slot);
        const std::string path =
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        const std::array<const char*, 4> environment = {prompt.c_str(), slot.c_str(), path.c_str(),
                                                        nullptr};
        const std::array<const char*, 4> arguments = {"sh", "-c", command_.c_str(), nullptr};
        const int code = ::posix_spawn(&process_, "/bin/sh", &rules.actions, &rules.attributes,
                                       const_cast<char* const*>(arguments.data()),
                                       const_cast<char* const*>(environment.data()));
        if (code != 0) {
            process_ = 0;
            return rejected("pin-prompt", code);
        }
        return output_.number();
    }

    // A program that has answered, and goes on for long, has nothing more to say.
    bool finish(bool answered) override
    {
        output_ = Descriptor();
        const auto end = steady_clock::now() + seconds(answered ? 1 : 0);
        int status = 0;
        pid_t ended = 0;
        do {
            ended = ::waitpid(process_, &status, WNOHANG);
            if (ended == 0 && answered) ::poll(nullptr, 0, 5);
        } while ((ended == 0 || (ended < 0 && errno == EINTR)) && steady_clock::now() < end);
        const auto process = std::exchange(process_, 0);
        ::kill(-process, SIGKILL);
        if (ended == 0) ::waitpid(process, nullptr, 0);
        return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    std::string command_;
    Descriptor output_;
    pid_t process_ = 0;
};

}  // namespace

bool TypedPin::append(char digit)
{
    if (size_ == digits_.size()) return false;
    digits_[size_++] = digit;
    return true;
}

void TypedPin::clear()
{
    detail::erase({reinterpret_cast<std::uint8_t*>(digits_.data()), digits_.size()});
    size_ = 0;
}

Result<void> PinEntry::ask(const PinQuestion& question, TypedPin& pin)
{
    const std::lock_guard guard(mutex_);
    pin.clear();
    const auto from = begin(question);
    if (!from) return from.error();
    const auto read = read_line(*from, question, pin);
    const bool counts = finish(read.has_value());
    if (read && !counts) return Error{.code = Errc::cancelled, .where = where};
    return read;
}

Result<std::unique_ptr<PinEntry>> open_pin_pipe(const std::string& path)
{
    if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) return rejected("pin-pipe", errno);
    // Both ends, so that it never ends, and what is written waits for the question.
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
    Descriptor pipe(::open(path.c_str(), flags));
    struct stat status {};
    if (!pipe.is_open() || ::fstat(pipe.number(), &status) != 0) return rejected("pin-pipe", errno);
    if (!S_ISFIFO(status.st_mode)) return rejected("pin-pipe is no pipe", EINVAL);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return rejected("pin-pipe is for others to read (chmod 600)", EACCES);
    return std::unique_ptr<PinEntry>(std::make_unique<PinPipe>(std::move(pipe)));
}

std::unique_ptr<PinEntry> open_pin_prompt(std::string command)
{
    return std::make_unique<PinPrompt>(std::move(command));
}

}  // namespace tallycard::ifd
