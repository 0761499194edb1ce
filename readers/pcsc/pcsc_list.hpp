// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "pcsc_context.hpp"

namespace tallycard::pcsc {

// The names of the readers, in the service's order. None is an empty list.
Result<std::vector<std::string>> list_readers(const Context& context);

}  // namespace tallycard::pcsc
