// SPDX-License-Identifier: Apache-2.0
#include "fake_token.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include <p11-kit/pkcs11.h>
#include <sodium/crypto_sign_ed25519.h>

using tallycard::test::FakeToken;

namespace {

FakeToken& token()
{
    static FakeToken state;
    return state;
}

constexpr CK_OBJECT_HANDLE first_private = 100, first_public = 200;
std::vector<CK_OBJECT_HANDLE> found;

using Lock = std::unique_lock<std::mutex>;

// Counts the call; what it is to fail with, if it is.
std::optional<CK_RV> planned(const char* function)
{
    auto& state = token();
    ++state.calls[function];
    const auto plan = state.failures.find(function);
    if (plan == state.failures.end()) return std::nullopt;
    const auto code = plan->second.code;
    if (--plan->second.times <= 0) state.failures.erase(plan);
    return code;
}

std::optional<CK_RV> refused(const char* function, std::optional<CK_SESSION_HANDLE> session = {})
{
    if (const auto code = planned(function)) return code;
    if (!token().is_initialised) return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (session && !token().is_present) return CKR_DEVICE_REMOVED;
    if (session && !token().sessions.contains(*session)) return CKR_SESSION_HANDLE_INVALID;
    return std::nullopt;
}

struct KeyPair {
    std::array<std::uint8_t, 32> public_key;
    std::array<std::uint8_t, 64> secret;
};

KeyPair key_of(std::uint8_t byte)
{
    KeyPair pair;
    std::array<std::uint8_t, 32> seed;
    seed.fill(byte);
    crypto_sign_ed25519_seed_keypair(pair.public_key.data(), pair.secret.data(), seed.data());
    return pair;
}

std::vector<std::uint8_t> point()
{
    using Point = FakeToken::Point;
    const auto key = key_of(token().claimed_seed).public_key;
    std::vector<std::uint8_t> bytes;
    switch (token().point) {
    case Point::raw:
    case Point::cut: break;
    case Point::octet_string: bytes = {0x04, 0x20}; break;
    case Point::bit_string: bytes = {0x03, 0x21, 0x00}; break;
    case Point::long_length: bytes = {0x04, 0x81, 0x20}; break;
    case Point::not_on_curve: return std::vector<std::uint8_t>(32, 0x02);
    }
    bytes.insert(bytes.end(), key.begin(), key.end());
    if (token().point == Point::cut) bytes.pop_back();
    return bytes;
}

template <std::size_t N>
void put_field(unsigned char (&field)[N], const char* text)
{
    std::fill_n(field, N, ' ');
    std::copy_n(text, std::strlen(text), field);
}

CK_RV initialize(void*)
{
    const Lock lock(token().mutex);
    if (const auto code = planned("C_Initialize")) return *code;
    if (token().is_initialised) return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    token().is_initialised = true;
    token().sees_new_tokens = true;
    return CKR_OK;
}

CK_RV finalize(void*)
{
    const Lock lock(token().mutex);
    ++token().calls["C_Finalize"];
    token().is_initialised = token().is_logged_in = false;
    token().sessions.clear();
    return CKR_OK;
}

CK_RV get_slot_list(unsigned char, CK_SLOT_ID* slots, CK_ULONG* count)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_GetSlotList")) return *code;
    const bool shown = token().is_present && token().sees_new_tokens;
    const auto there = static_cast<CK_ULONG>(shown ? token().tokens : 0);
    if (slots != nullptr)
        for (CK_ULONG i = 0; i < std::min(there, *count); ++i) slots[i] = 7 + i;
    *count = there;
    return CKR_OK;
}

CK_RV get_token_info(CK_SLOT_ID, CK_TOKEN_INFO* info)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_GetTokenInfo")) return *code;
    *info = {};
    put_field(info->label, "fake");
    put_field(info->manufacturerID, "nobody");
    put_field(info->model, "none");
    put_field(info->serialNumber, "0001");
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | token().more_flags;
    return CKR_OK;
}

CK_RV open_session(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY, CK_SESSION_HANDLE* session)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_OpenSession")) return *code;
    if (!token().is_present) return CKR_TOKEN_NOT_PRESENT;
    *session = token().next_session++;
    token().sessions.insert(*session);
    return CKR_OK;
}

CK_RV close_session(CK_SESSION_HANDLE session)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_CloseSession", session)) return *code;
    token().sessions.erase(session);
    if (token().sessions.empty()) token().is_logged_in = false;
    return CKR_OK;
}

