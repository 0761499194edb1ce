// SPDX-License-Identifier: Apache-2.0
// Looking for slots and objects of a module.
#pragma once

#include <span>
#include <vector>

#include <p11-kit/pkcs11.h>

#include <tallycard/pkcs11_uri.hpp>
#include <tallycard/result.hpp>

namespace tallycard::pkcs11 {

// The one slot with the token that the URI names. Errc::token_missing where none or several fit.
Result<CK_SLOT_ID> find_slot(const CK_FUNCTION_LIST& call, const Pkcs11Uri& uri);

// The one object with these attributes. Errc::token_key_missing where none or several fit.
Result<CK_OBJECT_HANDLE> find_object(const CK_FUNCTION_LIST& call, CK_SESSION_HANDLE session,
                                     std::span<CK_ATTRIBUTE> attributes, const char* where);

// An attribute's bytes, at most `longest`.
Result<std::vector<std::uint8_t>> read_attribute(const CK_FUNCTION_LIST& call,
                                                 CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                                 CK_ATTRIBUTE_TYPE type, std::size_t longest);

}  // namespace tallycard::pkcs11
