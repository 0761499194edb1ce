// SPDX-License-Identifier: Apache-2.0
#include "objects.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "error.hpp"

namespace tallycard::pkcs11 {
namespace {

constexpr std::size_t most_slots = 4096;

// Fields of CK_TOKEN_INFO are filled up with blanks.
template <std::size_t N>
bool is_field(const unsigned char (&field)[N], const std::optional<std::string>& wanted)
{
    if (!wanted) return true;
    if (wanted->size() > N) return false;
    std::array<unsigned char, N> expected;
    expected.fill(' ');
    std::ranges::copy(*wanted, expected.begin());
    return std::ranges::equal(field, expected);
}

bool fits(const CK_TOKEN_INFO& token, const Pkcs11Uri& uri)
{
    return (token.flags & CKF_TOKEN_INITIALIZED) != 0 && is_field(token.label, uri.token) &&
           is_field(token.manufacturerID, uri.manufacturer) && is_field(token.model, uri.model) &&
           is_field(token.serialNumber, uri.serial);
}

// Asking for the number alone makes a module look what is there now.
Result<std::vector<CK_SLOT_ID>> slots_with_token(const CK_FUNCTION_LIST& call)
{
    CK_ULONG count = 0;
    CK_RV code = CKR_BUFFER_TOO_SMALL;
    std::vector<CK_SLOT_ID> slots;
    for (int tries = 0; code == CKR_BUFFER_TOO_SMALL && tries < 3; ++tries) {
        code = call.C_GetSlotList(CK_TRUE, nullptr, &count);
        if (code != CKR_OK || count > most_slots) break;
        slots.resize(count);
        code = call.C_GetSlotList(CK_TRUE, slots.data(), &count);
    }
    if (code != CKR_OK || count > slots.size()) return error_of(code, "C_GetSlotList");
    slots.resize(count);
    return slots;
}

}  // namespace

Result<CK_SLOT_ID> find_slot(const CK_FUNCTION_LIST& call, const Pkcs11Uri& uri)
{
    const auto slots = slots_with_token(call);
    if (!slots) return slots.error();
    std::vector<CK_SLOT_ID> found;
    for (const auto slot : *slots) {
        if (uri.slot_id && *uri.slot_id != slot) continue;
        CK_TOKEN_INFO token{};
        const auto code = call.C_GetTokenInfo(slot, &token);
        if (is_lost(code)) continue;  // taken out just now
        if (code != CKR_OK) return error_of(code, "C_GetTokenInfo");
        if (fits(token, uri)) found.push_back(slot);
    }
    if (found.size() != 1) {
        return Error{.code = Errc::token_missing,
                     .where = found.empty() ? "no such token" : "more than one such token"};
    }
    return found.front();
}

Result<CK_OBJECT_HANDLE> find_object(const CK_FUNCTION_LIST& call, CK_SESSION_HANDLE session,
                                     std::span<CK_ATTRIBUTE> attributes, const char* where)
{
    auto code = call.C_FindObjectsInit(session, attributes.data(), attributes.size());
    if (code != CKR_OK) return error_of(code, "C_FindObjectsInit");
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    code = call.C_FindObjects(session, found.data(), found.size(), &count);
    call.C_FindObjectsFinal(session);
    if (code != CKR_OK) return error_of(code, "C_FindObjects");
    if (count != 1) return Error{.code = Errc::token_key_missing, .where = where};
    return found[0];
}

Result<std::vector<std::uint8_t>> read_attribute(const CK_FUNCTION_LIST& call,
                                                 CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                                 CK_ATTRIBUTE_TYPE type, std::size_t longest)
{
    std::vector<std::uint8_t> bytes(longest);
    CK_ATTRIBUTE attribute{.type = type, .pValue = bytes.data(), .ulValueLen = bytes.size()};
    const auto code = call.C_GetAttributeValue(session, object, &attribute, 1);
    if (code != CKR_OK || attribute.ulValueLen > longest)
        return error_of(code, "C_GetAttributeValue");
    bytes.resize(attribute.ulValueLen);
    return bytes;
}

}  // namespace tallycard::pkcs11
