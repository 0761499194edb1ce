// SPDX-License-Identifier: Apache-2.0
// Tokens that fail: what is wrong is never given out, and a PIN that was refused is never shown to
// the token again.
#include <catch2/catch.hpp>

#include <p11-kit/pkcs11.h>

#include <tallycard/verify.hpp>

#include "crypto/card_derivation.hpp"
#include "crypto/ed25519.hpp"
#include "protocol/wire.hpp"
#include "support/fake_hsm.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// Every code of the header, and one that nobody knows.
const std::vector<unsigned long> all_codes = [] {
    std::vector<unsigned long> codes{CKR_VENDOR_DEFINED | 0x42, 0x1FF, 0x7FFFFFFF};
    for (unsigned long code = CKR_CANCEL; code <= CKR_FUNCTION_REJECTED; ++code)
        if (code < 0x10 || code % 0x10 < 8) codes.push_back(code);
    return codes;
}();

}  // namespace

TEST_CASE("a token signs what the same key in a file signs")
{
    Fake fake;
    const auto signer = Fake::open().value();
    CHECK(signer->sign(operation()).value() == expected);
}

TEST_CASE("a token's card root makes one key for a card id, by RFC 8032's nonce")
{
    Fake fake;
    const auto root = open_pkcs11_card_root(Fake::uri(), Fake::pin()).value();
    const auto id = id_of<CardId>(5);
    const auto key = root->derive(id).value();
    const auto signature = ed25519::sign_secret(seed(1), {}, wire::domain::card_key, id.bytes());
    const auto same = card_key_from(signature, root->public_key(), id).value();
    CHECK(equal(key.scalar, same.scalar));
    CHECK(key.certificate == same.certificate);
    CHECK(key.public_key ==
          derive_card_public_key(root->public_key(), id, key.certificate).value());
    CHECK(root->derive(id).value().certificate == key.certificate);
}

TEST_CASE("a public key is taken raw and in an OCTET STRING, and in no other form")
{
    Fake fake;
    using Point = FakeToken::Point;
    for (const auto point : {Point::raw, Point::octet_string}) {
        fake.token.point = point;
        CHECK(Fake::open().value()->public_key() == SoftwareOperationSigner(seed(1)).public_key());
    }
    for (const auto point :
         {Point::bit_string, Point::cut, Point::long_length, Point::not_on_curve}) {
        fake.token.point = point;
        CHECK(Fake::refusal().code == Errc::token_key_unfit);
    }
}

TEST_CASE("a key that does not fit its public key, or is none of Ed25519, does not open")
{
    Fake fake;
    fake.token.claimed_seed = 2;
    CHECK(Fake::refusal().code == Errc::bad_signature);
    fake.token.claimed_seed = 1;
    fake.token.key_type = CKK_EC;
    CHECK(Fake::refusal().code == Errc::token_key_unfit);
    fake.token.key_type = CKK_EC_EDWARDS;
    fake.token.always_authenticate = true;
    CHECK(Fake::refusal().code == Errc::token_key_unfit);
}

TEST_CASE("a token or key that is not there, or not the only one, is named")
{
    Fake fake;
    for (const int number : {0, 2}) {
        fake.token.private_keys = number;
        CHECK(Fake::refusal().code == Errc::token_key_missing);
        fake.token.private_keys = 1;
        fake.token.public_keys = number;
        CHECK(Fake::refusal().code == Errc::token_key_missing);
        fake.token.public_keys = 1;
        fake.token.tokens = number;
        CHECK(Fake::refusal().code == Errc::token_missing);
        fake.token.tokens = 1;
    }
    const auto code_of = [&](const char* path) {
        const auto opened = open_pkcs11_operation_key(Fake::uri(path), Fake::pin());
        return opened ? std::optional<Errc>() : opened.error().code;
    };
    CHECK(code_of("token=fak;object=key") == Errc::token_missing);
    CHECK(code_of("token=fake%20x;object=key") == Errc::token_missing);
    CHECK(code_of("serial=0002;object=key") == Errc::token_missing);
    CHECK(code_of("model=x;object=key") == Errc::token_missing);
    CHECK(code_of("manufacturer=x;object=key") == Errc::token_missing);
    CHECK(code_of("slot-id=8;object=key") == Errc::token_missing);
    CHECK(code_of("object=other") == Errc::token_key_missing);
    CHECK(code_of("slot-id=7;serial=0001;model=none;manufacturer=nobody;object=key") ==
          std::nullopt);
    fake.token.tokens = 2;
    CHECK(code_of("slot-id=8;object=key") == std::nullopt);
}

