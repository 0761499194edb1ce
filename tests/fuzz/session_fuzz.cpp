// SPDX-License-Identifier: Apache-2.0
// A session with a hostile card: every call, in any order, each answered with what the input says,
// which may be signed with the card's genuine key. What a call returns is signed by that card and
// is what was asked for; an error of a call that moves value says that nothing changed only where
// the link said so or the card refused by name.
#include <tallycard/card_session.hpp>
#include <tallycard/verify.hpp>

#include "../../src/crypto/seal.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "card_table.hpp"
#include "fuzz.hpp"
#include "hostile_link.hpp"
#include "memory_card.hpp"
#include "same_random.hpp"

using namespace tallycard;
using fuzz::Bytes;
using fuzz::Input;

namespace {

struct Card {
    SoftwareCardRoot root{testing::secret_of<KeySeed>(1)};
    CardKey key = root.derive(testing::public_of<CardId>(0x20)).value();
    CardSigner signer{chip::clone(key.scalar), testing::secret_of<NonceSecret>(7)};
    chip::CardMemory memory = [this] {
        auto made = testing::memory_in_use();
        made.secrets.scalar = chip::clone(key.scalar);
        made.certificate = key.certificate;
        return made;
    }();
};

const Card& card()
{
    static const Card card;
    return card;
}

class CountingObserver final : public Observer {
public:
    void exchanged(const Exchange& exchange) noexcept override
    {
        const auto ins = exchange.header.ins;
        const bool is_secret = ins == 0x20 || ins == 0x24 || ins == 0xE2;
        FUZZ_CHECK(!is_secret || (exchange.command_data.empty() && exchange.response_data.empty()));
    }
};

// What this card's key can sign, about anything.
class Forger {
public:
    Bytes operator()(std::span<const std::uint8_t> command, Input& input) const
    {
        const auto ins = command.size() > 1 ? command[1] : 0;
        Bytes answer;
        if (ins == 0xA4)
            answer = info(input);
        else if (ins == 0x88)
            answer = statement(command, input);
        else if (ins == 0x30)
            answer = request(input);
        else if (ins == 0x36 && command[2] == 1)
            answer = executed(input);
        else if (ins == 0xCA)
            answer = testing::bytes_of(
                encode_limits_use({fuzz::limits(input), input.byte(), {}}).bytes());
        else
            answer = receipt(input);
        if (input.one_in(8)) fuzz::edit(answer, input);
        answer.insert(answer.end(), {0x90, 0x00});
        return answer;
    }

private:
    static Bytes info(Input& input)
    {
        const auto what = input.byte();
        CardInfo info{.state = CardState::operational,
                      .card_id = card().memory.card_id,
                      .sequence = input.byte(),
                      .currency = card().memory.currency,
                      .balance = Balance::minor_units(input.number(2)),
                      .last_result = {},
                      .certificate = card().key.certificate};
        if ((what & 1) != 0) info.state = CardState::blank;
        if ((what & 2) != 0) info.balance.reset();
        if ((what & 4) != 0) info.certificate = {};
        return testing::bytes_of(info.encode().bytes());
    }
    static Bytes statement(std::span<const std::uint8_t> command, Input& input)
    {
        const auto what = input.byte();
        StateStatement statement{.card_id = card().memory.card_id,
                                 .sequence = input.byte(),
                                 .unit = card().memory.currency.unit,
                                 .balance = {},
                                 .last_result = {},
                                 .state = CardState::operational,
                                 .challenge = {}};
        if (command.size() > 21 && (what & 1) == 0)
            statement.challenge = Challenge(command.subspan<5, 16>());
        if ((what & 2) != 0) statement.card_id = {};
        auto answer = testing::bytes_of(statement.encode().bytes());
        const auto signature = card().signer.sign_state(statement).value();
        answer.insert(answer.end(), {0x9E, 0x40});
        answer.insert(answer.end(), signature.bytes().begin(), signature.bytes().end());
        return answer;
    }
    static Bytes request(Input& input)
    {
        const auto operation = fuzz::operation(input, card().memory);
        return testing::bytes_of(
            SecondInstruction{operation, card().signer.sign_request(operation).value()}
                .encode()
                .bytes());
    }
    // With 9D, as of everything but a payment; or the other way round.
    static Bytes executed(Input& input)
    {
        const auto operation = fuzz::operation(input, card().memory);
        const bool is_signed = (operation.kind == Kind::payment) == input.one_in(8);
        return testing::bytes_of(is_signed ? FirstInstruction{operation, {}}.encode().bytes()
                                           : operation.encode().bytes());
    }
    static Bytes receipt(Input& input)
    {
        const auto operation = fuzz::operation(input, card().memory);
        CardResult result{.card_id = operation.card_id,
                          .sequence = operation.sequence,
                          .operation = operation.digest(),
                          .balance = {},
                          .previous_result = {},
                          .state = CardState::operational};
        if (input.one_in(4)) result.sequence = input.byte();
        return testing::bytes_of(
            Receipt{result, card().signer.sign_result(result).value()}.encode().bytes());
    }
};

class Caller {
public:
    Caller(CardSession& session, Input& input) : session_(session), input_(input) {}

