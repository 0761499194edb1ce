// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <tallycard/checkpoint.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

#include "event_log.hpp"
#include "settings.hpp"

namespace tallycard::service {

// A platform as a service: HTTPS, roles, limits, metrics. Thread-safe.
class Service {
public:
    // Bound to its address; serving once run() is called. The platform, the key (null: no
    // checkpoints) and the log must outlive it. Errors as of the files, and of the address.
    static Result<std::unique_ptr<Service>> open(Platform& platform, const CheckpointKey* key,
                                                 const ServiceSettings& settings, EventLog& log);
    virtual ~Service() = default;

    virtual std::uint16_t port() const = 0;
    virtual void run() = 0;   // until stop()
    virtual void stop() = 0;  // what was asked is answered, then run() returns
    // Reads the clients and the certificates again, from the files that it was opened with. Where
    // one of them does not read, everything stays as it was.
    virtual Result<void> reload() = 0;
};

}  // namespace tallycard::service
