// SPDX-License-Identifier: Apache-2.0
#include <tallycard/issuer_client.hpp>

namespace tallycard {

IssuerClient::~IssuerClient() = default;

}  // namespace tallycard
