// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/witness_policy.hpp>

#include "checkpoints.hpp"
#include "event_log.hpp"
#include "settings.hpp"
#include "witness_link.hpp"

namespace tallycard::service {

// Has each new checkpoint cosigned, by a thread of its own: whoever settles never waits for a
// witness. Keeps the newest checkpoint that enough of them cosigned in a file, too; should that be
// lost, they are asked again. Thread-safe.
class Witnesses {
public:
    // Asks from now on. The platform, the checkpoints and the log must outlive it. Errors as of the
    // policy's file, and of the links; Errc::witnesses_missing where too few of the policy's
    // witnesses have a URL.
    static Result<std::unique_ptr<Witnesses>> open(Platform& platform, Checkpoints& checkpoints,
                                                   const WitnessSettings& settings, EventLog& log);
    Witnesses(const Witnesses&) = delete;
    Witnesses& operator=(const Witnesses&) = delete;
    ~Witnesses();  // waits for nobody's answer

    // The newest that reached the policy. Errc::witnesses_missing: none has.
    Result<std::string> newest() const;
    std::uint64_t size() const;  // of its tree; 0: there is none

private:
    struct Round;
    Witnesses(Platform& platform, Checkpoints& checkpoints, const WitnessSettings& settings,
              EventLog& log, WitnessPolicy policy);
    Result<void> start();
    void read_kept();
    void work();
    void ask(Round& round);
    void await(const Round& round, const std::set<std::size_t>& asked);
    void report(WitnessLink& link, const std::string& before);
    void show(const std::string& note, std::uint64_t size);

    Platform* platform_;
    Checkpoints* checkpoints_;
    WitnessSettings settings_;
    EventLog* log_;
    WitnessPolicy policy_;
    std::vector<WitnessLink> links_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;  // stopping_, or an answer
    bool stopping_ = false;
    std::string newest_;
    std::uint64_t size_ = 0;
    std::thread worker_;
};

}  // namespace tallycard::service
