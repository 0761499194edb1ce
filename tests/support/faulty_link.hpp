// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tallycard/reader.hpp>

namespace testing {

using namespace tallycard;

// What goes wrong at one exchange. Exchanges are counted from 0 as commands on the wire, since the
// link was made or restarted; with of(), only commands of that instruction are counted:
//
//     FaultyLink link(card, {Fault::lose_answer(0).of(0x32)});  // the first EXECUTE
struct Fault {
    enum class Kind {
        lose_command,   // the card never hears it
        lose_answer,    // the card has done it
        truncate,       // `value` bytes of the answer arrive
        flip_bit,       // bit `value` of the answer, from the first byte on, modulo its size
        change_status,  // the status word becomes `value`; the data stays
        only_status,    // the status word becomes `value`; the data is gone
        repeat,         // the answer before this one arrives, and the card has done it
        remove_before,  // the card leaves before it hears the command
        remove_after,   // the card leaves after it has done it
        reset_before,   // another program resets the card before it hears the command
        reset_after,    // likewise, after it has done it
    };

    Kind kind{};
    std::size_t at = 0;
    std::size_t value = 0;
    std::optional<std::uint8_t> ins;

    Fault of(std::uint8_t instruction) const
    {
        auto fault = *this;
        fault.ins = instruction;
        return fault;
    }

    static Fault lose_command(std::size_t at) { return {Kind::lose_command, at, 0, {}}; }
    static Fault lose_answer(std::size_t at) { return {Kind::lose_answer, at, 0, {}}; }
    static Fault truncate(std::size_t at, std::size_t keep)
    {
        return {Kind::truncate, at, keep, {}};
    }
    static Fault flip_bit(std::size_t at, std::size_t bit) { return {Kind::flip_bit, at, bit, {}}; }
    static Fault change_status(std::size_t at, std::uint16_t sw)
    {
        return {Kind::change_status, at, sw, {}};
    }
    static Fault only_status(std::size_t at, std::uint16_t sw)
    {
        return {Kind::only_status, at, sw, {}};
    }
    static Fault repeat(std::size_t at) { return {Kind::repeat, at, 0, {}}; }
    static Fault remove_before(std::size_t at) { return {Kind::remove_before, at, 0, {}}; }
    static Fault remove_after(std::size_t at) { return {Kind::remove_after, at, 0, {}}; }
    static Fault reset_before(std::size_t at) { return {Kind::reset_before, at, 0, {}}; }
    static Fault reset_after(std::size_t at) { return {Kind::reset_after, at, 0, {}}; }

    // Every kind, at this exchange: what a sweep over all faults loops over. No status word of it
    // is a refusal: a link that makes one up, with no data beside it, cannot be told from a card.
    static std::vector<Fault> each_kind(std::size_t at)
    {
        return {lose_command(at),
                lose_answer(at),
                truncate(at, 0),
                truncate(at, 1),
                truncate(at, 2),
                truncate(at, 40),
                flip_bit(at, 13),
                flip_bit(at, 700),
                change_status(at, 0x6F00),
                change_status(at, 0x6281),
                only_status(at, 0x9000),
                only_status(at, 0x6F00),
                repeat(at),
                remove_before(at),
                remove_after(at),
                reset_before(at),
                reset_after(at)};
    }
    const char* name() const
    {
        static constexpr std::array names = {"lose_command", "lose_answer",   "truncate",
                                             "flip_bit",     "change_status", "only_status",
                                             "repeat",       "remove_before", "remove_after",
                                             "reset_before", "reset_after"};
        return names.at(static_cast<std::size_t>(kind));
    }
};

// A link that fails as planned, and records what passes. The link below must outlive it.
//
// After a removal every call fails until insert(), after a reset until reconnect(); both reconnect
// the link below, which resets a loopback card.
class FaultyLink final : public CardLink {
public:
    struct Recorded {
        std::vector<std::uint8_t> command;
        std::vector<std::uint8_t> answer;  // as the caller got it; empty for none
        bool reached_card = false;
        std::uint8_t ins() const { return command.size() > 1 ? command[1] : 0; }
    };

    explicit FaultyLink(CardLink& below, std::vector<Fault> faults = {})
        : below_(below), faults_(std::move(faults))
    {
    }

    const std::vector<Recorded>& record() const { return record_; }
    std::size_t exchanges() const { return record_.size(); }
    std::size_t exchanges_of(std::uint8_t ins) const
    {
        return static_cast<std::size_t>(std::ranges::count(record_, ins, &Recorded::ins));
    }
    std::size_t faults_fired() const { return fired_; }

