// SPDX-License-Identifier: Apache-2.0
// EXECUTE and PAY by the virtual card, beside the libsodium calls that they cannot avoid.
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>

#include <tallycard/instructions.hpp>
#include <tallycard/verify.hpp>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"
#include "../../virtual-card/applet/applet.hpp"
#include "../../virtual-card/nvm/file_nvm.hpp"
#include "../../virtual-card/nvm/memory_storage.hpp"
#include "../support/temporary_folder.hpp"
#include "libsodium_floor.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::bench;

template <class T>
T filled(std::uint8_t value)
{
    std::array<std::uint8_t, T::size> bytes{};
    bytes[0] = value;
    return T(bytes);
}

chip::CardMemory memory_in_use()
{
    chip::CardMemory memory;
    memory.state = CardState::operational;
    memory.secrets.scalar = filled<CardScalar>(1);
    memory.secrets.nonce_secret = filled<NonceSecret>(2);
    memory.card_id = filled<CardId>(3);
    memory.currency = {.unit = *Unit::from_code(978), .exponent = 2};
    memory.operation_key = ed25519::public_key(filled<KeySeed>(4));
    const auto plenty = Balance::minor_units(1'000'000'000);
    memory.limits = {.maximum_balance = plenty,
                     .maximum_amount = plenty,
                     .pin_above = plenty,
                     .offline_payments = Limits::most_offline_payments,
                     .offline_total = plenty};
    memory.balance = Balance::minor_units(1'000'000);
    return memory;
}

// A card, and the commands that it is going to get: made beforehand, as the issuer makes them.
class Card {
public:
    explicit Card(chip::Nvm& nvm) : nvm_(nvm), applet_(nvm)
    {
        nvm_.draft() = memory_in_use();
        if (!nvm_.commit()) throw std::runtime_error("commit");
        send(apdu::Command(wire::command::select, wire::aid, apdu::Command::any_length));
    }

    // Top-ups and cash-outs in turn.
    void prepare_operations(std::size_t times)
    {
        commands_.clear();
        for (std::size_t i = 0; i < times; ++i) add_operation(i % 2 == 0 ? 50'00 : -50'00, i);
    }
    // Payments, and before them the operation that lets the card pay offline again.
    void prepare_payments(std::size_t times)
    {
        prepare_operations(1);
        run();
        commands_.clear();
        for (std::size_t i = 0; i < times; ++i) {
            const PayData order{Amount::minor_units(-1), nvm_.current().currency.unit,
                                filled<Nonce>(static_cast<std::uint8_t>(i)),
                                *AccountId::parse("SHOP-0001")};
            add(wire::command::pay, order.encode());
        }
    }
    void run()
    {
        for (const auto& command : commands_) send(*command);
    }

private:
    void add(apdu::Header header, std::span<const std::uint8_t> data)
    {
        commands_.push_back(
            std::make_unique<apdu::Command>(header, data, apdu::Command::any_length));
    }
    void add_operation(std::int64_t amount, std::size_t after)
    {
        const auto& now = nvm_.current();
        const Operation operation{.kind = amount > 0 ? Kind::top_up : Kind::cash_out,
                                  .card_id = now.card_id,
                                  .sequence = now.sequence + 1 + static_cast<std::uint32_t>(after),
                                  .amount = Amount::minor_units(amount),
                                  .unit = now.currency.unit,
                                  .nonce = filled<Nonce>(7),
                                  .account = AccountId::parse("till-1"),
                                  .parameter = {}};
        const auto signature = ed25519::sign(issuer_, wire::domain::operation, operation.encode());
        add(wire::command::execute, FirstInstruction{operation, signature}.encode());
    }
    void send(const apdu::Command& command)
    {
        std::array<std::uint8_t, chip::Applet::max_answer> answer;
        const auto size = applet_.process(command.bytes(), answer);
        if (answer[size - 2] != 0x90) throw std::runtime_error("the card refused");
    }

    chip::Nvm& nvm_;
    chip::Applet applet_;
    KeySeed issuer_ = filled<KeySeed>(4);
    std::vector<std::unique_ptr<apdu::Command>> commands_;
};

// What EXECUTE (with the issuer's signature) or PAY (without) has to compute, and no more: the
// digests of operation and result, and a signature that is verified before it leaves. Of many
// operations in turn: a processor learns by heart how one signature verifies.
class Floor {
public:
    explicit Floor(Kind kind) : kind_(kind)
    {
        for (std::uint32_t sequence = 1; sequence <= 64; ++sequence) add(sequence);
    }

    void run(std::size_t times)
    {
        for (; times > 0; --times) {
            const auto& one = all_[next_++ % all_.size()];
            if (kind_ != Kind::payment)
                bare_verify(one.issuer_signature, one.operation_message, issuer_key_);
            bare_sha256(one.operation);
            bare_card_signature(scalar_.reveal(), card_key_.bytes(), one.result_message);
            bare_verify(one.card_signature, one.result_message, card_key_);
            bare_sha256(one.result);
        }
    }

private:
    struct One {
        Bytes operation, result;
        Bytes operation_message = {}, result_message = {};
        Signature issuer_signature = {}, card_signature = {};
    };

    void add(std::uint32_t sequence)
    {
        Operation operation{.kind = kind_,
                            .card_id = filled<CardId>(3),
                            .sequence = sequence,
                            .amount = Amount::minor_units(kind_ == Kind::top_up ? 1 : -1),
                            .unit = *Unit::from_code(978),
                            .nonce = {},
                            .account = {},
                            .parameter = {}};
        if (moves_value(kind_)) operation.account = AccountId::parse("SHOP-0001");
        CardResult result;
        result.sequence = sequence;
        result.operation = operation.digest();
        One one{.operation = bytes_of(operation.encode()), .result = bytes_of(result.encode())};
        one.operation_message = signed_message(wire::domain::operation, one.operation);
        one.result_message = signed_message(wire::domain::result, one.result);
        one.issuer_signature = ed25519::sign(issuer_, wire::domain::operation, one.operation);
        one.card_signature = ed25519::sign(card_, wire::domain::result, one.result);
        all_.push_back(one);
    }

    Kind kind_;
    KeySeed issuer_ = filled<KeySeed>(4), card_ = filled<KeySeed>(5);
    PublicKey issuer_key_ = ed25519::public_key(issuer_), card_key_ = ed25519::public_key(card_);
    CardScalar scalar_ = filled<CardScalar>(1);
    std::vector<One> all_;
    std::size_t next_ = 0;
};

void compare(Report& report, const std::string& where, chip::Nvm& nvm, const Aim& aim)
{
    Card card(nvm);
    Floor execute(Kind::top_up), pay(Kind::payment);
    const auto run = [&](std::size_t) { card.run(); };
    report.compare(
        {.name = "EXECUTE, " + where,
         .rounds = 100,
         .times = 14,
         .floor = {.run = [&](std::size_t n) { execute.run(n); }},
         .ours = {.run = run, .prepare = [&](std::size_t n) { card.prepare_operations(n); }},
         .aim = aim});
    report.compare(
        {.name = "PAY, " + where,
         .rounds = 100,
         .times = 14,
         .floor = {.run = [&](std::size_t n) { pay.run(n); }},
         .ours = {.run = run, .prepare = [&](std::size_t n) { card.prepare_payments(n); }},
         .aim = aim});
}

void run(Report& report)
{
    chip::MemoryStorage storage;
    if (!chip::SlotNvm::format(storage, chip::CardMemory())) throw std::runtime_error("format");
    chip::SlotNvm memory(storage);
    memory.load();
    compare(report, "card in memory", memory, {.ratio = 1.3, .added_us = {}, .allocations = 0.0});

    const test::TemporaryFolder folder;
    for (const bool durable : {false, true}) {
        const auto path = folder.file(durable ? "durable" : "quick");
        auto file = chip::FileNvm::create(path, durable, filled<TransportKey>(1)).value();
        compare(report, durable ? "image file" : "image file, no fsync", file->nvm(), {});
    }
}

}  // namespace

int main(int argc, char** argv)
{
    Report report(argc, argv);
    self_test().value();
    run(report);
    report.print();
}
