// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tallycard/reader.hpp>

#include "../../readers/queued_monitor.hpp"

namespace testing {

using namespace tallycard;

// What a test sees of a ScriptedDriver's card, and may change.
struct ScriptedState {
    unsigned heard = 0, reconnected = 0, begun = 0, ended = 0, typed = 0;
    std::size_t data_size = 8;
    bool has_pin_pad = false;
};

// A reader whose card says how many commands it has heard: `data_size` bytes of that number, 9000.
class ScriptedDriver final : public ReaderDriver {
public:
    explicit ScriptedDriver(std::shared_ptr<ScriptedState> state) : state_(std::move(state)) {}

    static Atr atr()
    {
        constexpr std::array<std::uint8_t, 2> bytes{0x3B, 0x00};
        return Atr(bytes);
    }

    Result<std::vector<std::string>> list() override { return std::vector<std::string>{"one"}; }
    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        if (name != "one" && name != "serial:S1")
            return Error{.code = Errc::reader_unavailable, .where = "script"};
        return std::unique_ptr<Reader>(std::make_unique<OneReader>(state_));
    }
    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        auto monitor = std::make_unique<OneMonitor>(std::move(callback));
        monitor->begin();
        return std::unique_ptr<ReaderMonitor>(std::move(monitor));
    }

private:
    class Link final : public CardLink {
    public:
        explicit Link(std::shared_ptr<ScriptedState> state) : state_(std::move(state)) {}
        const Atr& atr() const override { return atr_; }
        TransmissionProtocol protocol() const override { return TransmissionProtocol::t1; }
        Result<void> begin() override { return ++state_->begun, Result<void>(); }
        Result<void> end() override { return ++state_->ended, Result<void>(); }
        Result<void> reconnect() override { return ++state_->reconnected, Result<void>(); }
        bool has_pin_pad() override { return state_->has_pin_pad; }
        Result<std::size_t> transmit(std::span<const std::uint8_t>,
                                     std::span<std::uint8_t> answer) override
        {
            const auto size = state_->data_size;
            std::ranges::fill(answer.first(size), static_cast<std::uint8_t>(++state_->heard));
            answer[size] = 0x90;
            answer[size + 1] = 0x00;
            return size + 2;
        }
        Result<std::size_t> transmit_with_pin(PinEntry, std::span<const std::uint8_t> command,
                                              std::span<std::uint8_t> answer) override
        {
            ++state_->typed;
            return transmit(command, answer);
        }

    private:
        std::shared_ptr<ScriptedState> state_;
        Atr atr_ = ScriptedDriver::atr();
    };

    // As that of a loopback reader: the card is there, and stays.
    class OneReader final : public Reader {
    public:
        explicit OneReader(std::shared_ptr<ScriptedState> state) : state_(std::move(state)) {}
        const std::string& name() const override { return name_; }
        Result<ReaderIdentity> identity() override
        {
            return ReaderIdentity{.serial = "S1", .usb_path = "1-2"};
        }
        Result<Atr> card() override { return ScriptedDriver::atr(); }
        Result<Atr> wait_for_card(std::chrono::milliseconds) override { return card(); }
        Result<void> wait_for_removal(std::chrono::milliseconds deadline) override
        {
            cancelled_.wait_for(deadline);
            return Error{.code = cancelled_.take() ? Errc::cancelled : Errc::timed_out,
                         .where = "script"};
        }
        void cancel() noexcept override { cancelled_.set(); }
        Result<std::unique_ptr<CardLink>> connect(Sharing) override
        {
            return std::unique_ptr<CardLink>(std::make_unique<Link>(state_));
        }

    private:
        struct Flag {
            std::mutex mutex;
            std::condition_variable changed;
            bool is_set = false;
            void set()
            {
                const std::lock_guard lock(mutex);
                is_set = true;
                changed.notify_all();
            }
            bool take()
            {
                const std::lock_guard lock(mutex);
                return std::exchange(is_set, false);
            }
            void wait_for(std::chrono::milliseconds deadline)
            {
                std::unique_lock lock(mutex);
                changed.wait_for(lock, deadline, [this] { return is_set; });
            }
        };
        std::shared_ptr<ScriptedState> state_;
        std::string name_ = "one";
        Flag cancelled_;
    };

    class OneMonitor final : public QueuedMonitor {
    public:
        explicit OneMonitor(ReaderEventCallback callback) : QueuedMonitor(std::move(callback)) {}
        void begin()
        {
            using Kind = ReaderEvent::Kind;
            push({.kind = Kind::service_up, .reader = {}, .atr = {}});
            push({.kind = Kind::reader_arrived, .reader = "one", .atr = {}});
            push({.kind = Kind::card_in, .reader = "one", .atr = ScriptedDriver::atr()});
        }
    };

    std::shared_ptr<ScriptedState> state_;
};

}  // namespace testing