CK_RV close_all_sessions(CK_SLOT_ID)
{
    const Lock lock(token().mutex);
    token().sessions.clear();
    token().is_logged_in = false;
    return CKR_OK;
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE, unsigned char* pin, CK_ULONG size)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_Login", session)) return *code;
    if (token().is_logged_in) return CKR_USER_ALREADY_LOGGED_IN;
    const bool at_keypad = pin == nullptr;
    if (!at_keypad && std::string(reinterpret_cast<char*>(pin), size) != FakeToken::right_pin)
        return CKR_PIN_INCORRECT;
    token().is_logged_in = true;
    return CKR_OK;
}

CK_RV find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_FindObjectsInit", session)) return *code;
    found.clear();
    CK_OBJECT_CLASS wanted = 0;
    for (const auto& attribute : std::span(attributes, count)) {
        if (attribute.type == CKA_CLASS) std::memcpy(&wanted, attribute.pValue, sizeof wanted);
        const std::string_view text(static_cast<char*>(attribute.pValue), attribute.ulValueLen);
        if (attribute.type == CKA_LABEL && text != "key") return CKR_OK;
    }
    const bool is_private = wanted == CKO_PRIVATE_KEY;
    const int keys =
        is_private ? (token().is_logged_in ? token().private_keys : 0) : token().public_keys;
    for (int i = 0; i < keys; ++i)
        found.push_back((is_private ? first_private : first_public) + static_cast<CK_ULONG>(i));
    return CKR_OK;
}

CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most,
                   CK_ULONG* count)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_FindObjects", session)) return *code;
    *count = std::min<CK_ULONG>(most, found.size());
    std::copy_n(found.begin(), *count, objects);
    return CKR_OK;
}

CK_RV find_objects_final(CK_SESSION_HANDLE session)
{
    const Lock lock(token().mutex);
    return refused("C_FindObjectsFinal", session).value_or(CKR_OK);
}

CK_RV put(CK_ATTRIBUTE& out, std::span<const std::uint8_t> bytes)
{
    if (out.ulValueLen < bytes.size()) return CKR_BUFFER_TOO_SMALL;
    std::ranges::copy(bytes, static_cast<std::uint8_t*>(out.pValue));
    out.ulValueLen = bytes.size();
    return CKR_OK;
}

CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attribute,
                          CK_ULONG)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_GetAttributeValue", session)) return *code;
    const auto number = token().key_type;
    const std::array<std::uint8_t, 1> always{token().always_authenticate}, id{1};
    switch (attribute->type) {
    case CKA_KEY_TYPE:
        return put(*attribute, {reinterpret_cast<const std::uint8_t*>(&number), sizeof number});
    case CKA_ALWAYS_AUTHENTICATE: return put(*attribute, always);
    case CKA_ID: return put(*attribute, id);
    case CKA_EC_POINT: return put(*attribute, point());
    default: return CKR_ATTRIBUTE_TYPE_INVALID;
    }
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE)
{
    const Lock lock(token().mutex);
    if (const auto code = refused("C_SignInit", session)) return *code;
    return token().is_logged_in ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
}

CK_RV sign(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size, unsigned char* signature,
           CK_ULONG* signature_size)
{
    auto& state = token();
    Lock lock(state.mutex);
    ++state.hanging;
    state.changed.notify_all();
    state.changed.wait(lock, [&] { return !state.hangs; });
    --state.hanging;
    if (const auto code = refused("C_Sign", session)) return *code;
    if (*signature_size < 64) return CKR_BUFFER_TOO_SMALL;
    const auto pair = key_of(state.seed);
    crypto_sign_ed25519_detached(signature, nullptr, data, size, pair.secret.data());
    if (state.breaks_signatures) signature[40] ^= 1;
    *signature_size = state.signature_size;
    return CKR_OK;
}

CK_FUNCTION_LIST functions()
{
    CK_FUNCTION_LIST list{};
    list.version = {2, 40};
    list.C_Initialize = initialize;
    list.C_Finalize = finalize;
    list.C_GetSlotList = get_slot_list;
    list.C_GetTokenInfo = get_token_info;
    list.C_OpenSession = open_session;
    list.C_CloseSession = close_session;
    list.C_CloseAllSessions = close_all_sessions;
    list.C_Login = login;
    list.C_FindObjectsInit = find_objects_init;
    list.C_FindObjects = find_objects;
    list.C_FindObjectsFinal = find_objects_final;
    list.C_GetAttributeValue = get_attribute_value;
    list.C_SignInit = sign_init;
    list.C_Sign = sign;
    return list;
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list)
{
    static CK_FUNCTION_LIST all = functions();
    *list = &all;
    return CKR_OK;
}

extern "C" FakeToken* fake_token_state()
{
    return &token();
}
