// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <tallycard/platform.hpp>

#include "chain_settings.hpp"
#include "event_log.hpp"

namespace tallycard::service {

// Writes the ledger to one chain, in a thread of its own: whatever the chain does, the service
// settles. Ends its thread when destroyed. Thread-safe.
class ChainFeed {
public:
    struct Status {
        evm::FeederReport report;
        std::uint64_t sent = 0, failed = 0, errors = 0;  // transactions; steps that went wrong
        bool works = false;                              // the last step did
    };

    // Errors are those of the settings and their files. Platform and log must outlive it.
    static Result<std::unique_ptr<ChainFeed>> open(Platform& platform,
                                                   const ChainSettings& settings, EventLog& log);
    ChainFeed(const ChainFeed&) = delete;
    ChainFeed& operator=(const ChainFeed&) = delete;
    ~ChainFeed();

    // Breaks off what is under way, and does not wait for it.
    void stop();
    const std::string& name() const { return settings_.name; }
    Status status() const;

private:
    ChainFeed(Platform& platform, ChainSettings settings, EventLog& log,
              std::unique_ptr<evm::Transport> node, std::unique_ptr<evm::Transport> signer);
    bool is_stopped() const;
    void run();
    void step();
    void tell(const evm::FeederEvent& event);
    void tell_of(const Error& error);

    ChainSettings settings_;
    EventLog* log_;
    std::unique_ptr<evm::Transport> transport_, signer_transport_;  // the second may be absent
    evm::Rpc rpc_, signer_rpc_;
    evm::Node node_;
    evm::Feeder feeder_;
    std::string last_error_;  // what the log has already

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    Status status_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace tallycard::service