    void insert() { (void)below_.reconnect(), broken_.reset(); }
    // Forgets the record and what was planned; counts from 0 again.
    void restart(std::vector<Fault> faults = {})
    {
        faults_ = std::move(faults);
        record_.clear();
        fired_ = 0;
    }

    const Atr& atr() const override { return below_.atr(); }
    TransmissionProtocol protocol() const override { return below_.protocol(); }
    Result<void> begin() override
    {
        if (broken_) return error(*broken_, Effect::none, "begin");
        return below_.begin();
    }
    Result<void> end() override
    {
        const auto ended = below_.end();
        if (broken_) return error(*broken_, Effect::none, "end");
        return ended;
    }
    Result<void> reconnect() override
    {
        if (broken_ == Errc::card_removed) return error(*broken_, Effect::none, "reconnect");
        broken_.reset();
        return below_.reconnect();
    }

    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        if (broken_) return error(*broken_, Effect::unknown, "transmit");
        const auto fault = due(command);
        record_.push_back({{command.begin(), command.end()}, {}, false});
        if (fault) ++fired_;
        if (fault && before_the_card(fault->kind)) return lost(fault->kind);
        record_.back().reached_card = true;
        const auto size = below_.transmit(command, answer);
        if (!size) return size;
        if (fault && after_the_card(fault->kind)) return lost(fault->kind);
        const auto arrived = fault ? damage(*fault, answer, *size) : *size;
        record_.back().answer.assign(answer.begin(), answer.begin() + std::ptrdiff_t(arrived));
        previous_ = record_.back().answer;
        return arrived;
    }

private:
    static bool before_the_card(Fault::Kind kind)
    {
        return kind == Fault::Kind::lose_command || kind == Fault::Kind::remove_before ||
               kind == Fault::Kind::reset_before;
    }
    static bool after_the_card(Fault::Kind kind)
    {
        return kind == Fault::Kind::lose_answer || kind == Fault::Kind::remove_after ||
               kind == Fault::Kind::reset_after;
    }
    static Error error(Errc code, Effect effect, const char* where)
    {
        return {.code = code, .effect = effect, .where = where};
    }

    // The link cannot know which half it lost: that is the point.
    Error lost(Fault::Kind kind)
    {
        if (kind == Fault::Kind::remove_before || kind == Fault::Kind::remove_after)
            broken_ = Errc::card_removed;
        if (kind == Fault::Kind::reset_before || kind == Fault::Kind::reset_after)
            broken_ = Errc::card_reset;
        return error(broken_.value_or(Errc::link_failed), Effect::unknown, "transmit");
    }

    std::optional<Fault> due(std::span<const std::uint8_t> command) const
    {
        const std::uint8_t ins = command.size() > 1 ? command[1] : 0;
        for (const auto& fault : faults_) {
            if (fault.ins && *fault.ins != ins) continue;
            if (fault.at == (fault.ins ? exchanges_of(ins) : exchanges())) return fault;
        }
        return std::nullopt;
    }

    std::size_t damage(const Fault& fault, std::span<std::uint8_t> answer, std::size_t size) const
    {
        const auto put_status = [&](std::size_t at) {
            answer[at] = static_cast<std::uint8_t>(fault.value >> 8);
            answer[at + 1] = static_cast<std::uint8_t>(fault.value);
            return at + 2;
        };
        if (fault.kind == Fault::Kind::truncate) return std::min(size, fault.value);
        if (fault.kind == Fault::Kind::change_status) return put_status(size - 2);
        if (fault.kind == Fault::Kind::only_status) return put_status(0);
        if (fault.kind == Fault::Kind::flip_bit) {
            const auto bit = fault.value % (8 * size);
            answer[bit / 8] = static_cast<std::uint8_t>(answer[bit / 8] ^ 1u << bit % 8);
        }
        if (fault.kind == Fault::Kind::repeat) return previous_answer(answer);
        return size;
    }

    std::size_t previous_answer(std::span<std::uint8_t> answer) const
    {
        std::ranges::copy(previous_, answer.begin());
        return previous_.size();
    }

    CardLink& below_;
    std::vector<Fault> faults_;
    std::vector<Recorded> record_;
    std::vector<std::uint8_t> previous_;  // the last answer that arrived
    std::optional<Errc> broken_;
    std::size_t fired_ = 0;
};

}  // namespace testing
