// SPDX-License-Identifier: Apache-2.0
// secrets CASE, under valgrind: works on secrets that memcheck takes for undefined, so that every
// branch and every index that depends on one is an error of memcheck. The cases `branch` and
// `index` do depend on one, and have to be found.
#include <sodium.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include <valgrind/memcheck.h>
#include <tallycard/card_info.hpp>
#include <tallycard/state_statement.hpp>
#include <tallycard/verify.hpp>

#include "src/crypto/seal.hpp"
#include "src/crypto/secrecy.hpp"
#include "src/protocol/personalisation.hpp"
#include "support/issued_card.hpp"

namespace {

using namespace tallycard;
using namespace testing;
using secrecy::now_public;
using secrecy::now_secret;

void expect(bool holds, const char* what)
{
    if (!holds) throw std::runtime_error(what);
}

// A copy of it, or of a part of it, may be public: that is found out byte by byte.
bool is_secret(std::span<const std::uint8_t> bytes)
{
    Bytes unknown(bytes.size());
    expect(VALGRIND_GET_VBITS(bytes.data(), unknown.data(), bytes.size()) == 1, "no memory");
    return std::ranges::count(unknown, 0xFF) == static_cast<std::ptrdiff_t>(bytes.size());
}

template <class Secret>
void hide(const Secret& secret)
{
    now_secret(secret.reveal());
}

// A card in use whose secrets are secret, in its memory and in what it is told.
class GuardedCard : public IssuedCard {
public:
    GuardedCard() { guard(); }
    // After power-on its checksum has been compared: it is over the secrets, and is none.
    void guard()
    {
        hide(now().secrets.scalar);
        hide(now().secrets.nonce_secret);
        hide(now().secrets.pin);
    }
    std::uint16_t give(apdu::Header header, Bytes blocks)
    {
        auto command = command_apdu(header, blocks);
        now_secret(std::span(command).subspan(5));
        return send(command).sw;
    }
    // Of all that the card remembers.
    bool remembers(const Bytes& pin)
    {
        std::array<std::uint8_t, PinBlock::size> block{};
        std::ranges::copy(now().secrets.pin.reveal(), block.begin());
        expect(is_secret(block), "it was a secret");
        now_public(block);
        return std::ranges::equal(block, pin);
    }
};

Bytes both(const Bytes& old_block, const Bytes& new_block)
{
    auto blocks = old_block;
    blocks.insert(blocks.end(), new_block.begin(), new_block.end());
    return blocks;
}

void pin()
{
    GuardedCard card;
    const auto& verify = wire::command::verify;
    const auto& change = wire::command::change_reference_data;
    expect(card.give(verify, wrong_pin) == 0x63C2, "a wrong PIN is refused");
    expect(card.give(verify, right_pin) == 0x9000, "the right PIN is accepted");
    expect(card.give(verify, no_pin_block) == 0x6A80, "no PIN block is refused");
    expect(card.give(change, both(wrong_pin, new_pin)) == 0x63C2, "a wrong old PIN is refused");
    expect(card.give(change, both(right_pin, new_pin)) == 0x9000, "the right one is accepted");
    expect(card.remembers(new_pin), "the new PIN is there");
}

void signing()
{
    GuardedCard card;
    const auto paid = card.pay(-100);
    expect(paid.sw == 0x9000, "PAY is executed");
    const auto key = card.public_key();
    expect(verify(*Receipt::decode(paid.data), key).has_value(), "the receipt verifies");
    const auto asked = card.request(Kind::transfer_out, -100);
    expect(asked.sw == 0x9000, "REQUEST is answered");
    expect(verify(*SecondInstruction::decode(asked.data), key).has_value(), "it verifies");
    expect(card.execute(Kind::top_up, 100).sw == 0x9000, "EXECUTE is executed");
}

void operation_key()
{
    const auto seed = operation_seed();
    hide(seed);
    auto key = ed25519::public_key(seed);
    now_public(key.bytes());
    const Bytes object{1, 2, 3};
    auto signature = ed25519::sign(seed, wire::domain::operation, object);
    now_public(signature.bytes());
    expect(ed25519::verify(signature, wire::domain::operation, object, key), "it verifies");
}

Personalisation personalisation()
{
    auto memory = memory_in_use();
    return Personalisation{.card_id = memory.card_id,
                           .currency = memory.currency,
                           .certificate = memory.certificate,
                           .scalar = std::move(memory.secrets.scalar),
                           .operation_key = memory.operation_key,
                           .limits = memory.limits,
                           .private_balance = true,
                           .pin = std::move(memory.secrets.pin)};
}

void unsealing()
{
    const auto sealed = seal(personalisation().encode(), secret_of<TransportKey>(9));
    auto damaged = bytes_of(std::span<const std::uint8_t>(sealed));
    damaged.back() ^= 1;
    chip::CardMemory blank;
    blank.secrets.transport_key = secret_of<TransportKey>(9);
    class BlankCard : public TestCard {
    public:
        using TestCard::TestCard;
        void guard() { hide(nvm.current().secrets.transport_key); }
        const chip::CardMemory& now() { return nvm.current(); }
    } card(blank);
    card.select();
    card.guard();
    const auto& personalise = wire::command::personalise;
    expect(card.send(command_apdu(personalise, damaged)).sw == 0x6988, "a broken seal is refused");
    expect(card.send(command_apdu(personalise, sealed)).sw == 0x9000, "PERSONALISE is executed");
    expect(is_secret(card.now().secrets.scalar.reveal()), "S is secret");
    expect(is_secret(card.now().secrets.pin.reveal()), "the PIN is secret");
}

void comparison()
{
    const auto one = secret_of<KeySeed>(1), same = secret_of<KeySeed>(1),
               other = secret_of<KeySeed>(2);
    for (const auto* secret : {&one, &same, &other}) hide(*secret);
    expect(equal(one, same), "they are equal");
    expect(!equal(one, other), "they are not");
}

void branch()
{
    const auto one = secret_of<PinBlock>(1), other = secret_of<PinBlock>(1);
    hide(one);
    if (std::memcmp(one.reveal().data(), other.reveal().data(), PinBlock::size) == 0)
        std::puts("equal");
}

void index()
{
    static const volatile char digits[] = "0123456789abcdef";
    const auto one = secret_of<PinBlock>(1);
    hide(one);
    char digit = digits[one.reveal()[0] & 15];
    now_public({reinterpret_cast<const std::uint8_t*>(&digit), 1});
    std::printf("%c\n", digit);
}

const std::map<std::string, void (*)()> cases = {
    {"pin", pin},
    {"signing", signing},
    {"operation_key", operation_key},
    {"unsealing", unsealing},
    {"comparison", comparison},
    {"branch", branch},
    {"index", index},
};

}  // namespace

int main(int argc, char** argv)
try {
    const auto found = argc == 2 ? cases.find(argv[1]) : cases.end();
    if (found == cases.end())
        return std::fputs("usage: secrets CASE, under valgrind\n", stderr), 64;
    expect(RUNNING_ON_VALGRIND != 0, "this proves nothing without valgrind");
    self_test().value();
    found->second();
    return 0;
} catch (const std::exception& error) {
    return std::fprintf(stderr, "secrets: %s\n", error.what()), 1;
}
