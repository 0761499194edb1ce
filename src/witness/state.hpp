// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <tallycard/merkle.hpp>
#include <tallycard/result.hpp>

namespace tallycard::witness {

// What a witness has cosigned last of each log: one file for each, which is that checkpoint as its
// log signed it. One process at a time. Move-only.
class State {
public:
    // Makes the folder where there is none. Errc::file_in_use while another process has it.
    static Result<State> open(const std::string& folder);
    State(State&& other) noexcept;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    State& operator=(State&&) = delete;
    ~State();

    // nullopt: nothing of this log yet. Errc::file_damaged: never taken for that.
    Result<std::optional<merkle::Head>> newest(std::string_view origin) const;
    // Durable when it returns.
    Result<void> put(std::string_view origin, std::string_view note) const;

private:
    State(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
    void remove_leftovers() const;
    std::string folder_;
    int lock_;
};

// Without the lock, for whoever only looks.
Result<std::optional<merkle::Head>> newest_in(const std::string& folder, std::string_view origin);

}  // namespace tallycard::witness
