// SPDX-License-Identifier: Apache-2.0
// A real node with a chain of its own, on a free port of loopback; it ends with this object.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/wait_until.hpp"

namespace tallycard::test {

class Anvil {
public:
    static constexpr std::uint64_t chain_id = 31337;

    // `arguments`: besides the usual ones, as "--no-mining".
    explicit Anvil(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments))
    {
        start();
    }
    Anvil(const Anvil&) = delete;
    Anvil& operator=(const Anvil&) = delete;
    ~Anvil() { stop(SIGKILL); }

    std::string url() const { return "http://127.0.0.1:" + port_; }

    void stop(int signal)
    {
        if (pid_ <= 0) return;
        ::kill(pid_, signal);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    // The first time on a free port, then on the same one. What it knew is gone, unless the
    // arguments say where it is kept.
    void start()
    {
        const auto log = folder_.file(("log-" + std::to_string(++starts_)).c_str());
        const std::vector<std::string> usual{
            TALLYCARD_ANVIL, "--port", port_,       "--chain-id", std::to_string(chain_id),
            "--accounts",    "3",      "--no-cors", "--threads",  "1"};
        std::vector<char*> argv;
        for (const auto* list : {&usual, static_cast<const std::vector<std::string>*>(&arguments_)})
            for (const auto& word : *list) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            ::dup2(file, STDOUT_FILENO);
            ::dup2(file, STDERR_FILENO);
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        testing::wait_until("anvil listens", [&] { return is_listening(log); });
    }

private:
    bool is_listening(const std::string& log)
    {
        constexpr std::string_view mark = "Listening on 127.0.0.1:";
        std::ifstream in(log);
        for (std::string line; std::getline(in, line);) {
            if (!line.starts_with(mark) || in.eof()) continue;
            port_ = line.substr(mark.size());
            return true;
        }
        return false;
    }

    TemporaryFolder folder_;
    std::vector<std::string> arguments_;
    std::string port_ = "0";
    int starts_ = 0;
    pid_t pid_ = 0;
};

}  // namespace tallycard::test
