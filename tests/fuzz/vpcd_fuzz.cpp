// SPDX-License-Identifier: Apache-2.0
// A reader that card programs connect to, in this process, and programs that say anything to it.
// Links share it or do not; none of them hangs, and an answer is one or leaves the effect unknown.
#include <tallycard/vpcd.hpp>

#include <deque>
#include <memory>

#include "fuzz.hpp"
#include "said_program.hpp"
#include "scratch.hpp"

using namespace tallycard;
using namespace std::chrono_literals;
using fuzz::Input;

namespace {

constexpr Deadlines deadlines{.connect = 20ms, .begin = 4ms, .transmit = 20ms, .pin_entry = 1ms};

class World {
public:
    explicit World(Input& input)
        : input_(input),
          path_(fuzz::scratch().file("reader")),
          driver_(open_vpcd({path_}, deadlines).value()),
          reader_(driver_->open(driver_->list().value().at(0)).value())
    {
        FUZZ_CHECK(!driver_->open("no such reader") && !open_vpcd({"nowhere"}));
    }

    void step()
    {
        switch (input_.below(12)) {
        case 0: return come_in();
        case 1: return check(reader_->card());
        case 2: return check(reader_->wait_for_card(1ms));
        case 3: return check(reader_->wait_for_removal(1ms));
        case 4: reader_->cancel(); return check(reader_->wait_for_removal(1h));
        case 5:
        case 6: return connect();
        case 7: return monitor();
        default: return use();
        }
    }
    void come_in()
    {
        if (programs_.size() == 3) programs_.pop_front();
        programs_.push_back(std::make_unique<fuzz::SaidProgram>(path_, input_));
    }

private:
    template <class T>
    void check(const Result<T>& result)
    {
        if (!result) FUZZ_CHECK(result.error().effect == Effect::none);
    }
    void connect()
    {
        auto link = reader_->connect(input_.one_in(4) ? Sharing::exclusive : Sharing::shared);
        check(link);
        if (link) links_.push_back(*std::move(link));
        if (links_.size() > 2) links_.pop_front();
    }
    void use()
    {
        if (links_.empty()) return connect();
        auto& link = *links_[input_.below(links_.size())];
        (void)link.atr();
        (void)link.protocol();
        switch (input_.below(8)) {
        case 0: return check(link.begin());
        case 1: return check(link.end());
        case 2: return check(link.reconnect());
        case 3: return links_.pop_front();
        default: return transmit(link);
        }
    }
    void transmit(CardLink& link)
    {
        const auto command = input_.bytes(input_.below(12));
        std::array<std::uint8_t, 16> answer{};
        const auto size = link.transmit(command, answer);
        if (size) FUZZ_CHECK(*size >= 2 && *size <= answer.size() && command.size() >= 2);
    }
    void monitor()
    {
        if (monitor_) return (void)monitor_->next();
        auto made = driver_->monitor({});
        check(made);
        if (made) monitor_ = *std::move(made);
    }

    Input& input_;
    std::string path_;
    std::unique_ptr<ReaderDriver> driver_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<ReaderMonitor> monitor_;
    std::deque<std::unique_ptr<fuzz::SaidProgram>> programs_;
    std::deque<std::unique_ptr<CardLink>> links_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    World world(input);
    world.come_in();
    for (int i = 0; i < 16 && !input.empty(); ++i) world.step();
    return 0;
}
