// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

#include <tallycard/error.hpp>

namespace tallycard {

// The only exception this library throws, and only from Result::value().
class TALLYCARD_EXPORT ResultError : public std::runtime_error {
public:
    explicit ResultError(const Error& e) : std::runtime_error(e.message()), error(e) {}
    const Error error;
};

}  // namespace tallycard
