// SPDX-License-Identifier: Apache-2.0
#include "token_key.hpp"

#include <array>
#include <vector>

#include <sodium/randombytes.h>

#include <tallycard/verify.hpp>

#include "../../crypto/signed_message.hpp"
#include "../../protocol/wire.hpp"

namespace tallycard::pkcs11 {

Connection::~Connection()
{
    if (session_) drop_session();
}

Result<std::unique_ptr<Session>> Connection::open_session()
{
    const auto use = module_->use();
    return Session::open(module_, uri_, login_);
}

void Connection::drop_session()
{
    const auto use = module_->use();
    session_.reset();
}

Result<void> Connection::connect()
{
    if (!module_) {
        auto module = Module::open(uri_.module_path);
        if (!module) return module.error();
        module_ = std::move(*module);
    } else if (const auto done = module_->initialise(); !done) {
        return done;
    }
    auto session = open_session();
    if (!session && session.error().code == Errc::token_missing && public_key_) {
        if (const auto done = module_->restart(); !done) return done;
        session = open_session();
    }
    if (!session) return session.error();
    const auto key = (*session)->public_key();
    if (public_key_ && *public_key_ != key)
        return Error{.code = Errc::token_key_unfit, .where = "another public key than before"};
    public_key_ = key;
    session_ = std::move(*session);
    return {};
}

// Signing the same again gives the same signature: once more does no harm.
Result<ed25519::SecretSignature> Connection::sign_raw(std::span<const std::uint8_t> message)
{
    for (bool again = false;; again = true) {
        if (!session_)
            if (const auto done = connect(); !done) return done.error();
        auto signature = [&] {
            const auto use = module_->use();
            return session_->sign(message);
        }();
        if (signature) return signature;
        const bool lost = session_->is_lost();
        drop_session();
        if (!lost || again) return signature.error();
    }
}

Result<ed25519::SecretSignature> Connection::sign(std::string_view domain,
                                                  std::span<const std::uint8_t> object)
{
    auto signature = sign_raw(SignedMessage(domain, object).bytes());
    if (!signature) return signature;
    if (!ed25519::verify(*signature, domain, object, *public_key_))
        return Error{.code = Errc::bad_signature, .where = "signature of the token"};
    return signature;
}

Result<std::unique_ptr<TokenKey>> TokenKey::open(const Pkcs11Uri& uri,
                                                 std::optional<Passphrase> pin,
                                                 Pkcs11Deadlines deadlines)
{
    if (const auto safe = self_test(); !safe) return safe.error();
    std::unique_ptr<TokenKey> key(new TokenKey(uri, std::move(pin), deadlines));
    if (const auto started = key->worker_.start(); !started) return started.error();
    std::array<std::uint8_t, 32> random;
    randombytes_buf(random.data(), random.size());
    const auto seen = key->sign_within(deadlines.opening, wire::domain::key_check, random);
    if (!seen) return seen.error();
    key->public_key_ = key->connection_->public_key();
    return key;
}

Result<ed25519::SecretSignature> TokenKey::sign(std::string_view domain,
                                                std::span<const std::uint8_t> object)
{
    return sign_within(deadlines_.signing, domain, object);
}

Result<ed25519::SecretSignature> TokenKey::sign_within(std::chrono::milliseconds deadline,
                                                       std::string_view domain,
                                                       std::span<const std::uint8_t> object)
{
    if (worker_.is_forked())
        return Error{.code = Errc::token_missing, .where = "after fork() (open the key again)"};
    using Answer = std::optional<Result<ed25519::SecretSignature>>;
    auto answer = std::make_shared<Answer>();
    const bool done = worker_.run(
        [answer, connection = connection_, domain,
         bytes = std::vector<std::uint8_t>(object.begin(), object.end())] {
            answer->emplace(connection->sign(domain, bytes));
        },
        deadline);
    if (!done) return Error{.code = Errc::timed_out, .where = "token"};
    return std::move(**answer);
}

}  // namespace tallycard::pkcs11
