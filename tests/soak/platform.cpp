// SPDX-License-Identifier: Apache-2.0
// soak_platform ISSUER-FOLDER PASSPHRASE-FILE SOCKET: the issuer's side of a soak. Serves terminals
// until its standard input ends.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <tallycard/key_file.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result_error.hpp>

#include "call.hpp"

namespace {

using namespace soak;

std::unique_ptr<Platform> open_platform(const std::string& folder, const char* passphrase_file)
{
    std::ifstream file(passphrase_file);
    std::string typed;
    std::getline(file, typed);
    const auto passphrase = Passphrase::take(typed).value();
    PlatformSettings settings{.issuer = read_issuer_file(folder + "/issuer.pub").value(),
                              .signers = {},
                              .checkpoint_file = folder + "/checkpoint"};
    settings.signers.push_back(open_operation_key(folder + "/operation.key", passphrase).value());
    return Platform::open(open_sqlite_store(folder + "/store.db").value(), std::move(settings))
        .value();
}

void put(Words& words, const CardStanding& standing)
{
    words.put(standing.card_id.to_string());
    words.put(standing.public_key.to_string());
    words.put_number(standing.currency.unit.code());
    words.put_number(standing.currency.exponent);
    words.put_number(static_cast<unsigned>(standing.state));
    words.put_number(standing.settled);
    words.put_number(standing.balance.to_minor_units());
    words.put_number(standing.denied ? 1 : 0);
    words.put_number(standing.withheld ? 1 : 0);
    words.put_object(standing.pending);
    words.put_object(standing.voiding);
}

void put(Words& words, const OperationStatus& status)
{
    words.put_number(static_cast<unsigned>(status.progress));
    words.put_object(std::optional(status.first));
    words.put_object(status.receipt);
}

void put(Words& words, const Settlement& settlement)
{
    words.put_number(settlement.settled ? 1 : 0);
    words.put_number(settlement.sequence);
    words.put_number(settlement.balance.to_minor_units());
    words.put_number(settlement.ledger_index);
}

void put(Words& words, const FirstInstruction& first)
{
    words.put_object(std::optional(first));
}

template <class T>
Words answer(const Result<T>& result)
{
    Words words;
    if (result) {
        words.put("done");
        put(words, *result);
    } else {
        words.put("refused");
        words.put_number(static_cast<unsigned>(result.error().code));
        words.put_number(static_cast<unsigned>(result.error().effect));
    }
    return words;
}

OperationRequest request_in(Words& asked)
{
    return {.id = asked.get_fixed<OperationId>(),
            .card_id = asked.get_fixed<CardId>(),
            .kind = static_cast<Kind>(asked.get_number<int>()),
            .amount = Amount::minor_units(asked.get_number<std::int64_t>()),
            .parameter = {},
            .terminal = AccountId::parse(asked.get()).value()};
}

Words serve(Platform& platform, Words asked)
{
    const auto call = asked.get();
    if (call == "standing") {
        const auto card_id = asked.get_fixed<CardId>();
        return answer(platform.standing(card_id, AccountId::parse(asked.get())));
    }
    if (call == "status") {
        const auto id = asked.get_fixed<OperationId>();
        return answer(platform.status(id, AccountId::parse(asked.get())));
    }
    if (call == "void") return answer(platform.void_pending(asked.get_fixed<CardId>()));
    if (call == "authorise") return answer(platform.authorise(request_in(asked)));
    if (call == "transfer") {
        const auto id = asked.get_fixed<OperationId>();
        const auto second = asked.get_object<SecondInstruction>().value();
        return answer(platform.authorise_transfer(
            {.id = id, .second = second, .terminal = AccountId::parse(asked.get()).value()}));
    }
    const auto receipt = asked.get_object<Receipt>().value();
    const auto executed = asked.get_object<ExecutedOperation>();
    return answer(platform.settle({receipt, executed, AccountId::parse(asked.get()).value()}));
}

void serve_all(Platform& platform, const Socket& door)
{
    std::vector<Socket> terminals;
    for (;;) {
        std::vector<pollfd> waiting{{STDIN_FILENO, POLLIN, 0}, {door.number(), POLLIN, 0}};
        for (const auto& terminal : terminals) waiting.push_back({terminal.number(), POLLIN, 0});
        if (poll(waiting.data(), waiting.size(), -1) < 0)
            throw std::system_error(errno, std::generic_category(), "poll");
        if (waiting[0].revents != 0) return;
        std::vector<Socket> staying;
        for (std::size_t i = 0; i < terminals.size(); ++i) {
            if (waiting[i + 2].revents != 0) {
                auto asked = terminals[i].receive();
                if (!asked) continue;
                terminals[i].send(serve(platform, std::move(*asked)));
            }
            staying.push_back(std::move(terminals[i]));
        }
        terminals = std::move(staying);
        if (waiting[1].revents != 0)
            terminals.emplace_back(accept4(door.number(), nullptr, nullptr, SOCK_CLOEXEC));
    }
}

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 4) return std::fputs("usage: soak_platform ISSUER PASSPHRASE SOCKET\n", stderr), 64;
    const auto platform = open_platform(argv[1], argv[2]);
    const auto door = Socket::listen_at(argv[3]);
    std::puts("ready");
    std::fflush(stdout);
    serve_all(*platform, door);
    return 0;
} catch (const std::exception& error) {
    return std::fprintf(stderr, "soak_platform: %s\n", error.what()), 1;
}
