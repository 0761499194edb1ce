// SPDX-License-Identifier: Apache-2.0
#include <tallycard/observer.hpp>

namespace tallycard {

Observer::~Observer() = default;

}  // namespace tallycard
