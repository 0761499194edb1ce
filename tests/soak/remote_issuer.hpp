// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "call.hpp"

namespace soak {

// The terminal's end: an IssuerClient whose platform is another process.
class RemoteIssuer : public IssuerClient {
public:
    explicit RemoteIssuer(const std::string& path) : socket_(Socket::connect_to(path)) {}

    Result<CardStanding> standing(const CardId& card_id,
                                  const std::optional<AccountId>& terminal) override
    {
        auto asked = asking("standing", card_id);
        asked.put(std::string(terminal.value().text()));
        return call<CardStanding>(asked, [](Words& words) {
            CardStanding found;
            found.card_id = words.get_fixed<CardId>();
            found.public_key = words.get_fixed<PublicKey>();
            found.currency.unit = Unit::from_code(words.get_number<std::uint16_t>()).value();
            found.currency.exponent = words.get_number<std::uint8_t>();
            found.state = card_state_from_byte(words.get_number<std::uint8_t>()).value();
            found.settled = words.get_number<std::uint32_t>();
            found.balance = Balance::minor_units(words.get_number<std::uint64_t>());
            found.denied = words.get_number<int>() != 0;
            found.withheld = words.get_number<int>() != 0;
            found.pending = words.get_object<FirstInstruction>();
            found.voiding = words.get_object<FirstInstruction>();
            return found;
        });
    }
    Result<OperationStatus> authorise(const OperationRequest& request) override
    {
        auto words = asking("authorise", request.id);
        words.put(request.card_id.to_string());
        words.put_number(static_cast<unsigned>(request.kind));
        words.put_number(request.amount.to_minor_units());
        words.put(std::string(request.terminal.text()));
        return call<OperationStatus>(words, status_in);
    }
    Result<OperationStatus> authorise_transfer(const TransferRequest& request) override
    {
        auto words = asking("transfer", request.id);
        words.put_object(std::optional(request.second));
        words.put(std::string(request.terminal.text()));
        return call<OperationStatus>(words, status_in);
    }
    Result<OperationStatus> status(const OperationId& id,
                                   const std::optional<AccountId>& terminal) override
    {
        auto words = asking("status", id);
        words.put(std::string(terminal.value().text()));
        return call<OperationStatus>(words, status_in);
    }
    Result<FirstInstruction> void_pending(const CardId& card_id) override
    {
        return call<FirstInstruction>(asking("void", card_id), [](Words& words) {
            return words.get_object<FirstInstruction>().value();
        });
    }
    Result<Settlement> settle(const Submission& submission) override
    {
        Words words;
        words.put("settle");
        words.put_object(std::optional(submission.receipt));
        words.put_object(submission.executed);
        words.put(std::string(submission.terminal.text()));
        return call<Settlement>(words, [](Words& answer) {
            Settlement done;
            done.settled = answer.get_number<int>() != 0;
            done.sequence = answer.get_number<std::uint32_t>();
            done.balance = Balance::minor_units(answer.get_number<std::uint64_t>());
            done.ledger_index = answer.get_number<std::uint64_t>();
            return done;
        });
    }
    // The soak's tills keep no accounts.
    Result<AccountStanding> account_standing(const AccountId&) override { return not_a_tills(); }
    Result<ExecutedOrder> execute(const SignedOrder&) override { return not_a_tills(); }

private:
    static Error not_a_tills() { return {.code = Errc::not_permitted, .where = "the soak"}; }
    template <class Id>
    static Words asking(const char* call, const Id& id)
    {
        Words words;
        words.put(call);
        words.put(id.to_string());
        return words;
    }
    static OperationStatus status_in(Words& words)
    {
        OperationStatus status;
        status.progress = static_cast<Progress>(words.get_number<int>());
        status.first = words.get_object<FirstInstruction>().value();
        status.receipt = words.get_object<Receipt>();
        return status;
    }
    template <class T, class Read>
    Result<T> call(const Words& words, Read read)
    {
        socket_.send(words);
        auto answer = socket_.receive();
        if (!answer)
            return Error{.code = Errc::issuer_unreachable, .effect = Effect::unknown, .where = ""};
        if (answer->get() == "done") return read(*answer);
        const auto code = static_cast<Errc>(answer->get_number<int>());
        return Error{.code = code,
                     .effect = static_cast<Effect>(answer->get_number<int>()),
                     .where = "the platform"};
    }

    Socket socket_;
};

}  // namespace soak
