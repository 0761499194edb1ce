// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace testing {

// Looks until it holds; a test that waits for ever is a failure with a name.
inline void wait_until(const std::string& what, const std::function<bool()>& holds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

// The pcscd of tests/integration/private_pcscd.sh --no-daemon; it ends with this object.
class PcscdProcess {
public:
    enum class Readers { vpcd, none };

    explicit PcscdProcess(Readers readers = Readers::vpcd) : readers_(readers) { start(); }
    PcscdProcess(const PcscdProcess&) = delete;
    PcscdProcess& operator=(const PcscdProcess&) = delete;
    ~PcscdProcess() { stop(SIGTERM); }

    void start()
    {
        const auto config = readers_ == Readers::vpcd ? config_dir() : empty_dir();
        pid_ = fork();
        if (pid_ == 0) {
            execlp("pcscd", "pcscd", "--foreground", "--critical", "-c", config.c_str(), nullptr);
            _exit(127);
        }
        wait_until("pcscd is ready", [this] { return is_ready(); });
    }

    void stop(int signal)
    {
        if (pid_ <= 0) return;
        kill(pid_, signal);
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    static std::filesystem::path config_dir()
    {
        const char* dir = std::getenv("TALLYCARD_PCSCD_CONFIG");
        if (dir == nullptr) throw std::runtime_error("run this with private_pcscd.sh --no-daemon");
        return dir;
    }

private:
    static std::filesystem::path empty_dir()
    {
        const auto dir = config_dir().parent_path() / "no-readers";
        std::filesystem::create_directories(dir);
        return dir;
    }

    // Its socket serves, and both ports of vpcd listen. The kernel is asked, since whoever connects
    // to such a port is a card.
    bool is_ready() const
    {
        if (waitpid(pid_, nullptr, WNOHANG) != 0) throw std::runtime_error("pcscd ended");
        std::ifstream file("/proc/net/unix");
        const std::string unix_sockets(std::istreambuf_iterator<char>(file), {});
        if (unix_sockets.find("pcscd.comm") == std::string::npos) return false;
        if (readers_ == Readers::none) return true;
        std::ifstream tcp("/proc/net/tcp");
        const std::string listening(std::istreambuf_iterator<char>(tcp), {});
        return listening.find(":8C7B 00000000:0000 0A") != std::string::npos &&
               listening.find(":8C7C 00000000:0000 0A") != std::string::npos;
    }

    Readers readers_;
    pid_t pid_ = 0;
};

}  // namespace testing
