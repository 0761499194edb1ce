// SPDX-License-Identifier: Apache-2.0
// What tends to get past a verifier of Ed25519, made here for keys and messages of ours. The
// classes are those of Project Wycheproof's Ed25519 tests and of "Taming the many EdDSAs"
// (Chalkias, Garillot, Nikolaenko, 2020); crypto_vectors_test.cpp runs their own files where they
// are at hand.
#include <tallycard/verify.hpp>

#include <catch2/catch.hpp>

#include <sodium.h>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/wire.hpp"
#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

using Half = std::array<std::uint8_t, 32>;

const KeySeed seed = secret_of<KeySeed>(0x40);
const PublicKey key = ed25519::public_key(seed);
const auto domain = wire::domain::operation;
const Bytes message = from_hex("74616c6c7963617264");

Signature right()
{
    return ed25519::sign(seed, domain, message);
}
bool verifies(const Signature& signature, const PublicKey& under = key, const Bytes& said = message)
{
    return ed25519::verify(signature, domain, said, under);
}
Half half(const Signature& signature, std::size_t which)
{
    Half bytes;
    std::ranges::copy(signature.bytes().subspan(32 * which, 32), bytes.begin());
    return bytes;
}
Signature joined(const Half& r, const Half& s)
{
    std::array<std::uint8_t, Signature::size> bytes;
    std::ranges::copy(r, bytes.begin());
    std::ranges::copy(s, bytes.begin() + 32);
    return Signature(bytes);
}
template <class Fixed>
Fixed flipped(const Fixed& value, std::size_t bit)
{
    std::array<std::uint8_t, Fixed::size> bytes;
    std::ranges::copy(value.bytes(), bytes.begin());
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    return Fixed(bytes);
}

// L, the order of the group: 2^252 + 27742317777372353535851937790883648493.
const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

// Little-endian, without reduction; false when it does not fit.
bool add(Half& sum, const Bytes& what)
{
    unsigned carry = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
        carry += sum[i] + unsigned{what[i]};
        sum[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    return carry == 0;
}

// p - 19 + n for small n, that is 2^255 - 38 + n: from n = 19 on not canonical.
Half near_p(unsigned n)
{
    Half y;
    y.fill(0xFF);
    y[31] = 0x7F;
    y[0] = static_cast<std::uint8_t>(0x100 - 38 + n);
    return y;
}

// The points of small order: multiples of one of order 8, and (at the end) the other encodings that
// a lenient decoder takes for one of them.
std::vector<Half> small_order_points()
{
    Half eighth;
    std::ranges::copy(from_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
                      eighth.begin());
    std::vector<Half> points(8);
    points[0] = {1};
    for (std::size_t i = 1; i < 8; ++i)
        REQUIRE(crypto_core_ed25519_add(points[i].data(), points[i - 1].data(), eighth.data()) ==
                0);
    REQUIRE(crypto_core_ed25519_add(eighth.data(), points[7].data(), eighth.data()) == 0);
    REQUIRE(eighth == points[0]);
    for (const unsigned n : {19u, 20u}) {  // y = p and y = p + 1, with either sign
        points.push_back(near_p(n));
        points.push_back(near_p(n));
        points.back()[31] |= 0x80;
    }
    for (Half negative_zero : {points[0], points[4]}) {  // x = 0 with the sign of -0
        negative_zero[31] |= 0x80;
        points.push_back(negative_zero);
    }
    return points;
}

}  // namespace

TEST_CASE("one signature has one encoding: S + n·L is refused", "[crypto]")
{
    REQUIRE(verifies(right()));
    auto s = half(right(), 1);
    int refused = 0;
    for (; add(s, order); ++refused) CHECK_FALSE(verifies(joined(half(right(), 0), s)));
    CHECK(refused == 15);
}

TEST_CASE("signatures of zeros, of ones, and with halves that are swapped or negated are refused",
          "[crypto]")
{
    const auto r = half(right(), 0), s = half(right(), 1);
    const Half zero{}, one{1};
    Half ones, l, negated;
    ones.fill(0xFF);
    std::ranges::copy(order, l.begin());
    crypto_core_ed25519_scalar_negate(negated.data(), s.data());
    for (const auto& first : {r, s, zero, one, ones, l})
        for (const auto& second : {r, s, zero, one, ones, l, negated}) {
            const bool is_right = first == r && second == s;
            CHECK(verifies(joined(first, second)) == is_right);
        }
}

