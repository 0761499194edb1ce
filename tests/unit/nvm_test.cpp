// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <functional>
#include <vector>

#include <sodium/randombytes.h>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;
using chip::CardMemory;
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

Bytes encoded(const CardMemory& memory)
{
    std::array<std::uint8_t, CardMemory::encoded_size> bytes;
    memory.encode(bytes);
    return bytes_of(bytes);
}

Bytes loaded(const MemoryStorage::Bytes& image)
{
    MemoryStorage storage(image);
    SlotNvm nvm(storage);
    nvm.load();
    return nvm.readable() ? encoded(nvm.current()) : Bytes();
}

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

std::uint16_t send(SlotNvm& nvm, const Bytes& command)
{
    chip::Applet applet(nvm);
    std::array<std::uint8_t, chip::Applet::max_answer> answer{};
    applet.process(command_apdu(wire::command::select, wire::aid, 0), answer);
    const auto size = applet.process(command, answer);
    return reply_of(std::span(answer).first(size)).sw;
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
                                1024, 2048, 3000, 3600, 3684, 3685, 3716, 3717};

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

TEST_CASE("one damaged slot leaves the other, two leave nothing: 6581", "[applet][nvm]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    const auto newest = card.memory();
    const auto image = card.storage.memory.bytes();
    int old_state = 0, new_state = 0;
    for (std::size_t at = 0; at < SlotNvm::slot_size; at += 13) {
        for (const auto slot : {std::size_t{0}, std::size_t{1}}) {
            auto damaged = image;
            damaged[(1 + slot) * SlotNvm::block_size + at] ^= 0x10;
            const auto found = loaded(damaged);
            REQUIRE_FALSE(found.empty());
            (found == newest ? new_state : old_state) += 1;
            damaged[(2 - slot) * SlotNvm::block_size + SlotNvm::slot_size - 1 - at] ^= 0x01;
            REQUIRE(loaded(damaged).empty());
        }
    }
    CHECK(old_state == new_state);
    CHECK(old_state > 250);
}

TEST_CASE("a card whose memory is damaged answers 6581 to whatever needs it", "[applet][nvm]")
{
    MemoryStorage storage;
    SlotNvm nvm(storage);
    nvm.load();
    REQUIRE_FALSE(nvm.readable());
    int tried = 0;
    for (const auto& row : chip::rows::all) {
        if (row.name == chip::CommandName::select) continue;
        auto header = row.header;
        if (row.name == chip::CommandName::request) header.p1 = 3;
        const auto le = row.answers_data ? std::optional<std::uint8_t>(0) : std::nullopt;
        const auto sw = send(nvm, command_apdu(header, Bytes(row.least_data, 0x24), le));
        CHECK(sw == (row.name == chip::CommandName::get_challenge ? 0x9000 : 0x6581));
        ++tried;
    }
    CHECK(tried == 11);
    CHECK(send(nvm, command_apdu(wire::command::select, wire::aid, 0)) == 0x6581);
    CHECK(send(nvm, command_apdu(wire::command::select, Bytes{1, 2}, 0)) == 0x6A82);
}

TEST_CASE("a commit that cannot be written answers 6581, now and after the next power-on",
          "[applet][nvm]")
{
    for (const bool at_sync : {false, true}) {
        IssuedCard card;
        card.execute(Kind::top_up, 5);
        const auto before = card.memory();
        (at_sync ? card.storage.failing_syncs : card.storage.failing_writes) = 1;
        CHECK(card.execute(Kind::top_up, 7).sw == 0x6581);
        CHECK(card.memory() == before);
        CHECK(loaded(card.storage.memory.bytes()) == before);
        CHECK(card.execute(Kind::top_up, 7).sw == 0x9000);
        CHECK(loaded(card.storage.memory.bytes()) == card.memory());
    }
}

TEST_CASE("memory that cannot even be kept as it was answers nothing but 6581", "[applet][nvm]")
{
    IssuedCard card;
    card.storage.failing_writes = 1;
    card.storage.failing_syncs = 1;
    CHECK(card.execute(Kind::top_up, 7).sw == 0x6581);
    CHECK_FALSE(card.nvm.readable());
    CHECK(card.select().sw == 0x6581);
    CHECK(card.pin_status().sw == 0x6581);
}

TEST_CASE("the memory's layout reads back, and nothing else does", "[applet][nvm]")
{
    IssuedCard card;
    for (int i = 0; i < 20; ++i) card.execute(Kind::top_up, 1);
    card.request(Kind::transfer_in, 3);
    std::array<std::uint8_t, CardMemory::encoded_size> bytes;
    card.now().encode(bytes);
    CardMemory read;
    REQUIRE(read.decode(bytes));
    CHECK(encoded(read) == bytes_of(bytes));

    int refused = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        auto other = bytes;
        other[at] = static_cast<std::uint8_t>(other[at] ^ 0xFF);
        CardMemory memory;
        if (!memory.decode(other)) {
            ++refused;
            continue;
        }
        CHECK(encoded(memory) == bytes_of(other));  // no two encodings of one memory
    }
    CHECK(refused > 200);
    bytes[0] = 2;
    CHECK_FALSE(CardMemory().decode(bytes));
}
