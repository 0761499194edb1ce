// SPDX-License-Identifier: Apache-2.0
// A chip whose processor or memory fails in the middle of what it does, and the ends of its rules.
#include <catch2/catch.hpp>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

int verifications_until_fault = -1;  // below zero: never

// Memory of which one write or sync, counted from 0, fails.
class FailingAt final : public chip::Storage {
public:
    explicit FailingAt(int at) : left_(at) {}
    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        return memory_.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        return left_-- != 0 && memory_.write(offset, bytes);
    }
    bool sync() override { return left_-- != 0; }

private:
    chip::MemoryStorage memory_;
    int left_;
};

Reply send_pay(IssuedCard& card, std::int64_t amount, std::uint8_t nonce, const char* payee)
{
    const PayData order{Amount::minor_units(amount), card.now().currency.unit,
                        public_of<Nonce>(nonce), AccountId::parse(std::string_view(payee)).value()};
    return card.send(command_apdu(wire::command::pay, order.encode(), 0));
}

Reply send_request(IssuedCard& card, std::uint8_t kind, const char* account)
{
    const RequestData data{Amount::minor_units(-10), card.now().currency.unit,
                           AccountId::parse(std::string_view(account)).value()};
    auto header = wire::command::request;
    header.p1 = kind;
    return card.send(command_apdu(header, data.encode(), 0));
}

}  // namespace

extern "C" {
int real_verify(const unsigned char* signature, const unsigned char* message,
                unsigned long long size,
                const unsigned char* key) __asm__("__real_crypto_sign_ed25519_verify_detached");
int faulty_verify(const unsigned char* signature, const unsigned char* message,
                  unsigned long long size,
                  const unsigned char* key) __asm__("__wrap_crypto_sign_ed25519_verify_detached");

int faulty_verify(const unsigned char* signature, const unsigned char* message,
                  unsigned long long size, const unsigned char* key)
{
    if (verifications_until_fault >= 0 && verifications_until_fault-- == 0) return -1;
    return real_verify(signature, message, size, key);
}
}

TEST_CASE("a signature that came out wrong never leaves the card, and nothing changes",
          "[applet][value]")
{
    IssuedCard card;
    const auto before = card.memory();
    const auto operation = card.next(Kind::top_up, 100);
    verifications_until_fault = 1;  // after the issuer's
    CHECK(card.execute(operation).sw == 0x6581);
    CHECK(card.memory() == before);
    verifications_until_fault = 0;
    CHECK(card.pay(-10).sw == 0x6581);
    CHECK(card.memory() == before);
    verifications_until_fault = 0;
    CHECK(card.request(Kind::transfer_out, -10).sw == 0x6581);
    CHECK(card.memory() == before);
    CHECK(verifications_until_fault < 0);
    CHECK(card.execute(operation).sw == 0x9000);
}

TEST_CASE("a payment is the one before only with its nonce and its payee", "[applet][value]")
{
    IssuedCard card;
    const auto first = send_pay(card, -10, 0x51, "SHOP-1");
    CHECK(send_pay(card, -10, 0x51, "SHOP-1").data == first.data);
    CHECK(card.now().sequence == 1);
    CHECK(send_pay(card, -10, 0x52, "SHOP-1").sw == 0x9000);
    CHECK(send_pay(card, -10, 0x52, "SHOP-2").sw == 0x9000);
    CHECK(card.now().sequence == 3);
    CHECK(card.balance() == start_balance - 30);
    card.arrange([](chip::CardMemory& m) {
        m.offline_payments = 0;
        m.log[m.sequence % 16].operation =
            chip::OperationBytes(std::array<std::uint8_t, 2>{0xE1, 0x00});
    });
    CHECK(send_pay(card, -10, 0x52, "SHOP-2").sw == 0x9000);
    CHECK(card.now().sequence == 4);
}

TEST_CASE("a request to another account is another request", "[applet][value]")
{
    IssuedCard card;
    const auto out = static_cast<std::uint8_t>(Kind::transfer_out);
    const auto first = IssuedCard::requested(send_request(card, out, "SHOP-1"));
    CHECK(IssuedCard::requested(send_request(card, out, "SHOP-1")) == first);
    CHECK(IssuedCard::requested(send_request(card, out, "SHOP-2")) != first);
    CHECK(card.request(Kind::transfer_in, 10).sw == 0x9000);
    CHECK(IssuedCard::requested(card.request(Kind::transfer_out, -10)) != first);
    CHECK(send_request(card, 0xEE, "SHOP-1").sw == 0x6A86);
}

TEST_CASE("the total of offline payments does not wrap", "[applet][value][I8]")
{
    auto memory = memory_in_use();
    memory.limits.offline_total = Balance::minor_units(Balance::largest);
    memory.offline_total = Balance::minor_units(Balance::largest);
    IssuedCard card(memory);
    const auto before = card.memory();
    const auto refused = card.pay(-1).sw;
    memory.limits.offline_total = memory.offline_total = Balance::minor_units(0);
    CHECK(IssuedCard(memory).pay(-1).sw == refused);
    CHECK(card.memory() == before);
}

TEST_CASE("an image whose writing fails anywhere is none", "[applet][nvm]")
{
    int failed = 0;
    for (int at = 0;; ++at) {
        FailingAt storage(at);
        if (chip::SlotNvm::format(storage, memory_in_use())) break;
        ++failed;
        chip::SlotNvm nvm(storage);
        nvm.load();
        CHECK((!nvm.readable() || nvm.current().card_id == memory_in_use().card_id));
    }
    CHECK(failed > 3);
}
