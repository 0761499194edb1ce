// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/postgres_store.hpp>

namespace tallycard::postgres {

// How transactions that write keep out of each other's way. `queue`: one at a time, each waits for
// its turn. `optimistic`: side by side, and whoever is second begins again.
enum class Turns : std::uint8_t { queue, optimistic };

// `queue` becomes `optimistic` where the server has no LOCK TABLE.
Result<std::unique_ptr<Store>> open(const std::string& conninfo, Turns turns);

}  // namespace tallycard::postgres
