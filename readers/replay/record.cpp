// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "../text_scanner.hpp"

namespace tallycard::replay {

namespace {

struct CallName {
    Call call;
    std::string_view text;
};

constexpr std::array call_names = {
    CallName{Call::list, "list"},
    CallName{Call::open, "open"},
    CallName{Call::card, "card"},
    CallName{Call::wait_for_card, "wait_for_card"},
    CallName{Call::wait_for_removal, "wait_for_removal"},
    CallName{Call::connect, "connect"},
    CallName{Call::begin, "begin"},
    CallName{Call::end, "end"},
    CallName{Call::transmit, "transmit"},
    CallName{Call::type_pin, "type_pin"},
    CallName{Call::type_new_pin, "type_new_pin"},
    CallName{Call::reconnect, "reconnect"},
    CallName{Call::close, "close"},
    CallName{Call::event, "event"},
};

bool is_of_reader(Call call)
{
    return call == Call::open || call == Call::card || call == Call::wait_for_card ||
           call == Call::wait_for_removal || call == Call::connect;
}

bool is_exchange(Call call)
{
    return call == Call::transmit || call == Call::type_pin || call == Call::type_new_pin;
}

std::optional<Errc> errc_of(std::string_view word)
{
    for (unsigned i = 0; i <= std::numeric_limits<std::uint8_t>::max(); ++i) {
        const auto code = static_cast<Errc>(i);
        if (std::string_view(name(code)) == "unknown") break;
        if (name(code) == word) return code;
    }
    return std::nullopt;
}

std::optional<Bytes> bytes_of(std::string_view word)
{
    Bytes bytes;
    if (word == "-") return bytes;
    if (word.empty() || word.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < word.size(); i += 2) {
        const auto digits = word.substr(i, 2);
        const auto value = to_number<std::uint8_t>(digits, 16);
        if (!value && digits != "..") return std::nullopt;
        bytes.values.push_back(value.value_or(0));
        bytes.shown.push_back(value.has_value());
    }
    return bytes;
}

class Parser {
public:
    explicit Parser(std::string_view text) : in_(text) {}

    Result<Record> run()
    {
        (void)in_.next_line();
        if (in_.word() != "tallycard-trace")
            return in_.error("record: it starts with 'tallycard-trace 1'");
        if (in_.word() != "1") return in_.error("record: only version 1 is known");
        if (const auto end = line_end(); !end) return end.error();
        while (in_.next_line()) {
            auto read = line();
            if (read) read = line_end();
            if (!read) return read.error();
        }
        record_.lines = in_.line();
        return std::move(record_);
    }

private:
    Result<void> line_end()
    {
        if (in_.at_line_end()) return {};
        (void)in_.word();
        return in_.error("record: there is more than the line needs");
    }

    Result<void> line()
    {
        if (!to_number<std::uint64_t>(in_.word()))
            return in_.error("record: a line starts with its time in microseconds");
        const auto word = in_.word();
        if (word == "reader") return reader();
        const auto known = std::ranges::find(call_names, word, &CallName::text);
        if (known == call_names.end()) return in_.error("record: no such call");
        step_ = Step{};
        step_.call = known->call;
        step_.line = in_.line();
        if (auto read = step(); !read) return read;
        record_.steps.push_back(std::move(step_));
        return {};
    }

    Result<void> reader()
    {
        const auto number = to_number<std::uint32_t>(in_.word());
        if (!number || *number == 0 || record_.readers.contains(*number))
            return in_.error("record: a reader has a number of its own, from 1");
        auto name = in_.quoted();
        if (!name) return in_.error("record: a reader has a name in quotes");
        record_.readers[*number] = *std::move(name);
        return {};
    }

    Result<void> step()
    {
        if (step_.call == Call::event) return event();
        if (step_.call != Call::list) {
            auto number = is_of_reader(step_.call) ? known_reader() : known_link();
            if (!number) return number.error();
            step_.number = *number;
        }
        if (step_.call == Call::close) return {};
        if (step_.call == Call::connect) {
            const auto sharing = in_.word();
            if (sharing != "shared" && sharing != "exclusive")
                return in_.error("record: connect is shared or exclusive");
            step_.sharing = sharing == "shared" ? Sharing::shared : Sharing::exclusive;
        }
        if (is_exchange(step_.call)) {
            auto command = bytes_of(in_.word());
            step_.command_column = in_.column();
            if (!command) return in_.error("record: a command is hex digits, masked by dots");
            step_.command = *std::move(command);
        }
        if (in_.word() != ">")
            return in_.error("record: here stands '>', and then what came of it");
        return result();
    }

