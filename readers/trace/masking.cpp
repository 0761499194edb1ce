// SPDX-License-Identifier: Apache-2.0
#include "masking.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>

#include "../../src/protocol/tlv.hpp"
#include "../../src/protocol/wire.hpp"

namespace tallycard::trace {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t header_size = 4;

struct Field {
    std::uint8_t tag;
    std::size_t shortest, longest;
};

constexpr Field amount{wire::tag::amount, 8, 8};
constexpr Field unit{wire::tag::unit, 2, 2};
constexpr Field nonce{wire::tag::nonce, 16, 16};
constexpr Field account{wire::tag::account, 1, 34};
constexpr std::array request_fields = {amount, unit, account};
constexpr std::array pay_fields = {amount, unit, nonce, account};

// Exactly these fields, in this order.
bool consists_of(Bytes data, std::span<const Field> fields)
{
    tlv::Decoder in(data);
    for (const auto& field : fields) (void)in.field(field.tag, field.shortest, field.longest);
    return in.at_end();
}

bool is_nothing(Bytes data)
{
    return data.empty();
}

struct PublicCommand {
    apdu::Header header;
    bool any_p1;
    bool (*has_form)(Bytes data);
};

constexpr std::array public_commands = {
    PublicCommand{wire::command::select, false,
                  [](Bytes data) { return std::ranges::equal(data, wire::aid); }},
    PublicCommand{wire::command::get_challenge, false, is_nothing},
    PublicCommand{wire::command::internal_authenticate, false,
                  [](Bytes data) { return data.size() == Challenge::size; }},
    PublicCommand{wire::command::get_response, false, is_nothing},
    PublicCommand{wire::command::get_data, false, is_nothing},
    PublicCommand{wire::command::request, true,
                  [](Bytes data) { return consists_of(data, request_fields); }},
    PublicCommand{wire::command::execute, false,
                  [](Bytes data) { return FirstInstruction::decode(data).has_value(); }},
    PublicCommand{wire::command::pay, false,
                  [](Bytes data) { return consists_of(data, pay_fields); }},
    PublicCommand{wire::command::get_result, false, [](Bytes data) { return data.size() == 4; }},
    PublicCommand{wire::command::get_operation, false, [](Bytes data) { return data.size() == 4; }},
};

// The data of a short command, under T=1 or T=0; empty when it is not one.
std::optional<Bytes> data_of(Bytes command)
{
    if (command.size() < header_size) return std::nullopt;
    if (command.size() <= header_size + 1) return Bytes();
    const std::size_t size = command[header_size];
    const auto data = command.subspan(header_size + 1);
    if (size == 0 || data.size() < size || data.size() > size + 1) return std::nullopt;
    return data.first(size);
}

bool has_header(Bytes command, const PublicCommand& known)
{
    const auto& h = known.header;
    return command[0] == h.cla && command[1] == h.ins && (known.any_p1 || command[2] == h.p1) &&
           command[3] == h.p2;
}

std::string text(Bytes bytes, std::size_t shown_from, std::size_t shown_to)
{
    if (bytes.empty()) return "-";
    auto hex = to_hex(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i < shown_from || i >= shown_to) hex[2 * i] = hex[2 * i + 1] = '.';
    }
    return hex;
}

}  // namespace

bool is_public(Bytes command)
{
    const auto data = data_of(command);
    return data && std::ranges::any_of(public_commands, [&](const PublicCommand& known) {
               return has_header(command, known) && known.has_form(*data);
           });
}

bool is_get_response(Bytes command)
{
    const auto h = wire::command::get_response;
    return command.size() >= header_size && command[0] == h.cla && command[1] == h.ins;
}

std::string command_text(Bytes command, bool is_shown)
{
    const auto header = command.size() < header_size ? 0 : header_size;
    return text(command, 0, is_shown ? command.size() : header);
}

std::string answer_text(Bytes answer, bool is_shown)
{
    const auto status = answer.size() < 2 ? answer.size() : answer.size() - 2;
    return text(answer, is_shown ? 0 : status, answer.size());
}

}  // namespace tallycard::trace
