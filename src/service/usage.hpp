// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

#include "../issuer/sqlite_database.hpp"

namespace tallycard::service {

// What each client has moved today (UTC), counted when it asks for an operation. An operation
// counts once, whatever becomes of it unless the platform refuses it. In a file of its own, which
// survives the process; the loss of power may take the last moments. Thread-safe.
class Usage {
public:
    // Empty path: in memory.
    static Result<std::unique_ptr<Usage>> open(const std::string& path);

    // Errc::client_limit where the day's sum would be above `most`.
    Result<void> count(std::string_view client, const OperationId& id, std::uint64_t amount,
                       std::uint64_t most);
    // The platform refused it.
    Result<void> forget(std::string_view client, const OperationId& id);

private:
    explicit Usage(std::unique_ptr<sqlite::Database> database) : database_(std::move(database)) {}
    Result<void> start();
    std::mutex mutex_;
    std::unique_ptr<sqlite::Database> database_;
};

}  // namespace tallycard::service
