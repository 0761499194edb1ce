// SPDX-License-Identifier: Apache-2.0
// The readers of pcscd over a service that fails: each of its calls one time in 400, or more often,
// and some never return; readers, cards and the service itself come and go. Nothing hangs or leaks,
// an error after which the card may have heard a command says so, a monitor's events pair, and a
// reader leaves only where it was unplugged or the service went.
#include <tallycard/pcsc.hpp>

#include <map>

#include "../../readers/pcsc/service_clients.hpp"
#include "fake_service.hpp"
#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;
using namespace std::chrono_literals;
using fuzz::FakeService;
using fuzz::Input;

// The machine's other processes are no part of an input.
namespace tallycard::pcsc {
ServiceClients service_clients()
{
    ServiceClients clients;
    clients.others = {4711};
    clients.complete = true;
    return clients;
}
}  // namespace tallycard::pcsc
namespace tallycard {
std::vector<PcscClient> pcsc_clients()
{
    return {};
}
}  // namespace tallycard

namespace {

constexpr Deadlines deadlines{.connect = 4ms, .begin = 4ms, .transmit = 4ms, .pin_entry = 4ms};
constexpr const char* names[] = {"one", "two"};

// What came has left before it comes again, whatever happened.
class Watcher {
public:
    // Before the service does it.
    void unplug(const std::string& reader) { ++unplugged_[reader]; }
    void take(const ReaderEvent& event)
    {
        using enum ReaderEvent::Kind;
        auto& [is_there, has_card] = readers_[event.reader];
        switch (event.kind) {
        case service_up: FUZZ_CHECK(!std::exchange(is_up_, true)); break;
        case service_down:
            is_up_ = false;
            leaving_.clear();
            for (const auto& [name, reader] : readers_) FUZZ_CHECK(!reader.first);
            break;
        case reader_arrived: FUZZ_CHECK(is_up_ && !std::exchange(is_there, true)); break;
        case reader_left:
            FUZZ_CHECK(!has_card && std::exchange(is_there, false));
            leaving_.push_back(event.reader);
            break;
        case card_in: FUZZ_CHECK(is_there && !std::exchange(has_card, true)); break;
        case card_out: FUZZ_CHECK(is_there && std::exchange(has_card, false)); break;
        }
        FUZZ_CHECK(name(event.kind)[0] != '\0');
        if (event.kind == card_in) ++cards_;
        if (event.kind == reader_arrived) ++arrivals_;
        if (event.kind != reader_left && event.kind != card_out) leave();
    }
    // A reader that arrives may have a card.
    void end() const { FUZZ_CHECK(cards_ <= FakeService::insertions() + arrivals_); }

private:
    // The service did not go behind them, so they were unplugged.
    void leave()
    {
        for (const auto& reader : leaving_) FUZZ_CHECK(unplugged_[reader]-- > 0);
        leaving_.clear();
    }

    bool is_up_ = false;
    int cards_ = 0, arrivals_ = 0;
    std::map<std::string, std::pair<bool, bool>> readers_;
    std::map<std::string, int> unplugged_;
    std::vector<std::string> leaving_;
};

class Program {
public:
    explicit Program(Input& input) : input_(input) {}

