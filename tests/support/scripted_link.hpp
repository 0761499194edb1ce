// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <tallycard/reader.hpp>

namespace testing {

using namespace tallycard;

// A link whose card is a function from a command to an answer, status word included. It gives its
// answers out as they are: a function that returns 0 or 1 byte is a card that speaks nonsense.
// By itself it allocates nothing, so that tests can count what others allocate.
class ScriptedLink final : public CardLink {
public:
    using Bytes = std::span<const std::uint8_t>;
    using Card = std::function<Result<Bytes>(Bytes command)>;

    explicit ScriptedLink(Card card, TransmissionProtocol protocol = TransmissionProtocol::t1)
        : card_(std::move(card)), protocol_(protocol)
    {
    }

    int begun = 0, ended = 0, reconnected = 0, transmitted = 0;
    std::vector<Error> begin_errors;  // given once each, the last one first

    const Atr& atr() const override { return atr_; }
    TransmissionProtocol protocol() const override { return protocol_; }
    Result<void> begin() override
    {
        ++begun;
        if (begin_errors.empty()) return {};
        const auto error = begin_errors.back();
        begin_errors.pop_back();
        return error;
    }
    Result<void> end() override
    {
        ++ended;
        return {};
    }
    Result<void> reconnect() override
    {
        ++reconnected;
        return {};
    }
    Result<std::size_t> transmit(Bytes command, std::span<std::uint8_t> answer) override
    {
        ++transmitted;
        const auto given = card_(command);
        if (!given) return given.error();
        if (given->size() > answer.size())
            return Error{.code = Errc::link_failed, .effect = Effect::unknown, .where = "script"};
        std::ranges::copy(*given, answer.begin());
        return given->size();
    }

private:
    Card card_;
    TransmissionProtocol protocol_;
    Atr atr_;
};

}  // namespace testing
