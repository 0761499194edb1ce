// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include <tallycard/checkpoint.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

namespace tallycard::service {

// The newest checkpoint, made when somebody asks, the ledger has grown and the last one is old
// enough: each costs a durable write. Thread-safe.
class Checkpoints {
public:
    // Without a key there are none: Errc::file_missing.
    Checkpoints(Platform& platform, const CheckpointKey* key, std::chrono::seconds at_most_every)
        : platform_(&platform), key_(key), every_(at_most_every)
    {
    }
    Result<std::string> newest();

private:
    using Clock = std::chrono::steady_clock;
    Platform* platform_;
    const CheckpointKey* key_;
    std::chrono::seconds every_;
    std::mutex mutex_;
    std::string note_;
    std::uint64_t size_ = 0;
    Clock::time_point made_;
};

}  // namespace tallycard::service
