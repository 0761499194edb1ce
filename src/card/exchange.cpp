// SPDX-License-Identifier: Apache-2.0
#include "exchange.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "../protocol/wire.hpp"

namespace tallycard::detail {

namespace {

using apdu::Command;
using apdu::Response;

// xx of 61xx and 6Cxx: how much there is. 00 is 256.
std::size_t announced(StatusWord sw)
{
    return sw.sw2() == 0 ? Command::any_length : sw.sw2();
}
bool more_waits(StatusWord sw)
{
    return sw.sw1() == 0x61;
}
bool names_length(StatusWord sw)
{
    return sw.sw1() == 0x6C;
}

class Exchanger {
public:
    Exchanger(CardLink& link, const CommandRule& rule, AnswerBuffer answer, Observer* observer)
        : link_(link), rule_(rule), answer_(answer), observer_(observer)
    {
    }

    // The command that follows is completed at the reader.
    Exchanger& at_reader(PinEntry entry)
    {
        entry_ = entry;
        return *this;
    }

    Result<Response> run(const Command& command)
    {
        auto response = send(command);
        if (response && may_resend(command, response->sw)) {
            const Command again(command.header(), command.data(), announced(response->sw));
            response = send(again);
        }
        if (!response) return response;
        if (more_waits(response->sw) && command.expected() > 0) return rest_of(*response);
        return judge(command, *response);
    }

private:
    // A command that may have had an effect is never sent twice, and under T=0 the length of a
    // command with data was never given, so that there is nothing to correct.
    bool may_resend(const Command& command, StatusWord sw) const
    {
        const bool sent_le = link_.protocol() == TransmissionProtocol::t1 || command.data().empty();
        return names_length(sw) && rule_.if_in_doubt == Effect::none && command.expected() > 0 &&
               sent_le;
    }

    // Collects with GET RESPONSE. From here on the card has carried the command out, so that no
    // status word is a refusal any more.
    Result<Response> rest_of(const Response& first)
    {
        std::size_t have = first.data.size();
        std::size_t wanted = announced(first.sw);
        for (int i = 0; i < most_get_responses; ++i) {
            const std::size_t room = Command::any_length - have;
            if (room == 0) return in_doubt(Errc::link_failed, first.sw);
            const Command get_response(wire::command::get_response, {}, std::min(wanted, room));
            const auto part = send(get_response, have);
            if (!part) return doubted(part.error());
            if (!names_length(part->sw)) have += part->data.size();
            if (part->sw.ok()) return Response{.data = answer_.first(have), .sw = part->sw};
            if (!more_waits(part->sw) && !names_length(part->sw))
                return in_doubt(Errc::unexpected_status, part->sw);
            wanted = announced(part->sw);
        }
        return in_doubt(Errc::link_failed, first.sw);
    }

    Result<Response> judge(const Command& command, const Response& response) const
    {
        const bool data_fits = response.data.size() <= command.expected();
        if (response.sw.ok() && !data_fits) return in_doubt(Errc::link_failed, response.sw);
        if (response.sw.ok()) return response;
        const auto known = response.data.empty() ? refusal(rule_, response.sw) : std::nullopt;
        if (!known) return in_doubt(Errc::unexpected_status, response.sw);
        return Error{.code = *known, .sw = response.sw, .where = rule_.name};
    }

    // One command over the link; its answer goes to `offset` of the buffer.
    Result<Response> send(const Command& command, std::size_t offset = 0)
    {
        const bool t0 = link_.protocol() == TransmissionProtocol::t0;
        const auto room = answer_.subspan(offset);
        const auto start = std::chrono::steady_clock::now();
        const auto bytes_sent = t0 ? command.tpdu() : command.bytes();
        const auto size = entry_ ? link_.transmit_with_pin(*entry_, bytes_sent, room)
                                 : link_.transmit(bytes_sent, room);
        const auto took = std::chrono::steady_clock::now() - start;
        if (!size) {
            observe(command, {}, {}, took);
            auto error = size.error();
            if (error.effect == Effect::unknown) error.effect = rule_.if_in_doubt;
            error.where = rule_.name;
            return error;
        }
        const auto bytes = room.first(std::min(*size, room.size()));
        const auto response = Response::parse(bytes);
        if (!response) {
            observe(command, bytes, {}, took);
            return doubted(response.error());
        }
        observe(command, response->data, response->sw, took);
        return response;
    }

    void observe(const Command& command, std::span<const std::uint8_t> data, StatusWord sw,
                 std::chrono::nanoseconds took) const
    {
        if (observer_ == nullptr) return;
        const std::span<const std::uint8_t> hidden;
        observer_->exchanged({.header = command.header(),
                              .command_data_size = command.data().size(),
                              .command_data = rule_.redacted ? hidden : command.data(),
                              .response_data_size = data.size(),
                              .response_data = rule_.redacted ? hidden : data,
                              .sw = sw,
                              .took = took});
    }

    Error in_doubt(Errc code, StatusWord sw) const
    {
        return {.code = code, .effect = rule_.if_in_doubt, .sw = sw, .where = rule_.name};
    }
    Error doubted(Error error) const
    {
        error.effect = rule_.if_in_doubt;
        error.where = rule_.name;
        return error;
    }

    CardLink& link_;
    const CommandRule& rule_;
    AnswerBuffer answer_;
    Observer* observer_;
    std::optional<PinEntry> entry_;
};

}  // namespace

Result<Response> exchange(CardLink& link, const Command& command, const CommandRule& rule,
                          AnswerBuffer answer, Observer* observer)
{
    return Exchanger(link, rule, answer, observer).run(command);
}

Result<Response> exchange_at_reader(CardLink& link, PinEntry entry, const Command& command,
                                    const CommandRule& rule, AnswerBuffer answer,
                                    Observer* observer)
{
    return Exchanger(link, rule, answer, observer).at_reader(entry).run(command);
}

}  // namespace tallycard::detail