    void call()
    {
        switch (input_.below(16)) {
        case 0: return failed(session_.select(), false);
        case 1: {
            Bytes random(1 + input_.byte());
            return failed(session_.challenge(random), false);
        }
        case 2: return authenticate();
        case 3: return failed(session_.limits(), false);
        case 4: return failed(session_.verify_pin(pin()), false);
        case 5:
            return failed(
                input_.one_in(4) ? session_.set_pin(pin()) : session_.change_pin(pin(), pin()),
                true);
        case 6: return failed(session_.verify_pin_at_reader(), false);
        case 7: return failed(session_.change_pin_at_reader(), true);
        case 8: {
            const auto left = session_.pin_tries_left();
            if (left) FUZZ_CHECK(!*left || **left <= pin_tries);
            return failed(left, false);
        }
        case 9: return request();
        case 10:
        case 11: return execute();
        case 12: return pay();
        case 13: return result();
        case 14: return operation();
        default: return failed(session_.personalise(fuzz::personalisation(input_)), true);
        }
    }

private:
    static PinBlock pin()
    {
        auto block = testing::right_pin;
        return PinBlock(std::span(block).first<8>());
    }
    template <class T>
    void failed(const Result<T>& result, bool may_move)
    {
        if (result) return;
        const auto& error = result.error();
        FUZZ_CHECK(error.where[0] != '\0' && !error.message().empty());
        FUZZ_CHECK(may_move || error.effect == Effect::none);
        if (!may_move || error.effect == Effect::unknown) return;
        const bool is_refusal = error.sw != StatusWord() && error.sw.sw1() != 0x61;
        const bool never_sent = error.sw == StatusWord();
        FUZZ_CHECK(is_refusal || never_sent);
        FUZZ_CHECK(error.code != Errc::bad_signature && error.sw.value() != 0x6F00);
    }
    void authenticate()
    {
        const Challenge challenge(fuzz::nonce(input_).bytes());
        const auto statement = session_.authenticate(challenge);
        if (statement) {
            FUZZ_CHECK(statement->card_id == session_.info().card_id);
            FUZZ_CHECK(statement->challenge == challenge);
        }
        failed(statement, false);
    }
    void request()
    {
        const auto kind = fuzz::requested_kind(input_);
        const auto amount =
            input_.one_in(8) ? Amount{} : fuzz::signed_amount(kind, fuzz::amount(input_));
        const auto account = fuzz::account(input_);
        const auto second = session_.request(kind, amount, session_.info().currency.unit, account);
        if (second) {
            FUZZ_CHECK(verify(*second, session_.public_key()));
            FUZZ_CHECK(second->operation.kind == kind && second->operation.amount == amount);
            FUZZ_CHECK(second->operation.account == account);
        }
        failed(second, false);
    }
    void check(const Result<Receipt>& receipt, bool may_move)
    {
        if (receipt) {
            FUZZ_CHECK(verify(*receipt, session_.public_key()));
            FUZZ_CHECK(receipt->result.card_id == session_.info().card_id);
        }
        failed(receipt, may_move);
    }
    void execute()
    {
        const auto first = FirstInstruction::decode(fuzz::execute(input_, card().memory)).value();
        const auto receipt = session_.execute(first);
        if (receipt) FUZZ_CHECK(receipt->result.operation == first.operation.digest());
        check(receipt, true);
    }
    void pay()
    {
        PaymentOrder order{
            .amount = Amount::minor_units(-std::max<std::int64_t>(1, fuzz::amount(input_))),
            .unit = session_.info().currency.unit,
            .nonce = fuzz::nonce(input_),
            .payee = fuzz::account(input_)};
        if (input_.one_in(16)) order.amount = {};
        check(session_.pay(order), true);
    }
    void result()
    {
        const std::uint32_t sequence = input_.byte();
        const auto receipt = session_.result(sequence);
        if (receipt) FUZZ_CHECK(receipt->result.sequence == sequence);
        check(receipt, false);
    }
    void operation()
    {
        const std::uint32_t sequence = input_.byte();
        const auto executed = session_.operation(sequence);
        if (executed) {
            FUZZ_CHECK(executed->valid());
            FUZZ_CHECK(executed->operation.sequence == sequence);
            FUZZ_CHECK(executed->operation.card_id == session_.info().card_id);
        }
        failed(executed, false);
    }

    CardSession& session_;
    Input& input_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const auto image = [] {
        const fuzz::SameRandom random;  // which the card's key is drawn from
        chip::MemoryStorage storage;
        FUZZ_CHECK(chip::SlotNvm::format(storage, card().memory));
        return storage.bytes();
    }();
    const fuzz::SameRandom random;
    Input input(data, size);
    fuzz::MemoryCard below(image, input.one_in(2));
    fuzz::HostileLink link(below, input, Forger());
    CountingObserver observer;
    auto session =
        CardSession::begin(link, card().root.public_key(), input.one_in(2) ? &observer : nullptr);
    if (!session) return 0;
    for (auto left = 1 + input.below(12); left > 0 && !input.empty(); --left)
        Caller(*session, input).call();
    (void)session->end();
    return 0;
}
