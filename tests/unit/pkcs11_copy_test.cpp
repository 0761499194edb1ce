// SPDX-License-Identifier: Apache-2.0
// Copies of keys, as docs/operations.md has them.
#include <catch2/catch.hpp>

#include <tallycard/pkcs11_signer.hpp>

#include "issuer/pkcs11/objects.hpp"
#include "support/soft_hsm.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value)
{
    return {.type = type, .pValue = &value, .ulValueLen = sizeof value};
}

CK_ATTRIBUTE bytes_attribute(CK_ATTRIBUTE_TYPE type, std::vector<std::uint8_t>& bytes)
{
    return {.type = type, .pValue = bytes.data(), .ulValueLen = bytes.size()};
}

// A session with one token, logged in, while SoftHSM is initialised by the test itself.
class Bench {
public:
    explicit Bench(const std::string& token)
    {
        const auto uri = SoftHsm::uri("any", token);
        const auto slot = pkcs11::find_slot(call, uri).value();
        std::string pin = SoftHsm::pin_text;
        REQUIRE(call.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                   &session) == CKR_OK);
        REQUIRE(call.C_Login(session, CKU_USER, reinterpret_cast<unsigned char*>(pin.data()),
                             pin.size()) == CKR_OK);
    }
    CK_OBJECT_HANDLE find(CK_OBJECT_CLASS wanted) const
    {
        std::array attributes{attribute(CKA_CLASS, wanted)};
        return pkcs11::find_object(call, session, attributes, "object").value();
    }
    std::vector<std::uint8_t> wrap(CK_OBJECT_HANDLE key) const
    {
        std::vector<std::uint8_t> wrapped(512);
        CK_ULONG size = wrapped.size();
        REQUIRE(call.C_WrapKey(session, &mechanism, find(CKO_SECRET_KEY), key, wrapped.data(),
                               &size) == CKR_OK);
        wrapped.resize(size);
        return wrapped;
    }
    void unwrap(std::vector<std::uint8_t> wrapped, std::vector<std::uint8_t> id) const
    {
        CK_OBJECT_CLASS type = CKO_PRIVATE_KEY;
        CK_KEY_TYPE key_type = CKK_EC_EDWARDS;
        unsigned char yes = CK_TRUE;
        std::array attributes{attribute(CKA_CLASS, type),    attribute(CKA_KEY_TYPE, key_type),
                              attribute(CKA_TOKEN, yes),     attribute(CKA_PRIVATE, yes),
                              attribute(CKA_SENSITIVE, yes), attribute(CKA_SIGN, yes),
                              bytes_attribute(CKA_ID, id)};
        CK_OBJECT_HANDLE made = 0;
        REQUIRE(call.C_UnwrapKey(session, &mechanism, find(CKO_SECRET_KEY), wrapped.data(),
                                 wrapped.size(), attributes.data(), attributes.size(),
                                 &made) == CKR_OK);
    }
    std::vector<std::uint8_t> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const
    {
        return pkcs11::read_attribute(call, session, object, type, 256).value();
    }
    void put_public_key(std::vector<std::uint8_t> parameters, std::vector<std::uint8_t> point,
                        std::vector<std::uint8_t> id) const
    {
        CK_OBJECT_CLASS type = CKO_PUBLIC_KEY;
        CK_KEY_TYPE key_type = CKK_EC_EDWARDS;
        unsigned char yes = CK_TRUE;
        std::array attributes{attribute(CKA_CLASS, type),
                              attribute(CKA_KEY_TYPE, key_type),
                              attribute(CKA_TOKEN, yes),
                              bytes_attribute(CKA_EC_PARAMS, parameters),
                              bytes_attribute(CKA_EC_POINT, point),
                              bytes_attribute(CKA_ID, id)};
        CK_OBJECT_HANDLE made = 0;
        REQUIRE(call.C_CreateObject(session, attributes.data(), attributes.size(), &made) ==
                CKR_OK);
    }

private:
    const CK_FUNCTION_LIST& call = SoftHsm::functions();
    CK_SESSION_HANDLE session = 0;
    mutable CK_MECHANISM mechanism{.mechanism = 0x210A,  // CKM_AES_KEY_WRAP_PAD as of OpenSC
                                   .pParameter = nullptr,
                                   .ulParameterLen = 0};
};

Pkcs11Uri root_in(const std::string& token)
{
    auto uri = SoftHsm::uri("x", token);
    uri.object.reset();
    uri.id = std::vector<std::uint8_t>{2};
    return uri;
}

CardKey derived_in(const std::string& token)
{
    return open_pkcs11_card_root(root_in(token), SoftHsm::pin())
        .value()
        ->derive(id_of<CardId>(1))
        .value();
}

}  // namespace

TEST_CASE("a card root key that was wrapped into a second token derives the same card keys")
{
    const SoftHsm hsm;
    SoftHsm::make_token("copy");
    std::ofstream(hsm.folder().file("aes")) << std::string(32, 'w');
    for (const std::string token : {"issuer", "copy"})
        SoftHsm::tool_logged_in("--token-label " + token + " --write-object " +
                                hsm.folder().file("aes") +
                                " --type secrkey --key-type AES:32 --id 10 --usage-wrap");
    SoftHsm::tool_logged_in(
        "--token-label issuer --keypairgen --key-type EC:edwards25519 "
        "--usage-sign --extractable --id 02");
    const auto before = derived_in("issuer");

    REQUIRE(SoftHsm::functions().C_Initialize(nullptr) == CKR_OK);
    {
        const Bench from("issuer"), to("copy");
        to.unwrap(from.wrap(from.find(CKO_PRIVATE_KEY)), {2});
        const auto key = from.find(CKO_PUBLIC_KEY);
        to.put_public_key(from.read(key, CKA_EC_PARAMS), from.read(key, CKA_EC_POINT), {2});
    }
    REQUIRE(SoftHsm::functions().C_Finalize(nullptr) == CKR_OK);

    const auto after = derived_in("copy");
    CHECK(equal(after.scalar, before.scalar));
    CHECK(after.public_key == before.public_key);
}

TEST_CASE("a key that was made outside and imported shows its public key raw, and signs")
{
    const SoftHsm hsm;
    const auto pem = hsm.folder().file("root.pem");
    run_program("openssl genpkey -algorithm ed25519 -out " + pem);
    run_program("softhsm2-util --import " + pem + " --token issuer --label root --id 02 --pin " +
                SoftHsm::pin_text);
    const auto key = open_pkcs11_card_root(root_in("issuer"), SoftHsm::pin()).value();
    const auto seen = SoftHsm::tool("--list-objects --type pubkey");
    CHECK(seen.find("EC_POINT:   " + key->public_key().to_string()) != std::string::npos);
    CHECK(key->derive(id_of<CardId>(1)));
}
