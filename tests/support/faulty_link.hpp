// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tallycard/reader.hpp>

#include "../../readers/fault/fault_link.hpp"

namespace testing {

using namespace tallycard;

// A fault of a plan, as tests write it. Exchanges are counted from 0 as commands on the wire, since
// the link was made or restarted; with of(), only commands of that instruction are counted:
//
//     FaultyLink link(card, {Fault::lose_answer(0).of(0x32)});  // the first EXECUTE
struct Fault : PlannedFault {
    Fault(Kind kind_, std::size_t at, std::size_t value_ = 0)
        : PlannedFault{.kind = kind_,
                       .when = When::at,
                       .number = static_cast<std::uint32_t>(at + 1),
                       .ins = {},
                       .value = static_cast<std::uint32_t>(value_)}
    {
    }
    Fault of(std::uint8_t instruction) const
    {
        auto fault = *this;
        fault.ins = instruction;
        return fault;
    }

    static Fault lose_command(std::size_t at) { return {Kind::lose_command, at}; }
    static Fault lose_answer(std::size_t at) { return {Kind::lose_answer, at}; }
    static Fault drop(std::size_t at, std::size_t after) { return {Kind::drop, at, after}; }
    static Fault truncate(std::size_t at, std::size_t keep) { return {Kind::truncate, at, keep}; }
    static Fault flip_bit(std::size_t at, std::size_t bit) { return {Kind::flip_bit, at, bit}; }
    static Fault change_status(std::size_t at, std::uint16_t sw) { return {Kind::status, at, sw}; }
    static Fault only_status(std::size_t at, std::uint16_t sw)
    {
        return {Kind::only_status, at, sw};
    }
    static Fault repeat(std::size_t at) { return {Kind::repeat, at}; }
    static Fault remove_before(std::size_t at) { return {Kind::remove_before, at}; }
    static Fault remove_after(std::size_t at) { return {Kind::remove_after, at}; }
    static Fault reset_before(std::size_t at) { return {Kind::reset_before, at}; }
    static Fault reset_after(std::size_t at) { return {Kind::reset_after, at}; }

    // Every kind after which the same link may be used, at this exchange: what a sweep over all
    // faults loops over. No status word of it is a refusal: a link that makes one up, with no data
    // beside it, cannot be told from a card.
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
    const char* name() const { return tallycard::name(kind); }
};

// A link that fails as planned, by the library's own faults, and records what passes. The link
// below must outlive it.
//
// After a removal every call fails until insert(), after a reset until reconnect(); both reconnect
// the link below, which resets a loopback card.
class FaultyLink final : public CardLink {
public:
    struct Recorded {
        std::vector<std::uint8_t> command;
        std::vector<std::uint8_t> answer;  // as the caller got it; empty for none
        std::uint8_t ins() const { return command.size() > 1 ? command[1] : 0; }
    };

    explicit FaultyLink(CardLink& below, std::vector<Fault> faults = {})
        : stage_(std::make_shared<fault::Stage>(plan(faults))),
          link_(std::shared_ptr<CardLink>(std::shared_ptr<void>(), &below), "", stage_)
    {
    }

    const std::vector<Recorded>& record() const { return record_; }
    std::size_t exchanges() const { return record_.size(); }
    std::size_t exchanges_of(std::uint8_t ins) const
    {
        return static_cast<std::size_t>(std::ranges::count(record_, ins, &Recorded::ins));
    }
    std::size_t faults_fired() const { return stage_->fired(); }

    void insert()
    {
        stage_->bring_back("");
        (void)link_.reconnect();
    }
    // Forgets the record and what was planned; counts from 0 again.
    void restart(const std::vector<Fault>& faults = {})
    {
        stage_->restart(plan(faults));
        record_.clear();
    }

    const Atr& atr() const override { return link_.atr(); }
    TransmissionProtocol protocol() const override { return link_.protocol(); }
    Result<void> begin() override { return link_.begin(); }
    Result<void> end() override { return link_.end(); }
    Result<void> reconnect() override { return link_.reconnect(); }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        record_.push_back({{command.begin(), command.end()}, {}});
        const auto size = link_.transmit(command, answer);
        if (size)
            record_.back().answer.assign(answer.begin(), answer.begin() + std::ptrdiff_t(*size));
        return size;
    }

private:
    static FaultPlan plan(const std::vector<Fault>& faults)
    {
        return {.faults = {faults.begin(), faults.end()}};
    }

    std::shared_ptr<fault::Stage> stage_;
    fault::Link link_;
    std::vector<Recorded> record_;
};

}  // namespace testing
