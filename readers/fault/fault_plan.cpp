// SPDX-License-Identifier: Apache-2.0
#include <tallycard/fault_plan.hpp>

#include <algorithm>
#include <array>

#include "../text_file.hpp"
#include "../text_scanner.hpp"

namespace tallycard {

namespace {

using Kind = PlannedFault::Kind;
using When = PlannedFault::When;

enum class Value : std::uint8_t { none, count, milliseconds, milliseconds_or_none, status_word };

struct Word {
    Kind kind;
    const char* text;
    Value value;
};

constexpr std::array words = {
    Word{Kind::lose_command, "lose-command", Value::none},
    Word{Kind::lose_answer, "lose-answer", Value::none},
    Word{Kind::drop, "drop", Value::count},
    Word{Kind::mute_before, "mute-before", Value::none},
    Word{Kind::mute_after, "mute-after", Value::none},
    Word{Kind::delay, "delay", Value::milliseconds},
    Word{Kind::status, "status", Value::status_word},
    Word{Kind::only_status, "only-status", Value::status_word},
    Word{Kind::truncate, "truncate", Value::count},
    Word{Kind::flip_bit, "flip-bit", Value::count},
    Word{Kind::repeat, "repeat", Value::none},
    Word{Kind::reset_before, "reset-before", Value::none},
    Word{Kind::reset_after, "reset-after", Value::none},
    Word{Kind::remove_before, "remove-before", Value::milliseconds_or_none},
    Word{Kind::remove_after, "remove-after", Value::milliseconds_or_none},
    Word{Kind::unplug_before, "unplug-before", Value::milliseconds_or_none},
    Word{Kind::unplug_after, "unplug-after", Value::milliseconds_or_none},
};

constexpr std::uint32_t longest_ms = 3'600'000;  // an hour

// "2.5%" as a number of a million: at most 100%, four decimals.
std::optional<std::uint32_t> chance(std::string_view text)
{
    constexpr std::size_t decimals = 4;
    if (!text.ends_with('%')) return std::nullopt;
    text.remove_suffix(1);
    const auto point = text.find('.');
    std::string digits(text.substr(0, point));
    if (digits.empty()) return std::nullopt;
    const auto fraction =
        point == std::string_view::npos ? std::string_view("0") : text.substr(point + 1);
    if (fraction.empty() || fraction.size() > decimals) return std::nullopt;
    digits += fraction;
    digits.append(decimals - fraction.size(), '0');
    const auto number = to_number<std::uint32_t>(digits);
    if (!number || *number > PlannedFault::million) return std::nullopt;
    return number;
}

std::optional<std::uint32_t> hex(std::string_view text, std::size_t digits)
{
    if (text.size() != digits) return std::nullopt;
    return to_number<std::uint32_t>(text, 16);
}

class Parser {
public:
    explicit Parser(std::string_view text) : in_(text) {}

    Result<FaultPlan> run()
    {
        (void)in_.next_line();
        if (in_.word() != "tallycard-faults")
            return in_.error("fault plan: it starts with 'tallycard-faults 1'");
        if (in_.word() != "1") return in_.error("fault plan: only version 1 is known");
        if (const auto end = line_end(); !end) return end.error();
        while (in_.next_line()) {
            auto read = line();
            if (read) read = line_end();
            if (!read) return read.error();
        }
        return std::move(plan_);
    }

private:
    Result<void> line_end()
    {
        if (in_.at_line_end()) return {};
        (void)in_.word();
        return in_.error("fault plan: there is more than the line needs");
    }

    Result<void> line()
    {
        const auto word = in_.word();
        if (word == "seed") return seed();
        if (word == "deadline") return deadline();
        return fault(word);
    }

    Result<void> seed()
    {
        const auto number = to_number<std::uint64_t>(in_.word());
        if (!number || seed_given_) return in_.error("fault plan: one seed, a whole number");
        seed_given_ = true;
        plan_.seed = *number;
        return {};
    }

    Result<void> deadline()
    {
        const auto number = to_number<std::uint32_t>(in_.word());
        if (!number || *number > longest_ms || deadline_given_)
            return in_.error("fault plan: one deadline, in ms, of at most 3600000");
        deadline_given_ = true;
        plan_.deadline = std::chrono::milliseconds(*number);
        return {};
    }

    Result<void> fault(std::string_view word)
    {
        PlannedFault fault;
        if (word == "ins") {
            const auto ins = hex(in_.word(), 2);
            if (!ins) return in_.error("fault plan: ins is followed by two hex digits");
            fault.ins = static_cast<std::uint8_t>(*ins);
            word = in_.word();
        }
        if (auto when = this->when(word, fault); !when) return when;
        word = in_.word();
        const auto known = std::ranges::find(words, word, &Word::text);
        if (known == words.end())
            return in_.error("fault plan: no such fault (lose-command, lose-answer, drop, ...)");
        fault.kind = known->kind;
        if (auto value = this->value(known->value, fault); !value) return value;
        plan_.faults.push_back(fault);
        return {};
    }

    Result<void> when(std::string_view word, PlannedFault& fault)
    {
        if (word == "chance") {
            const auto number = chance(in_.word());
            if (!number) return in_.error("fault plan: chance is followed by, say, 2.5%");
            fault.when = When::chance;
            fault.number = *number;
            return {};
        }
        if (word != "at" && word != "every")
            return in_.error("fault plan: 'at', 'every' or 'chance' says when");
        const auto number = to_number<std::uint32_t>(in_.word());
        if (!number || *number == 0)
            return in_.error("fault plan: the number of a command, from 1, says when");
        fault.when = word == "at" ? When::at : When::every;
        fault.number = *number;
        return {};
    }

    Result<void> value(Value type, PlannedFault& fault)
    {
        const bool may_end = type == Value::none || type == Value::milliseconds_or_none;
        if (type == Value::none || (may_end && in_.at_line_end())) return {};
        const auto word = in_.word();
        const auto number =
            type == Value::status_word ? hex(word, 4) : to_number<std::uint32_t>(word);
        const auto most = type == Value::count ? 0xFFFFFu : longest_ms;
        if (!number || *number > most || (may_end && *number == 0)) {
            return in_.error(type == Value::status_word
                                 ? "fault plan: this fault needs a status word, four hex digits"
                                 : "fault plan: this fault needs another number");
        }
        fault.value = *number;
        return {};
    }

    TextScanner in_;
    FaultPlan plan_;
    bool seed_given_ = false, deadline_given_ = false;
};

}  // namespace

const char* name(PlannedFault::Kind kind) noexcept
{
    return words.at(static_cast<std::size_t>(kind)).text;
}

Result<FaultPlan> FaultPlan::parse(std::string_view text)
{
    return Parser(text).run();
}

Result<FaultPlan> FaultPlan::read(const std::string& path)
{
    const auto text = read_text(path, max_text, "fault plan");
    if (!text) return text.error();
    return parse(*text);
}

}  // namespace tallycard
