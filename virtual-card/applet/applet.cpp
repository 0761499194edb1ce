// SPDX-License-Identifier: Apache-2.0
#include "applet.hpp"

#include <tallycard/card_info.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/state_statement.hpp>

#include <algorithm>

#include <sodium/randombytes.h>

#include "../../src/crypto/seal.hpp"
#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/tlv.hpp"
#include "../../src/protocol/wire.hpp"

namespace tallycard::chip {
namespace {

constexpr std::uint8_t iso_class = 0x00, own_class = 0x80;

bool p1_p2_fit(const CommandRow& row, apdu::Header header)
{
    if (header.p2 != row.header.p2) return false;
    if (row.name != CommandName::request) return header.p1 == row.header.p1;
    const auto kind = kind_from_byte(header.p1);
    return kind && needs_request(*kind);
}

bool lengths_fit(const CommandRow& row, const Command& command)
{
    if (!command.well_formed || (row.answers_data && !command.expected)) return false;
    const auto size = command.data.size();
    if (size == 0 && row.data_optional) return true;
    return size >= row.least_data && size <= row.most_data;
}

std::uint32_t sequence_in(const Command& command)
{
    std::uint32_t sequence = 0;
    for (const auto byte : command.data) sequence = sequence << 8 | byte;
    return sequence;
}

}  // namespace

void Applet::power_on()
{
    selected_ = false;
    pin_verified_ = false;
    signer_.reset();
}

std::size_t Applet::process(std::span<const std::uint8_t> command,
                            std::span<std::uint8_t, max_answer> out)
{
    Answer answer(out);
    const auto status = handle(command, answer);
    const auto size = status.ok() ? answer.size() : 0;
    out[size] = status.sw1();
    out[size + 1] = status.sw2();
    return size + 2;
}

StatusWord Applet::handle(std::span<const std::uint8_t> bytes, Answer& answer)
{
    if (bytes.size() < 4) return sw::wrong_length;
    const auto command = Command::parse(bytes);
    const auto header = command.header;
    if (header.cla != iso_class && header.cla != own_class) return sw::unknown_cla;

    const auto is_named = [&](const CommandRow& row) {
        return row.header.cla == header.cla && row.header.ins == header.ins;
    };
    if (std::ranges::none_of(rows::all, is_named)) return sw::unknown_ins;
    const auto* const row = std::ranges::find_if(rows::all, [&](const CommandRow& candidate) {
        return is_named(candidate) && p1_p2_fit(candidate, header);
    });
    if (row == std::end(rows::all)) return sw::wrong_p1_p2;
    if (!lengths_fit(*row, command)) return sw::wrong_length;
    if (const auto status = check_state(row->works_in); !status.ok()) return status;
    answer.expect(command.expected.value_or(0));
    return run(row->name, command, answer);
}

StatusWord Applet::check_state(WorksIn works_in) const
{
    if (works_in == WorksIn::always) return sw::ok;
    if (!nvm_.readable()) return sw::memory_failure;
    if (!selected_) return sw::not_in_this_state;
    const auto state = nvm_.current().state;
    const bool works = works_in == WorksIn::blank         ? state == CardState::blank
                       : works_in == WorksIn::operational ? state == CardState::operational
                                                          : state != CardState::blank;
    return works ? sw::ok : sw::not_in_this_state;
}

StatusWord Applet::run(CommandName name, const Command& command, Answer& answer)
{
    switch (name) {
    case CommandName::select: return select(command, answer);
    case CommandName::get_challenge: return get_challenge(answer);
    case CommandName::verify: return verify(command);
    case CommandName::change_reference_data: return change_reference_data(command);
    case CommandName::set_pin: return set_pin(command);
    case CommandName::internal_authenticate: return internal_authenticate(command, answer);
    case CommandName::get_data: return get_data(answer);
    case CommandName::request: return request(command, answer);
    case CommandName::execute: return execute(command, answer);
    case CommandName::pay: return pay(command, answer);
    case CommandName::get_result: return get_result(command, answer);
    case CommandName::get_operation: return get_operation(command, answer);
    case CommandName::personalise: return personalise(command);
    }
    return sw::unknown_ins;
}

StatusWord Applet::select(const Command& command, Answer& answer)
{
    if (!std::ranges::equal(command.data, wire::aid)) return sw::no_such_application;
    if (!nvm_.readable()) return sw::memory_failure;
    const auto& now = nvm_.current();
    CardInfo info{.state = now.state,
                  .card_id = now.card_id,
                  .sequence = now.sequence,
                  .currency = now.currency,
                  .balance = now.balance,
                  .last_result = now.last_result,
                  .certificate = now.certificate};
    if (now.private_balance) info.balance.reset();
    const auto encoded = info.encode();
    if (const auto status = answer.room_for(encoded.size()); !status.ok()) return status;
    answer.put(encoded);
    selected_ = true;
    pin_verified_ = false;
    return sw::ok;
}

StatusWord Applet::get_challenge(Answer& answer)
{
    const auto random = answer.extend(answer.expected());
    randombytes_buf(random.data(), random.size());
    return sw::ok;
}

StatusWord Applet::internal_authenticate(const Command& command, Answer& answer)
{
    const auto& now = nvm_.current();
    if (now.private_balance && !pin_verified_) return sw::pin_needed;
    constexpr std::size_t size = StateStatement::max_encoded + 2 + Signature::size;
    if (const auto status = answer.room_for(size); !status.ok()) return status;

    const StateStatement statement{.card_id = now.card_id,
                                   .sequence = now.sequence,
                                   .unit = now.currency.unit,
                                   .balance = now.balance,
                                   .last_result = now.last_result,
                                   .state = now.state,
                                   .challenge = Challenge(command.data.first<Challenge::size>())};
    const auto signature = signer().sign_state(statement);
    if (!signature) return sw::memory_failure;
    tlv::Encoder<size> out;
    out.raw(statement.encode());
    out.field(wire::tag::card_signature, signature->bytes());
    answer.put(out.fields());
    return sw::ok;
}

StatusWord Applet::get_data(Answer& answer)
{
    const auto& now = nvm_.current();
    const auto encoded = encode_limits_use({.limits = now.limits,
                                            .offline_payments = now.offline_payments,
                                            .offline_total = now.offline_total});
    if (const auto status = answer.room_for(encoded.size()); !status.ok()) return status;
    answer.put(encoded);
    return sw::ok;
}

StatusWord Applet::get_result(const Command& command, Answer& answer)
{
    const auto sequence = sequence_in(command);
    const auto* const entry = nvm_.current().find(sequence);
    if (entry == nullptr) return sw::not_in_log;
    return answer_receipt(*entry, sequence, answer);
}

StatusWord Applet::get_operation(const Command& command, Answer& answer)
{
    const auto* const entry = nvm_.current().find(sequence_in(command));
    if (entry == nullptr) return sw::not_in_log;
    const auto executed = entry->executed().encode();
    if (const auto status = answer.room_for(executed.size()); !status.ok()) return status;
    answer.put(executed);
    return sw::ok;
}

StatusWord Applet::answer_receipt(const LogEntry& entry, std::uint32_t sequence,
                                  Answer& answer) const
{
    const auto encoded = nvm_.current().receipt(entry, sequence).encode();
    if (const auto status = answer.room_for(encoded.size()); !status.ok()) return status;
    answer.put(encoded);
    return sw::ok;
}

StatusWord Applet::personalise(const Command& command)
{
    if (command.data.size() < seal_overhead) return sw::wrong_length;
    const auto object = unseal(command.data, nvm_.current().secrets.transport_key);
    if (!object) return sw::bad_signature;
    const auto given = Personalisation::decode(object->reveal());
    if (!given) return sw::malformed_data;

    auto& next = nvm_.draft();
    next = CardMemory{};  // the transport key is gone with it
    next.state = CardState::operational;
    next.secrets.scalar = clone(given->scalar);
    std::array<std::uint8_t, NonceSecret::size> nonce_secret;
    randombytes_buf(nonce_secret.data(), nonce_secret.size());
    next.secrets.nonce_secret = NonceSecret(nonce_secret);
    next.has_pin = given->pin.has_value();
    if (given->pin) next.secrets.pin = clone(*given->pin);
    next.pin_tries = pin_tries;
    next.card_id = given->card_id;
    next.currency = given->currency;
    next.certificate = given->certificate;
    next.operation_key = given->operation_key;
    next.limits = given->limits;
    next.private_balance = given->private_balance;
    return nvm_.commit() ? sw::ok : sw::memory_failure;
}

const CardSigner& Applet::signer()
{
    if (!signer_) {
        const auto& secrets = nvm_.current().secrets;
        signer_.emplace(clone(secrets.scalar), clone(secrets.nonce_secret));
    }
    return *signer_;
}

}  // namespace tallycard::chip
