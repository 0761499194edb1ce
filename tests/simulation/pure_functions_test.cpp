// SPDX-License-Identifier: Apache-2.0
// pure_functions.cpp must be libsodium, but for the time that it takes.
#include <catch2/catch.hpp>

#include <array>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_sign_ed25519.h>

#include "random.hpp"

extern "C" int real_verify(
    const unsigned char* signature, const unsigned char* message, unsigned long long size,
    const unsigned char* key) __asm__("__real_crypto_sign_ed25519_verify_detached");
extern "C" int real_is_valid(const unsigned char* point) __asm__(
    "__real_crypto_core_ed25519_is_valid_point");

namespace {

struct Signed {
    std::array<unsigned char, 32> key{};
    std::array<unsigned char, 40> message{};
    std::array<unsigned char, 64> signature{};
};

Signed sign_something()
{
    Signed made;
    std::array<unsigned char, 32> seed{1, 2, 3};
    std::array<unsigned char, 64> secret{};
    crypto_sign_ed25519_seed_keypair(made.key.data(), secret.data(), seed.data());
    simulation::Random(5).fill(made.message);
    unsigned long long size = 0;
    crypto_sign_ed25519_detached(made.signature.data(), &size, made.message.data(),
                                 made.message.size(), secret.data());
    CHECK(size == made.signature.size());
    return made;
}

int verify(const Signed& it)
{
    return crypto_sign_ed25519_verify_detached(it.signature.data(), it.message.data(),
                                               it.message.size(), it.key.data());
}

int really_verify(const Signed& it)
{
    return real_verify(it.signature.data(), it.message.data(), it.message.size(), it.key.data());
}

template <std::size_t size>
void flip(std::array<unsigned char, size>& bytes, std::size_t bit)
{
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] ^ 1u << bit % 8);
}

}  // namespace

TEST_CASE("a signature that was remembered is good for those bytes, message and key only")
{
    const auto made = sign_something();
    CHECK(verify(made) == 0);
    CHECK(really_verify(made) == 0);
    int refused = 0;
    for (std::size_t bit = 0; bit < 8 * 32; ++bit) {
        auto signature = made, message = made, key = made;
        flip(signature.signature, 2 * bit);
        flip(message.message, bit);
        flip(key.key, bit);
        for (const auto& damaged : {signature, message, key})
            for (int times = 0; times < 2; ++times) {
                REQUIRE((verify(damaged) == 0) == (really_verify(damaged) == 0));
                refused += verify(damaged) != 0 ? 1 : 0;
            }
    }
    CHECK(refused == 2 * 3 * 8 * 32);
}

TEST_CASE("a point is valid, the first time and again, where libsodium says so")
{
    simulation::Random random(9);
    int valid = 0, rounds = 0;
    for (; rounds < 200; ++rounds) {
        std::array<unsigned char, 32> point{};
        random.fill(point);
        if (rounds % 2 == 0) crypto_core_ed25519_from_uniform(point.data(), point.data());
        for (int times = 0; times < 2; ++times)
            REQUIRE(crypto_core_ed25519_is_valid_point(point.data()) ==
                    real_is_valid(point.data()));
        valid += real_is_valid(point.data());
    }
    CHECK(valid >= rounds / 2);
    CHECK(valid < rounds);
}
