// SPDX-License-Identifier: Apache-2.0
#include "error.hpp"

namespace tallycard::pkcs11 {
namespace {

Errc code_of(CK_RV code)
{
    switch (code) {
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_SLOT_ID_INVALID: return Errc::token_missing;
    case CKR_PIN_LOCKED: return Errc::token_pin_locked;
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_KEY_FUNCTION_NOT_PERMITTED: return Errc::token_key_unfit;
    default: return is_pin_refused(code) ? Errc::token_pin_wrong : Errc::token_failed;
    }
}

}  // namespace

Error error_of(CK_RV code, const char* where)
{
    return {.code = code_of(code), .detail = static_cast<std::uint32_t>(code), .where = where};
}

bool is_lost(CK_RV code)
{
    switch (code) {
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OPERATION_ACTIVE:
    case CKR_OPERATION_NOT_INITIALIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED: return true;
    default: return false;
    }
}

bool is_pin_refused(CK_RV code)
{
    return code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE ||
           code == CKR_PIN_EXPIRED;
}

}  // namespace tallycard::pkcs11
