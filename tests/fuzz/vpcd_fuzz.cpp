// SPDX-License-Identifier: Apache-2.0
// A reader that card programs connect to, in this process, and programs that say anything to it.
// Links share it or do not; none of them hangs, and an answer is one or leaves the effect unknown.
#include <tallycard/vpcd.hpp>

#include <deque>
#include <memory>
#include <optional>

#include "fuzz.hpp"
#include "said_program.hpp"
#include "scratch.hpp"

using namespace tallycard;
using namespace std::chrono_literals;
using fuzz::Input;

namespace {

// Somebody else's socket, without our lock; it stays when nobody listens any more.
class Listening {
public:
    explicit Listening(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        FUZZ_CHECK(::bind(socket_, generic, sizeof address) == 0 && ::listen(socket_, 1) == 0);
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    ~Listening() { ::close(socket_); }

private:
    int socket_;
};

constexpr Deadlines deadlines{.connect = 20ms, .begin = 4ms, .transmit = 20ms, .pin_entry = 1ms};

auto open_at(const std::string& place)
{
    return open_vpcd({place}, deadlines);
}

// Only a dead socket is taken away.
void listen_at_a_socket(const std::string& place, bool is_dead)
{
    auto socket = std::make_optional<Listening>(place);
    if (is_dead) socket.reset();
    const auto opened = open_at(place);
    FUZZ_CHECK(opened.has_value() == is_dead);
    if (is_dead) return;
    FUZZ_CHECK(opened.error().code == Errc::file_in_use);
    FUZZ_CHECK(::unlink(place.c_str()) == 0);
}

void listen_at_a_port()
{
    const auto first = open_at("0").value();
    const auto name = first->list().value().at(0);
    FUZZ_CHECK(first->open(name).value()->name() == name);
    const auto port = name.substr(name.find(':') + 1);
    FUZZ_CHECK(open_at(port).error().code == Errc::file_rejected);
}

// What else may be where a socket should be.
void listen_elsewhere(Input& input, const std::string& live)
{
    const auto place = fuzz::scratch().file("elsewhere");
    switch (input.below(6)) {
    case 0: FUZZ_CHECK(open_at(live).error().code == Errc::file_in_use); break;
    case 1: FUZZ_CHECK(!open_at(place + std::string(200, 'x')) && !open_at("70000")); break;
    case 2: FUZZ_CHECK(!open_at(fuzz::scratch().file("no folder/socket"))); break;
    case 3:
        std::ofstream(place) << "a file";
        FUZZ_CHECK(open_at(place).error().code == Errc::file_exists);
        FUZZ_CHECK(::unlink(place.c_str()) == 0);
        break;
    case 4: listen_at_a_socket(place, input.one_in(2)); break;
    default: listen_at_a_port();
    }
}

class World {
public:
    explicit World(Input& input)
        : input_(input),
          path_(fuzz::scratch().file("reader")),
          driver_(open_vpcd({path_}, deadlines).value()),
          reader_(driver_->open(driver_->list().value().at(0)).value())
    {
        FUZZ_CHECK(!driver_->open("no such reader") && !open_vpcd({"nowhere"}));
        if (input.one_in(16)) listen_elsewhere(input, path_);
    }

    void step()
    {
        switch (input_.below(12)) {
        case 0: return come_in();
        case 1: return look();
        case 2: return check(reader_->wait_for_card(1ms));
        case 3: return check(reader_->wait_for_removal(1ms));
        case 4: reader_->cancel(); return check(reader_->wait_for_removal(1h));
        case 5:
        case 6: return connect();
        case 7: return monitor();
        default: return use();
        }
    }
    // This thread is the one that lets programs in: those that it does not look at wait in the
    // listener's queue, which is short, and one that finds it full would wait for ever.
    void come_in()
    {
        if (waiting_ == most_waiting) look();
        ++waiting_;
        if (programs_.size() == 3) programs_.pop_front();
        programs_.push_back(std::make_unique<fuzz::SaidProgram>(path_, input_));
    }

private:
    static constexpr int most_waiting = 4;

    void look()
    {
        check(reader_->card());
        waiting_ = 0;
    }
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
        if (input_.one_in(4)) {
            auto told = driver_->monitor([](const ReaderEvent&) {});
            check(told);
            if (told) (*told)->stop();
            return;
        }
        auto made = driver_->monitor({});
        check(made);
        if (made) monitor_ = *std::move(made);
    }

    Input& input_;
    int waiting_ = 0;
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
