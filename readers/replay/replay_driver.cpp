// SPDX-License-Identifier: Apache-2.0
#include <tallycard/replay_reader.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

#include <tallycard/contract.hpp>

#include "../queued_monitor.hpp"
#include "../text_file.hpp"
#include "player.hpp"

namespace tallycard {

namespace replay {
namespace {

using Shared = std::shared_ptr<Player>;

Result<void> ended(const Result<const Step*>& step)
{
    if (!step) return step.error();
    return {};
}

class Link final : public CardLink {
public:
    Link(Shared player, const Step& connected) : player_(std::move(player)), connected_(connected)
    {
    }

    const Atr& atr() const override { return connected_.atr; }
    TransmissionProtocol protocol() const override { return connected_.protocol; }
    bool has_pin_pad() override { return connected_.has_pin_pad; }
    Result<void> begin() override { return ended(player_->take(Call::begin, connected_.link)); }
    Result<void> end() override { return ended(player_->take(Call::end, connected_.link)); }
    Result<void> reconnect() override
    {
        return ended(player_->take(Call::reconnect, connected_.link));
    }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        return exchange(Call::transmit, command, answer);
    }
    Result<std::size_t> transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                          std::span<std::uint8_t> answer) override
    {
        TALLYCARD_EXPECTS(has_pin_pad());
        return exchange(entry == PinEntry::verify ? Call::type_pin : Call::type_new_pin, command,
                        answer);
    }

private:
    Result<std::size_t> exchange(Call call, std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer)
    {
        const auto step = player_->take(call, connected_.link, [&](const Step& recorded) {
            const auto at = recorded.command.difference(command);
            return at ? recorded.command_column + static_cast<std::uint32_t>(2 * *at) : 0u;
        });
        if (!step) return step.error();
        const auto& given = (*step)->answer.values;
        if (given.size() > answer.size())
            return Error{.code = Errc::link_failed, .effect = Effect::unknown, .where = "replay"};
        std::ranges::copy(given, answer.begin());
        return given.size();
    }

    Shared player_;
    const Step& connected_;  // the player's
};

class ReplayReader final : public Reader {
public:
    ReplayReader(Shared player, std::uint32_t number)
        : player_(std::move(player)), number_(number), name_(player_->record().readers.at(number))
    {
    }

    const std::string& name() const override { return name_; }
    Result<Atr> card() override
    {
        const auto* const step = player_->look(Call::card, number_);
        if (step != nullptr && step->error) return *step->error;
        if (step != nullptr) return step->atr;
        // It was not asked for: what a connection found will do.
        for (const auto& each : player_->record().steps) {
            if (each.call == Call::connect && each.number == number_ && !each.error)
                return each.atr;
        }
        return Error{.code = Errc::no_card, .where = "replay"};
    }
    Result<Atr> wait_for_card(std::chrono::milliseconds) override
    {
        if (take_cancel()) return Error{.code = Errc::cancelled, .where = "replay"};
        const auto step = player_->take(Call::wait_for_card, number_);
        if (!step) return step.error();
        return (*step)->atr;
    }
    Result<void> wait_for_removal(std::chrono::milliseconds) override
    {
        if (take_cancel()) return Error{.code = Errc::cancelled, .where = "replay"};
        return ended(player_->take(Call::wait_for_removal, number_));
    }
    void cancel() noexcept override
    {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
    }
    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override
    {
        const auto step = player_->take(Call::connect, number_, [&](const Step& recorded) {
            return recorded.sharing == sharing ? 0u : 1u;
        });
        if (!step) return step.error();
        return std::unique_ptr<CardLink>(std::make_unique<Link>(player_, **step));
    }

private:
    bool take_cancel()
    {
        const std::lock_guard lock(mutex_);
        return std::exchange(cancelled_, false);
    }

    Shared player_;
    std::uint32_t number_;
    std::string name_;
    std::mutex mutex_;
    bool cancelled_ = false;
};

class Monitor final : public QueuedMonitor {
public:
    Monitor(ReaderEventCallback callback, Shared player)
        : QueuedMonitor(std::move(callback)), player_(std::move(player))
    {
    }
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;
    ~Monitor() override { finish(); }

    Result<void> start()
    {
        return QueuedMonitor::start([this] {
            const auto& record = player_->record();
            for (const auto& step : record.steps) {
                if (step.call != Call::event) continue;
                const auto reader = record.readers.find(step.number);
                push({.kind = step.event,
                      .reader = reader == record.readers.end() ? "" : reader->second,
                      .atr = step.atr});
            }
        });
    }

private:
    Shared player_;
};

class Driver final : public ReplayDriver {
public:
    explicit Driver(Record record) : player_(std::make_shared<Player>(std::move(record))) {}

    Result<std::vector<std::string>> list() override
    {
        const auto& readers = player_->record().readers;
        std::vector<std::string> names;
        const auto* const step = player_->look(Call::list, 0);
        if (step != nullptr && step->error) return *step->error;
        if (step != nullptr) {
            for (const auto number : step->readers) names.push_back(readers.at(number));
            return names;
        }
        for (const auto& [number, name] : readers) names.push_back(name);
        return names;
    }

    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        const auto number = player_->number_of(name);
        if (!number) return Error{.code = Errc::reader_unavailable, .where = "replay"};
        const auto* const step = player_->look(Call::open, *number);
        if (step != nullptr && step->error) return *step->error;
        return std::unique_ptr<Reader>(std::make_unique<ReplayReader>(player_, *number));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        auto monitor = std::make_unique<Monitor>(std::move(callback), player_);
        if (const auto usable = monitor->start(); !usable) return usable.error();
        return std::unique_ptr<ReaderMonitor>(std::move(monitor));
    }

    Result<void> finished() const override { return player_->finished(); }

private:
    Shared player_;
};

}  // namespace
}  // namespace replay

ReplayDriver::~ReplayDriver() = default;

Result<std::unique_ptr<ReplayDriver>> parse_replay(std::string_view text)
{
    auto record = replay::Record::parse(text);
    if (!record) return record.error();
    return std::unique_ptr<ReplayDriver>(std::make_unique<replay::Driver>(*std::move(record)));
}

Result<std::unique_ptr<ReplayDriver>> open_replay(const std::string& path)
{
    const auto text = read_text(path, max_record_text, "record");
    if (!text) return text.error();
    return parse_replay(*text);
}

}  // namespace tallycard