    Result<std::uint32_t> known_reader()
    {
        const auto number = to_number<std::uint32_t>(in_.word());
        if (!number || !record_.readers.contains(*number))
            return in_.error("record: no line before says which reader that is");
        return *number;
    }

    Result<std::uint32_t> known_link()
    {
        const auto number = to_number<std::uint32_t>(in_.word());
        if (!number || *number == 0 || *number > links_)
            return in_.error("record: no line before made that link");
        return *number;
    }

    Result<void> event()
    {
        using Kind = ReaderEvent::Kind;
        constexpr std::array kinds = {Kind::service_up,  Kind::service_down, Kind::reader_arrived,
                                      Kind::reader_left, Kind::card_in,      Kind::card_out};
        const auto word = in_.word();
        const auto kind =
            std::ranges::find_if(kinds, [&](Kind each) { return tallycard::name(each) == word; });
        if (kind == kinds.end()) return in_.error("record: no such event");
        step_.event = *kind;
        if (*kind == Kind::service_up || *kind == Kind::service_down) return {};
        const auto number = known_reader();
        if (!number) return number.error();
        step_.number = *number;
        return *kind == Kind::card_in ? atr(in_.word()) : Result<void>();
    }

    Result<void> result()
    {
        if (step_.call == Call::list) return readers();
        const auto word = in_.word();
        if (word == "!") return failure();
        if (step_.call == Call::connect) return connected(word);
        if (step_.call == Call::card || step_.call == Call::wait_for_card) return atr(word);
        if (is_exchange(step_.call)) {
            auto answer = bytes_of(word);
            if (!answer) return in_.error("record: an answer is hex digits, masked by dots");
            step_.answer = *std::move(answer);
            return {};
        }
        if (word != "ok") return in_.error("record: this ends in 'ok' or '!'");
        return {};
    }

    Result<void> failure()
    {
        const auto code = errc_of(in_.word());
        if (!code) return in_.error("record: no such error");
        const auto effect = in_.word();
        if (effect != "none" && effect != "unknown")
            return in_.error("record: an error's effect is none or unknown");
        const auto detail = to_number<std::uint32_t>(in_.word(), 16);
        if (!detail) return in_.error("record: an error ends with its detail in hex");
        step_.error = Error{.code = *code,
                            .effect = effect == "none" ? Effect::none : Effect::unknown,
                            .detail = *detail,
                            .where = "replay"};
        return {};
    }

    Result<void> readers()
    {
        if (in_.at_line_end()) return in_.error("record: a list says '-' when it is empty");
        while (!in_.at_line_end()) {
            const auto word = in_.word();
            if (step_.readers.empty() && word == "-") return {};
            if (step_.readers.empty() && word == "!") return failure();
            const auto number = to_number<std::uint32_t>(word);
            if (!number || !record_.readers.contains(*number))
                return in_.error("record: no line before says which reader that is");
            step_.readers.push_back(*number);
        }
        return {};
    }

    Result<void> connected(std::string_view word)
    {
        const auto number = to_number<std::uint32_t>(word);
        if (!number || *number != links_ + 1)
            return in_.error("record: links are numbered as they come");
        step_.link = ++links_;
        const auto protocol = in_.word();
        if (protocol != "t0" && protocol != "t1")
            return in_.error("record: a link speaks t0 or t1");
        step_.protocol = protocol == "t0" ? TransmissionProtocol::t0 : TransmissionProtocol::t1;
        if (auto read = atr(in_.word()); !read) return read;
        if (in_.at_line_end()) return {};
        if (in_.word() != "pin_pad") return in_.error("record: all that follows here is 'pin_pad'");
        step_.has_pin_pad = true;
        return {};
    }

    Result<void> atr(std::string_view word)
    {
        const auto bytes = bytes_of(word);
        const bool is_whole = bytes && std::ranges::find(bytes->shown, false) == bytes->shown.end();
        if (!is_whole || bytes->size() > Atr::capacity)
            return in_.error("record: an ATR is '-' or at most 33 bytes of hex");
        step_.atr = Atr(bytes->values);
        return {};
    }

    TextScanner in_;
    Record record_;
    Step step_;
    std::uint32_t links_ = 0;
};

}  // namespace

std::optional<std::size_t> Bytes::difference(std::span<const std::uint8_t> other) const
{
    const auto common = std::min(size(), other.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (shown[i] && values[i] != other[i]) return i;
    }
    if (size() == other.size()) return std::nullopt;
    return common;
}

Result<Record> Record::parse(std::string_view text)
{
    return Parser(text).run();
}

}  // namespace tallycard::replay
