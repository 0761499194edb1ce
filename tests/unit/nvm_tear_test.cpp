// SPDX-License-Identifier: Apache-2.0
// Power that fails while the card writes.
#include <catch2/catch.hpp>

#include <vector>

#include <sodium/randombytes.h>

#include "support/card_image.hpp"

using namespace tallycard;
using namespace testing;
using chip::MemoryStorage;
using chip::SlotNvm;

namespace {

enum class Tear { cut, garbage, all_but_sync };
constexpr Tear tears[] = {Tear::cut, Tear::garbage, Tear::all_but_sync};

// Storage whose power fails: at the n-th write, after `kept` bytes of it; from then on nothing is
// written, read or synced until it is powered again.
class TearingStorage final : public chip::Storage {
public:
    explicit TearingStorage(const MemoryStorage::Bytes& image) : memory_(image) {}

    void cut_at(int write, std::size_t kept, Tear tear)
    {
        writes_left_ = write;
        kept_ = kept;
        tear_ = tear;
    }
    bool is_off() const { return off_; }
    int writes() const { return writes_; }
    MemoryStorage::Bytes& image() { return memory_.bytes(); }

    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        return !off_ && memory_.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        if (off_) return false;
        ++writes_;
        if (writes_left_-- != 0) return memory_.write(offset, bytes);
        off_ = true;
        if (tear_ == Tear::all_but_sync) return memory_.write(offset, bytes) && false;
        const auto kept = std::min(kept_, bytes.size());
        if (tear_ == Tear::garbage) {
            Bytes garbage(bytes.size());
            randombytes_buf(garbage.data(), garbage.size());
            (void)memory_.write(offset, garbage);
        }
        return memory_.write(offset, bytes.first(kept)) && false;
    }
    bool sync() override { return !off_; }

private:
    MemoryStorage memory_;
    int writes_left_ = -1, writes_ = 0;
    std::size_t kept_ = 0;
    Tear tear_ = Tear::cut;
    bool off_ = false;
};

// Without the signatures, which are another each time that one operation executes.
Bytes state_in(const MemoryStorage::Bytes& image)
{
    MemoryStorage storage(image);
    SlotNvm nvm(storage);
    nvm.load();
    if (!nvm.readable()) return {};
    auto memory = nvm.current();
    for (auto& entry : memory.log) entry.signature = {};
    return encoded(memory);
}

struct Step {
    const char* name;
    Bytes command;
    std::uint16_t sw;
};

// Commands that write, from a card in use, so that both slots have been written before.
std::vector<Step> steps(IssuedCard& card)
{
    card.execute(Kind::top_up, 5);
    card.pay(-1);
    return {{"EXECUTE",
             command_apdu(wire::command::execute,
                          IssuedCard::first_instruction(card.next(Kind::top_up, 7)), 0),
             0x9000},
            {"right PIN", command_apdu(wire::command::verify, right_pin), 0x9000},
            {"wrong PIN", command_apdu(wire::command::verify, wrong_pin), 0x63C2}};
}

constexpr std::size_t cuts[] = {0,    1,    7,    8,    9,    100,  511,  512,
                                1024, 2048, 3000, 4600, 4709, 4710, 4741, 4742};
static_assert(cuts[15] == SlotNvm::slot_size);

// The states that the memory goes through while the command runs undisturbed.
std::vector<Bytes> states(const MemoryStorage::Bytes& image, const Step& step)
{
    std::vector<Bytes> all = {state_in(image)};
    for (int write = 1;; ++write) {
        TearingStorage storage(image);
        SlotNvm nvm(storage);
        nvm.load();
        storage.cut_at(write, 0, Tear::cut);
        const auto sw = send(nvm, step.command);
        all.push_back(state_in(storage.image()));
        if (!storage.is_off()) {
            REQUIRE(sw == step.sw);
            return all;
        }
    }
}

}  // namespace

