// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "wait_until.hpp"

namespace testing {

// The pcscd of tests/integration/private_pcscd.sh --no-daemon; it ends with this object.
class PcscdProcess {
public:
    // full: as many of our driver's as pcscd has room for.
    enum class Readers { vpcd, tallycard, full, none };

    // `log`: a file for what pcscd and its drivers report as errors; empty: they report nothing.
    explicit PcscdProcess(Readers readers = Readers::vpcd, std::string log = {})
        : readers_(readers), log_(std::move(log))
    {
        start();
    }
    PcscdProcess(const PcscdProcess&) = delete;
    PcscdProcess& operator=(const PcscdProcess&) = delete;
    ~PcscdProcess() { stop(SIGTERM); }

    void start()
    {
        const auto config = readers_ == Readers::none ? empty_dir() : config_dir();
        const SlotsInConfig slots(readers_ == Readers::full ? "16" : "");
        pid_ = fork();
        if (pid_ == 0) {
            preload_sanitizer();
            const auto* level = log_.empty() ? "--critical" : "--error";
            if (!log_.empty()) write_output_to(log_);
            execlp("pcscd", "pcscd", "--foreground", level, "-c", config.c_str(), nullptr);
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
    // So many slots in our driver's configuration, until pcscd is ready.
    class SlotsInConfig {
    public:
        explicit SlotsInConfig(const std::string& number)
        {
            if (number.empty()) return;
            path_ = std::getenv("TALLYCARD_IFD_CONFIG");
            before_ = std::filesystem::file_size(path_);
            std::ofstream(path_, std::ios::app) << "slots = " << number << '\n';
        }
        SlotsInConfig(const SlotsInConfig&) = delete;
        SlotsInConfig& operator=(const SlotsInConfig&) = delete;
        ~SlotsInConfig()
        {
            std::error_code ignored;
            if (!path_.empty()) std::filesystem::resize_file(path_, before_, ignored);
        }

    private:
        std::filesystem::path path_;
        std::uintmax_t before_ = 0;
    };

    // A driver that was built with a sanitizer needs it in the process from the start. pcscd itself
    // has leaks.
    static void preload_sanitizer()
    {
        const char* library = std::getenv("TALLYCARD_PCSCD_PRELOAD");
        if (library == nullptr || *library == '\0') return;
        setenv("LD_PRELOAD", library, 1);
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    }

    static void write_output_to(const std::string& log)
    {
        const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(file, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
    }

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
        if (readers_ != Readers::vpcd) return true;
        std::ifstream tcp("/proc/net/tcp");
        const std::string listening(std::istreambuf_iterator<char>(tcp), {});
        return listening.find(":8C7B 00000000:0000 0A") != std::string::npos &&
               listening.find(":8C7C 00000000:0000 0A") != std::string::npos;
    }

    Readers readers_;
    std::string log_;
    pid_t pid_ = 0;
};

}  // namespace testing