    void step()
    {
        const std::string name = names[input_.below(2)];
        switch (input_.below(20)) {
        case 0: return FakeService::plug(name);
        case 1: watcher_.unplug(name); return FakeService::unplug(name);
        case 2: return FakeService::insert(name);
        case 3: return FakeService::remove(name);
        case 4: return FakeService::stop();
        case 5: return FakeService::start();
        case 6: return open_driver();
        case 7:
        case 8: return open_reader(name);
        case 9: return monitor();
        case 10:
        case 11: return look();
        case 12: return connect();
        default: return use();
        }
    }
    void end()
    {
        FakeService::fail_no_more();
        FakeService::start();
        if (monitor_) {
            monitor_->stop();
            while (const auto event = monitor_->next()) watcher_.take(*event);
            watcher_.end();
        }
    }

private:
    template <class T>
    void check(const Result<T>& result, Effect most = Effect::none)
    {
        if (result) return;
        FUZZ_CHECK(result.error().where[0] != '\0' && !result.error().message().empty());
        FUZZ_CHECK(most == Effect::unknown || result.error().effect == Effect::none);
    }
    void open_driver()
    {
        auto opened = open_pcsc(deadlines);
        check(opened);
        if (opened) driver_ = *std::move(opened);
    }
    void open_reader(const std::string& name)
    {
        if (!driver_) open_driver();
        if (!driver_) return;
        check(driver_->list());
        const auto how = input_.byte();
        auto opened = driver_->open(how < 0xC0   ? name
                                    : how < 0xE0 ? std::string("serial:S1")
                                                 : std::string("usb:1-1"));
        check(opened);
        if (opened) reader_ = *std::move(opened);
    }
    void look()
    {
        if (!reader_) return;
        switch (input_.below(8)) {
        case 0: return check(reader_->identity());
        case 1: return check(reader_->wait_for_card(2ms));
        case 2: return check(reader_->wait_for_removal(2ms));
        case 3: {
            reader_->cancel();
            const auto waited = reader_->wait_for_card(1h);
            FUZZ_CHECK(!waited);
            return check(waited);
        }
        default: return check(reader_->card());
        }
    }
    void connect()
    {
        if (!reader_) return;
        auto connected = reader_->connect(input_.one_in(2) ? Sharing::exclusive : Sharing::shared);
        check(connected);
        if (connected) links_.push_back(*std::move(connected));
        if (links_.size() > 2) links_.erase(links_.begin());
    }
    void use()
    {
        if (links_.empty()) return connect();
        auto& link = *links_[input_.below(links_.size())];
        (void)link.atr();
        switch (input_.below(8)) {
        case 0: return check(link.begin());
        case 1: return check(link.end());
        case 2: return check(link.reconnect());
        case 3:
            if (link.has_pin_pad()) return transmit(link, true);
            [[fallthrough]];
        case 4: return links_.clear();
        default: return transmit(link, false);
        }
    }
    void transmit(CardLink& link, bool with_pin)
    {
        constexpr std::array<std::uint8_t, 13> command = {0x00, 0x20, 0x00, 0x01, 0x08};
        std::array<std::uint8_t, 16> answer{};
        const auto entry = input_.one_in(2) ? PinEntry::modify : PinEntry::verify;
        FakeService::forget();
        const auto size = with_pin ? link.transmit_with_pin(entry, command, answer)
                                   : link.transmit(command, answer);
        check(size, Effect::unknown);
        if (size) FUZZ_CHECK(*size >= 2 && *size <= answer.size());
        if (!size && size.error().effect == Effect::none) FUZZ_CHECK(!FakeService::was_heard());
    }
    void monitor()
    {
        if (!driver_) open_driver();
        if (!driver_ || monitor_) return;
        if (input_.one_in(4)) return monitor_by_callback();
        auto made = driver_->monitor({});
        check(made);
        if (made) monitor_ = *std::move(made);
        if (made) FUZZ_CHECK(monitor_->descriptor() >= 0);
        for (int i = 0; i < 4 && monitor_; ++i) {
            const auto event = monitor_->wait(1ms);
            if (event) watcher_.take(*event);
        }
    }

    void monitor_by_callback()
    {
        Watcher watcher;
        auto made = driver_->monitor([&](const ReaderEvent& event) { watcher.take(event); });
        check(made);
        if (made) (*made)->stop();
    }

    Input& input_;
    Watcher watcher_;
    std::unique_ptr<ReaderDriver> driver_;
    std::unique_ptr<ReaderMonitor> monitor_;
    std::unique_ptr<Reader> reader_;
    std::vector<std::unique_ptr<CardLink>> links_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    constexpr std::uint32_t rates[] = {400, 400, 60, 12};
    FakeService::begin(input.number(3), rates[input.below(4)], 20);  // an input has no more time
    for (const auto* name : names) {
        FakeService::plug(name);
        FakeService::insert(name);
    }
    {
        Program program(input);
        for (int i = 0; i < 32 && !input.empty(); ++i) program.step();
        program.end();
    }
    FakeService::end();
    return 0;
}
