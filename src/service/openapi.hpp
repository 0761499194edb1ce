// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tallycard::service {

// openapi.json of this folder, built in.
extern const std::string_view openapi_text;

}  // namespace tallycard::service
