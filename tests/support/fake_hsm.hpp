// SPDX-License-Identifier: Apache-2.0
// The module of fake_token.cpp from the side of a test.
#pragma once

#include <dlfcn.h>

#include <tallycard/pkcs11_signer.hpp>

#include "fake_token.hpp"
#include "test_issuer.hpp"

namespace tallycard::test {

// The one in the module.
inline FakeToken& fake_token()
{
    void* library = ::dlopen(TALLYCARD_FAKE_TOKEN, RTLD_NOW | RTLD_NODELETE);
    return *reinterpret_cast<FakeToken* (*)()>(::dlsym(library, "fake_token_state"))();
}

struct Fake {
    Fake() : token(fake_token()) { token.reset(); }
    Fake(const Fake&) = delete;
    Fake& operator=(const Fake&) = delete;
    ~Fake() { token.let_go(); }

    static Pkcs11Uri uri(const std::string& path = "token=fake;object=key")
    {
        return Pkcs11Uri::parse("pkcs11:" + path + "?module-path=" TALLYCARD_FAKE_TOKEN).value();
    }
    static std::optional<Passphrase> pin(std::string text = FakeToken::right_pin)
    {
        return Passphrase::take(text).value();
    }
    static Result<std::unique_ptr<OperationSigner>> open(Pkcs11Deadlines deadlines = {})
    {
        return open_pkcs11_operation_key(uri(), pin(), deadlines);
    }
    static Error refusal()
    {
        const auto opened = open();
        REQUIRE(!opened);
        return opened.error();
    }
    void fail(const char* function, unsigned long code, int times = 1)
    {
        const std::lock_guard lock(token.mutex);
        token.failures[function] = {code, times};
    }
    int calls(const char* function)
    {
        const std::lock_guard lock(token.mutex);
        return token.calls[function];
    }

    FakeToken& token;
};

inline Operation operation()
{
    return {.kind = Kind::top_up,
            .card_id = id_of<CardId>(1),
            .sequence = 1,
            .amount = Amount::minor_units(100),
            .unit = Unit::from_code(978).value(),
            .nonce = {},
            .account = account_id("T1"),
            .parameter = {}};
}

inline const Signature expected = SoftwareOperationSigner(seed(1)).sign(operation()).value();

}  // namespace tallycard::test