TEST_CASE("a module that is not there, or is none, is named")
{
    const auto code_of = [](const char* path) {
        auto uri = Fake::uri();
        uri.module_path = path;
        return open_pkcs11_operation_key(uri, Fake::pin()).error();
    };
    CHECK(code_of("/nowhere/module.so").code == Errc::file_missing);
    CHECK(code_of("/etc/passwd").code == Errc::file_rejected);
    CHECK(code_of("/lib/x86_64-linux-gnu/libm.so.6").code != Errc::token_failed);
}

TEST_CASE("a signature that does not verify, or has another length, is never given out")
{
    Fake fake;
    const auto signer = Fake::open().value();
    const auto root = open_pkcs11_card_root(Fake::uri(), Fake::pin()).value();
    fake.token.breaks_signatures = true;
    CHECK(signer->sign(operation()).error().code == Errc::bad_signature);
    CHECK(root->derive(id_of<CardId>(1)).error().code == Errc::bad_signature);
    fake.token.breaks_signatures = false;
    fake.token.seed = 2;  // another key took its place
    CHECK(signer->sign(operation()).error().code == Errc::bad_signature);
    fake.token.seed = 1;
    for (const unsigned long size : {0ul, 63ul, 65ul, 1ul << 40}) {
        fake.token.signature_size = size;
        CHECK(signer->sign(operation()).error().code == Errc::bad_signature);
    }
    fake.token.signature_size = 64;
    CHECK(signer->sign(operation()).value() == expected);
}

TEST_CASE("whatever a function of the module answers once, the key signs afterwards")
{
    Fake fake;
    const auto signer = Fake::open().value();
    int mended = 0, refused = 0;
    for (const auto* function :
         {"C_SignInit", "C_Sign", "C_OpenSession", "C_GetSlotList", "C_GetTokenInfo",
          "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue",
          "C_CloseSession", "C_Initialize"}) {
        for (const auto code : all_codes) {
            CAPTURE(function, code);
            fake.fail(function, code);
            if (std::string_view(function) != "C_SignInit" &&
                std::string_view(function) != "C_Sign")
                fake.fail("C_SignInit", CKR_SESSION_CLOSED);  // makes it connect
            const auto first = signer->sign(operation());
            if (first) {
                REQUIRE(*first == expected);
                ++mended;
            } else {
                REQUIRE(first.error().effect == Effect::none);
                ++refused;
            }
            fake.token.failures.clear();
            REQUIRE(signer->sign(operation()).value() == expected);
        }
    }
    CHECK(mended > 500);
    CHECK(refused > 500);
}

TEST_CASE("whatever C_Login answers, the PIN is shown once, and not again when it was refused")
{
    for (const auto code : all_codes) {
        CAPTURE(code);
        Fake fake;
        const auto signer = Fake::open().value();
        const int before = fake.calls("C_Login");
        fake.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN);
        fake.fail("C_Login", code);
        const auto first = signer->sign(operation());
        const bool gone = code == CKR_SLOT_ID_INVALID || code == CKR_DEVICE_REMOVED ||
                          code == CKR_TOKEN_NOT_PRESENT || code == CKR_TOKEN_NOT_RECOGNIZED;
        REQUIRE(first.has_value() == gone);  // the token was there again at once
        REQUIRE(fake.calls("C_Login") == before + (gone ? 2 : 1));
        const auto second = signer->sign(operation());
        if (code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE ||
            code == CKR_PIN_EXPIRED || code == CKR_PIN_LOCKED) {
            REQUIRE(second.error().code == first.error().code);
            REQUIRE(fake.calls("C_Login") == before + 1);
        } else {
            REQUIRE(second);
            REQUIRE(*second == expected);
        }
    }
}

TEST_CASE("a wrong PIN is tried once, and the last try is left to people")
{
    Fake fake;
    const auto wrong = open_pkcs11_operation_key(Fake::uri(), Fake::pin("111111"));
    CHECK(wrong.error().code == Errc::token_pin_wrong);
    CHECK(wrong.error().message().find("111111") == std::string::npos);
    CHECK(fake.calls("C_Login") == 1);
    CHECK(open_pkcs11_operation_key(Fake::uri(), std::nullopt).error().code == Errc::pin_needed);
    for (const auto flag : {CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED}) {
        fake.token.more_flags = flag;
        CHECK(Fake::refusal().code == Errc::token_pin_locked);
    }
    CHECK(fake.calls("C_Login") == 1);
    fake.token.more_flags = CKF_USER_PIN_COUNT_LOW;
    CHECK(Fake::open());
    fake.token.more_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    CHECK(open_pkcs11_operation_key(Fake::uri(), std::nullopt));
}
