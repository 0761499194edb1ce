// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <array>

#include <tallycard/verify.hpp>

#include "error.hpp"
#include "objects.hpp"

namespace tallycard::pkcs11 {
namespace {

CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, std::span<const std::uint8_t> bytes)
{
    // PKCS#11 has no const; what is looked for is only read.
    return {.type = type,
            .pValue = const_cast<std::uint8_t*>(bytes.data()),
            .ulValueLen = bytes.size()};
}

template <class Number>
std::span<const std::uint8_t> bytes_of(const Number& number)
{
    return {reinterpret_cast<const std::uint8_t*>(&number), sizeof number};
}

// The point as PKCS#11 3.1 has it, or inside an OCTET STRING, as 3.0 had it.
std::optional<PublicKey> public_key_of(std::span<const std::uint8_t> point)
{
    const bool wrapped =
        point.size() == 2 + PublicKey::size && point[0] == 0x04 && point[1] == PublicKey::size;
    if (wrapped) point = point.subspan(2);
    if (point.size() != PublicKey::size) return std::nullopt;
    const PublicKey key(point.first<PublicKey::size>());
    if (!is_valid(key)) return std::nullopt;
    return key;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(std::shared_ptr<Module> module, const Pkcs11Uri& uri,
                                               Login& login)
{
    if (login.refused) return *login.refused;
    const auto slot = find_slot(module->functions(), uri);
    if (!slot) return slot.error();
    std::unique_ptr<Session> session(new Session(std::move(module), *slot));
    if (const auto done = session->begin(); !done) return done.error();
    if (const auto done = session->log_in(login); !done) return done.error();
    if (const auto done = session->find_key(uri); !done) return done.error();
    if (const auto done = session->find_public_key(); !done) return done.error();
    return session;
}

Session::~Session()
{
    if (handle_) call().C_CloseSession(*handle_);
}

Result<void> Session::begin()
{
    CK_SESSION_HANDLE handle = 0;
    const auto code = call().C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &handle);
    if (code != CKR_OK) return error_of(code, "C_OpenSession");
    handle_ = handle;
    return {};
}

Result<void> Session::log_in(Login& login)
{
    CK_TOKEN_INFO token{};
    auto code = call().C_GetTokenInfo(slot_, &token);
    if (code != CKR_OK) return error_of(code, "C_GetTokenInfo");
    if ((token.flags & CKF_LOGIN_REQUIRED) == 0) return {};
    const bool keypad = (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!login.pin && !keypad) return Error{.code = Errc::pin_needed, .where = "token"};
    if ((token.flags & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY)) != 0)
        return Error{.code = Errc::token_pin_locked, .where = "C_Login"};

    const auto pin = login.pin ? login.pin->reveal() : std::span<const std::uint8_t>();
    code = call().C_Login(*handle_, CKU_USER, const_cast<std::uint8_t*>(pin.data()), pin.size());
    if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
    const auto error = error_of(code, "C_Login");
    if (is_pin_refused(code) || code == CKR_PIN_LOCKED) {
        login.pin.reset();
        login.refused = error;
    }
    return error;
}

Result<void> Session::find_key(const Pkcs11Uri& uri)
{
    const CK_OBJECT_CLASS wanted = CKO_PRIVATE_KEY;
    std::vector<CK_ATTRIBUTE> attributes{attribute(CKA_CLASS, bytes_of(wanted))};
    if (uri.object) {
        const auto* text = reinterpret_cast<const std::uint8_t*>(uri.object->data());
        attributes.push_back(attribute(CKA_LABEL, {text, uri.object->size()}));
    }
    if (uri.id) attributes.push_back(attribute(CKA_ID, *uri.id));
    const auto found = find_object(call(), *handle_, attributes, "private key in the token");
    if (!found) return found.error();
    key_ = *found;

    const auto type = read_attribute(call(), *handle_, key_, CKA_KEY_TYPE, sizeof(CK_KEY_TYPE));
    if (!type) return type.error();
    const CK_KEY_TYPE edwards = CKK_EC_EDWARDS;
    if (!std::ranges::equal(*type, bytes_of(edwards)))
        return Error{.code = Errc::token_key_unfit, .where = "CKA_KEY_TYPE"};
    const auto always = read_attribute(call(), *handle_, key_, CKA_ALWAYS_AUTHENTICATE, 1);
    if (always && !always->empty() && always->front() != CK_FALSE)
        return Error{.code = Errc::token_key_unfit, .where = "CKA_ALWAYS_AUTHENTICATE"};
    return {};
}

// The public key is the object with the same CKA_ID, which is what pairs the two.
Result<void> Session::find_public_key()
{
    constexpr std::size_t longest_id = 256, longest_point = 256;
    const auto id = read_attribute(call(), *handle_, key_, CKA_ID, longest_id);
    if (!id) return id.error();
    const CK_OBJECT_CLASS wanted = CKO_PUBLIC_KEY;
    std::array attributes{attribute(CKA_CLASS, bytes_of(wanted)), attribute(CKA_ID, *id)};
    const auto found = find_object(call(), *handle_, attributes, "public key in the token");
    if (!found) return found.error();
    const auto point = read_attribute(call(), *handle_, *found, CKA_EC_POINT, longest_point);
    if (!point) return point.error();
    const auto key = public_key_of(*point);
    if (!key) return Error{.code = Errc::token_key_unfit, .where = "CKA_EC_POINT"};
    public_key_ = *key;
    return {};
}

Error Session::failed(CK_RV code, const char* where)
{
    lost_ = pkcs11::is_lost(code);
    return error_of(code, where);
}

Result<ed25519::SecretSignature> Session::sign(std::span<const std::uint8_t> message)
{
    CK_MECHANISM mechanism{.mechanism = CKM_EDDSA, .pParameter = nullptr, .ulParameterLen = 0};
    auto code = call().C_SignInit(*handle_, &mechanism, key_);
    if (code != CKR_OK) return failed(code, "C_SignInit");
    std::array<std::uint8_t, Signature::size> bytes{};
    CK_ULONG size = bytes.size();
    code = call().C_Sign(*handle_, const_cast<std::uint8_t*>(message.data()), message.size(),
                         bytes.data(), &size);
    ed25519::SecretSignature signature{std::span(bytes)};
    if (code != CKR_OK) return failed(code, "C_Sign");
    if (size != Signature::size)
        return Error{.code = Errc::bad_signature, .where = "signature of the token"};
    return signature;
}

}  // namespace tallycard::pkcs11