TEST_CASE("I7: after a cut at any byte of any write the memory is the old or the new state",
          "[applet][nvm]")
{
    IssuedCard card;
    int torn = 0, old_state = 0, new_state = 0;
    for (const auto& step : steps(card)) {
        const auto image = card.storage.memory.bytes();
        const auto between = states(image, step);
        for (std::size_t write = 0; write + 1 < between.size(); ++write) {
            for (const auto tear : tears) {
                for (const auto kept : cuts) {
                    INFO(step.name << ", write " << write << ", " << kept << " bytes");
                    TearingStorage storage(image);
                    SlotNvm nvm(storage);
                    nvm.load();
                    storage.cut_at(static_cast<int>(write), kept, tear);
                    CHECK(send(nvm, step.command) == 0x6581);
                    REQUIRE(storage.is_off());
                    ++torn;
                    const auto after = state_in(storage.image());
                    const bool is_old = after == between[write];
                    const bool is_new = after == between[write + 1];
                    REQUIRE((is_old || is_new));
                    old_state += is_old ? 1 : 0;
                    new_state += is_new ? 1 : 0;
                }
            }
        }
    }
    CHECK(torn == 4 * 3 * 16);
    CHECK(old_state > 100);
    CHECK(new_state >= 4 * 17);
}

TEST_CASE("I7: a second cut, in the next change, finds an intact state too", "[applet][nvm]")
{
    IssuedCard card;
    const auto step = steps(card).front();
    const auto image = card.storage.memory.bytes();
    const auto between = states(image, step);
    REQUIRE(between.size() == 2);
    int twice = 0;
    for (const auto first_tear : tears) {
        for (const auto first_cut : cuts) {
            TearingStorage storage(image);
            SlotNvm nvm(storage);
            nvm.load();
            storage.cut_at(0, first_cut, first_tear);
            send(nvm, step.command);
            const auto torn = storage.image();
            const auto found = state_in(torn);
            for (const auto cut : cuts) {
                TearingStorage again(torn);
                SlotNvm next(again);
                next.load();
                const bool executes = found == between[0];
                again.cut_at(0, cut, Tear::garbage);
                CHECK(send(next, step.command) == (executes ? 0x6581 : 0x9000));
                CHECK(again.is_off() == executes);
                const auto after = state_in(again.image());
                REQUIRE((after == between[0] || after == between[1]));
                ++twice;
            }
        }
    }
    CHECK(twice == 3 * 16 * 16);
}

// The first cut leaves the whole new slot but for one byte, and the change never happened. What the
// second cut leaves of another change must not make it whole again.
TEST_CASE("I7: a change that was cut does not come back with the next one that is", "[applet][nvm]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    card.pay(-1);
    const auto before = card.storage.memory.bytes();
    const auto first = command_apdu(wire::command::execute,
                                    IssuedCard::first_instruction(card.next(Kind::top_up, 7)), 0);
    const Step second{"EXECUTE",
                      command_apdu(wire::command::execute,
                                   IssuedCard::first_instruction(card.next(Kind::top_up, 9)), 0),
                      0x9000};
    TearingStorage storage(before);
    SlotNvm nvm(storage);
    nvm.load();
    REQUIRE(send(nvm, first) == 0x9000);
    const auto whole = storage.image();
    const auto slot = std::ranges::mismatch(before, whole).in1 - before.begin();
    const auto start = slot / static_cast<std::ptrdiff_t>(SlotNvm::block_size) *
                       static_cast<std::ptrdiff_t>(SlotNvm::block_size);

    int twice = 0;
    for (const auto damaged : cuts) {
        if (damaged >= SlotNvm::slot_size) continue;
        auto torn = whole;
        torn[static_cast<std::size_t>(start) + damaged] ^= 0x80;
        const auto between = states(torn, second);
        REQUIRE(between.front() == state_in(before));
        for (std::size_t write = 0; write + 1 < between.size(); ++write) {
            for (const auto kept : cuts) {
                INFO("byte " << damaged << ", write " << write << ", " << kept << " bytes");
                TearingStorage again(torn);
                SlotNvm next(again);
                next.load();
                again.cut_at(static_cast<int>(write), kept, Tear::cut);
                CHECK(send(next, second.command) == 0x6581);
                const auto after = state_in(again.image());
                REQUIRE((after == between.front() || after == between.back()));
                ++twice;
            }
        }
    }
    CHECK(twice == 15 * 2 * 16);
}