TEST_CASE("I12: any flipped bit of signature, key or message is refused", "[crypto]")
{
    for (std::size_t bit = 0; bit < 8 * Signature::size; ++bit)
        CHECK_FALSE(verifies(flipped(right(), bit)));
    for (std::size_t bit = 0; bit < 8 * PublicKey::size; ++bit)
        CHECK_FALSE(verifies(right(), flipped(key, bit)));
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
        auto other = message;
        other[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        CHECK_FALSE(verifies(right(), key, other));
    }
    CHECK_FALSE(verifies(right(), ed25519::public_key(secret_of<KeySeed>(0x41))));
    CHECK_FALSE(verifies(right(), key, {}));
}

// With A of small order S = 0 and R = -k·A hold for one message in eight at least: of 64 some do.
TEST_CASE("a key of small order signs nothing, however it is written", "[crypto]")
{
    const auto points = small_order_points();
    CHECK(points.size() == 14);
    for (const auto& point : points) {
        CHECK_FALSE(is_valid(PublicKey(point)));
        CHECK_FALSE(is_valid(Certificate(point)));
        for (const auto& r : points)
            for (std::uint8_t n = 0; n < 64; ++n)
                CHECK_FALSE(verifies(joined(r, {}), PublicKey(point), {n}));
    }
}

// R = T, S = k·a: R + k·A is S·B up to a point of small order, and for the identity to the bit.
TEST_CASE("R of small order is refused, however it is written", "[crypto]")
{
    Half scalar;
    std::array<std::uint8_t, 64> secret, hash;
    Half copy;
    crypto_sign_ed25519_seed_keypair(copy.data(), secret.data(), seed.reveal().data());
    REQUIRE(crypto_sign_ed25519_sk_to_curve25519(scalar.data(), secret.data()) == 0);
    for (const auto& r : small_order_points()) {
        crypto_hash_sha512_state state;
        crypto_hash_sha512_init(&state);
        crypto_hash_sha512_update(&state, r.data(), r.size());
        crypto_hash_sha512_update(&state, key.bytes().data(), PublicKey::size);
        crypto_hash_sha512_update(&state, reinterpret_cast<const std::uint8_t*>(domain.data()),
                                  domain.size());
        crypto_hash_sha512_update(&state, message.data(), message.size());
        crypto_hash_sha512_final(&state, hash.data());
        Half k, s;
        crypto_core_ed25519_scalar_reduce(k.data(), hash.data());
        crypto_core_ed25519_scalar_mul(s.data(), k.data(), scalar.data());
        CHECK_FALSE(verifies(joined(r, s)));
    }
}

TEST_CASE("a key or certificate that is not canonical, or of mixed order, is refused", "[crypto]")
{
    for (unsigned n = 19; n < 38; ++n)
        for (const auto sign : {std::uint8_t{0}, std::uint8_t{0x80}}) {
            auto y = near_p(n);
            y[31] |= sign;
            CHECK_FALSE(is_valid(PublicKey(y)));
            CHECK_FALSE(verifies(right(), PublicKey(y)));
            CHECK_FALSE(verifies(joined(y, half(right(), 1))));
        }
    const auto points = small_order_points();
    for (std::size_t i = 0; i < 8; ++i) {
        Half mixed;
        REQUIRE(crypto_core_ed25519_add(mixed.data(), key.bytes().data(), points[i].data()) == 0);
        CHECK(is_valid(PublicKey(mixed)) == (i == 0));
        CHECK(is_valid(Certificate(mixed)) == (i == 0));
    }
}

TEST_CASE("a signature that is cut short or has more behind it is malformed", "[crypto]")
{
    IssuedCard card;
    const auto whole = IssuedCard::first_instruction(card.next(Kind::top_up, 1));
    REQUIRE(FirstInstruction::decode(whole));
    const auto start = whole.size() - Signature::size;
    REQUIRE(whole[start - 1] == Signature::size);
    for (std::size_t size = 0; size < 128; ++size) {
        auto changed = whole;
        changed.resize(start + size);
        changed[start - 1] = static_cast<std::uint8_t>(size);
        CHECK(FirstInstruction::decode(changed).has_value() == (size == Signature::size));
    }
}

TEST_CASE("I17: no object that is signed under one tag is signed under another", "[crypto][I17]")
{
    namespace tags = wire::domain;
    const auto all = {tags::operation, tags::request, tags::result, tags::state, tags::card_key};
    for (const auto one : all) {
        // The zero ends the tag: what is signed can be read as tag and object in one way only.
        CHECK(one.find('\0') == one.size() - 1);
        const auto signature = ed25519::sign(seed, one, message);
        for (const auto other : all)
            CHECK(ed25519::verify(signature, other, message, key) == (other == one));
        CHECK_FALSE(ed25519::verify(signature, {}, message, key));
    }
}
