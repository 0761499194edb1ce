// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <tallycard/error.hpp>
#include <tallycard/export.hpp>

namespace tallycard {

// Throws ResultError, or aborts when the library was built without exceptions.
[[noreturn]] TALLYCARD_EXPORT void raise(const Error& error);

// A T, or the Error that prevented it. The names and meanings are those of
// std::expected<T, Error> (C++23), which our C++20 callers do not have.
//
//     auto limits = session.limits();
//     if (!limits) return limits.error();
//     show(*limits);
//
// Callers who prefer exceptions write `session.limits().value()`.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) noexcept : state_(std::in_place_index<1>, error) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& operator*() & noexcept { return *get(); }
    const T& operator*() const& noexcept { return *get(); }
    T&& operator*() && noexcept { return std::move(*get()); }
    T* operator->() noexcept { return get(); }
    const T* operator->() const noexcept { return get(); }

    const Error& error() const noexcept
    {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }

    T value() &&
    {
        if (!has_value()) raise(error());
        return std::move(*get());
    }

    // Calls next(value) and returns its Result, or passes this error on.
    template <class F>
    auto and_then(F&& next) && -> std::invoke_result_t<F, T>
    {
        if (!has_value()) return error();
        return std::forward<F>(next)(std::move(*get()));
    }

private:
    T* get() noexcept
    {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    const T* get() const noexcept
    {
        assert(has_value());
        return std::get_if<0>(&state_);
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() noexcept = default;
    Result(Error error) noexcept : error_(error) {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    const Error& error() const noexcept
    {
        assert(error_);
        return *error_;
    }
    void value() &&
    {
        if (error_) raise(*error_);
    }

private:
    std::optional<Error> error_;
};

}  // namespace tallycard
