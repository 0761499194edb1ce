// SPDX-License-Identifier: Apache-2.0
#include "fault_reader.hpp"

#include <algorithm>

#include "fault_link.hpp"

namespace tallycard::fault {

namespace {

using std::chrono::milliseconds;

constexpr const char* where = "fault reader";

Clock::time_point after(milliseconds deadline)
{
    return Clock::now() + std::min(deadline, milliseconds(std::chrono::hours(24 * 365)));
}

milliseconds until(Clock::time_point end)
{
    return std::max(std::chrono::ceil<milliseconds>(end - Clock::now()), milliseconds(0));
}

}  // namespace

FaultReader::FaultReader(std::unique_ptr<Reader> inner, std::shared_ptr<Stage> stage)
    : inner_(std::move(inner)), stage_(std::move(stage))
{
    stage_->add(*this);
}

FaultReader::~FaultReader()
{
    stage_->remove(*this);
}

void FaultReader::pulled(const std::string& reader, Away)
{
    if (reader == name()) inner_->cancel();
}

Result<void> FaultReader::is_there() const
{
    if (stage_->away(name()) != Away::reader) return {};
    return Error{.code = Errc::reader_unavailable, .where = where};
}

Result<void> FaultReader::card_is_there() const
{
    if (stage_->away(name()) != Away::card) return is_there();
    return Error{.code = Errc::no_card, .where = where};
}

Result<ReaderIdentity> FaultReader::identity()
{
    if (const auto there = is_there(); !there) return there.error();
    return inner_->identity();
}

Result<Atr> FaultReader::card()
{
    if (const auto there = card_is_there(); !there) return there.error();
    return inner_->card();
}

// The wait below ends for a pull, too: then it was not we who were cancelled.
Result<Atr> FaultReader::wait_for_card(milliseconds deadline)
{
    const auto end = after(deadline);
    for (;;) {
        const auto seen = stage_->changes();
        if (cancelled_.exchange(false)) return Error{.code = Errc::cancelled, .where = where};
        if (const auto there = is_there(); !there) return there.error();
        if (stage_->away(name()) == Away::nothing) {
            auto atr = inner_->wait_for_card(until(end));
            if (atr || atr.error().code != Errc::cancelled) return atr;
        } else if (Clock::now() >= end) {
            return Error{.code = Errc::timed_out, .where = where};
        } else {
            stage_->wait(seen, end);
        }
    }
}

Result<void> FaultReader::wait_for_removal(milliseconds deadline)
{
    const auto end = after(deadline);
    const auto pulls = stage_->losses(name()).pulls;
    for (;;) {
        if (cancelled_.exchange(false)) return Error{.code = Errc::cancelled, .where = where};
        if (const auto there = is_there(); !there) return there.error();
        const bool was_pulled = stage_->losses(name()).pulls != pulls;
        if (was_pulled || stage_->away(name()) == Away::card) return {};
        const auto gone = inner_->wait_for_removal(until(end));
        if (gone || gone.error().code != Errc::cancelled) return gone;
    }
}

void FaultReader::cancel() noexcept
{
    cancelled_ = true;
    inner_->cancel();
    stage_->wake();
}

Result<std::unique_ptr<CardLink>> FaultReader::connect(Sharing sharing)
{
    if (const auto there = card_is_there(); !there) return there.error();
    auto link = inner_->connect(sharing);
    if (!link) return link;
    return std::unique_ptr<CardLink>(std::make_unique<Link>(*std::move(link), name(), stage_));
}

}  // namespace tallycard::fault
