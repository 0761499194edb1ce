// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tallycard/merkle.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/witness_policy.hpp>

#include "../https/connection.hpp"

namespace tallycard::service {

// The way to one witness of the policy, as C2SP tlog-witness has it. One thread at a time.
class WitnessLink {
public:
    using Clock = std::chrono::steady_clock;

    // Talks to nobody yet. Errors as of the file of the authority; Errc::malformed for the URL.
    static Result<WitnessLink> open(const WitnessPolicy::Witness& witness,
                                    const std::string& authority);
    const std::string& name() const { return witness_.name; }

    // Whether it is worth asking: after failures only now and then.
    bool may_be_asked() const { return Clock::now() >= not_before_; }
    // Its signature line for the checkpoint of this note; empty: it did not sign, and fault() says
    // why. Takes some seconds at most.
    std::string ask(Platform& platform, const std::string& note, const merkle::Head& head);
    const std::string& fault() const { return fault_; }
    // From any thread, while ask() runs: ends it. allow() before it runs again.
    void cancel() { connection_.cancel(); }
    void allow() { connection_.allow(); }

private:
    WitnessLink(WitnessPolicy::Witness witness, https::Connection connection, std::string path)
        : witness_(std::move(witness)), connection_(std::move(connection)), path_(std::move(path))
    {
    }
    // nullopt: it knows another size, and is to be asked again.
    std::optional<std::string> ask_once(Platform& platform, const std::string& note,
                                        const merkle::Head& head);
    std::optional<std::string> conflict(const std::string& body, const merkle::Head& head,
                                        std::uint64_t asked_from);
    std::string fail(std::string why);

    WitnessPolicy::Witness witness_;
    https::Connection connection_;
    std::string path_;
    std::uint64_t known_ = 0;  // entries that it has seen, as far as we know
    unsigned failures_ = 0;
    Clock::time_point not_before_;
    std::string fault_;
};

}  // namespace tallycard::service
