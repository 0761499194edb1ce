// SPDX-License-Identifier: Apache-2.0
// Memory that fails, is damaged or was made up.
#include <catch2/catch.hpp>

#include <functional>

#include <sodium/crypto_generichash.h>

#include "support/card_image.hpp"

using namespace tallycard;
using namespace testing;
using chip::CardMemory;
using chip::MemoryStorage;
using chip::SlotNvm;

namespace {

constexpr std::size_t slot_offset(std::size_t slot)
{
    return (1 + slot) * SlotNvm::block_size;
}

// An image of which one slot cannot be read, or which cannot be synced.
class FailingImage final : public chip::Storage {
public:
    explicit FailingImage(const MemoryStorage::Bytes& image) : memory_(image) {}
    std::optional<std::size_t> unreadable_slot;
    bool syncs = true;
    int reads = 0, reads_before_sync = 0;

    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        ++reads;
        if (!synced_) ++reads_before_sync;
        if (unreadable_slot && offset / SlotNvm::block_size == 1 + *unreadable_slot) return false;
        return memory_.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        return memory_.write(offset, bytes);
    }
    bool sync() override { return synced_ = syncs; }

private:
    MemoryStorage memory_;
    bool synced_ = false;
};

// The image with one slot changed, whose checksum is right all the same.
MemoryStorage::Bytes crafted(MemoryStorage::Bytes image, std::size_t slot,
                             const std::function<void(std::span<std::uint8_t>)>& change)
{
    constexpr std::size_t checksum_size = 32;
    const auto bytes = std::span(image).subspan(slot_offset(slot), SlotNvm::slot_size);
    const auto body = bytes.first(SlotNvm::slot_size - checksum_size);
    change(body.subspan(8));
    crypto_generichash(bytes.last(checksum_size).data(), checksum_size, body.data(), body.size(),
                       nullptr, 0);
    return image;
}

constexpr std::size_t log_entry_offset(std::size_t entry)
{
    return CardMemory::encoded_size -
           (CardMemory::log_entries - entry) * CardMemory::encoded_log_entry;
}

}  // namespace

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
    CHECK(tried == 12);
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
    card.execute(Kind::top_up, 5);
    card.storage.failing_writes = 1;
    card.storage.failing_syncs = 1;
    CHECK(card.execute(Kind::top_up, 7).sw == 0x6581);
    CHECK_FALSE(card.nvm.readable());
    CHECK(card.select().sw == 0x6581);
    CHECK(card.pin_status().sw == 0x6581);
}

TEST_CASE("a change needs the damaged slot spoiled first: 6581 where that fails", "[applet][nvm]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    const auto newer = std::size_t{1};
    auto image = card.storage.memory.bytes();
    image[slot_offset(newer) + 100] ^= 1;
    const auto before = loaded(image);
    for (const bool reads : {false, true}) {
        FailingImage storage(image);
        SlotNvm nvm(storage);
        nvm.load();
        storage.syncs = !reads;
        if (!reads) storage.unreadable_slot = newer;
        const auto verify = command_apdu(wire::command::verify, right_pin);
        CHECK(send(nvm, verify) == 0x6581);
        REQUIRE(nvm.readable());
        CHECK(encoded(nvm.current()) == before);
        storage.syncs = true;
        storage.unreadable_slot.reset();
        CHECK(send(nvm, verify) == 0x9000);
    }
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
    bytes[0] = 1;  // another version of it
    CHECK_FALSE(CardMemory().decode(bytes));
}

TEST_CASE("a slot that cannot be read is not taken for a damaged one: 6581", "[applet][nvm]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    int tried = 0;
    for (const auto slot : {std::size_t{0}, std::size_t{1}}) {
        FailingImage storage(card.storage.memory.bytes());
        storage.unreadable_slot = slot;
        SlotNvm nvm(storage);
        nvm.load();
        CHECK_FALSE(nvm.readable());
        CHECK(send(nvm, command_apdu(wire::command::select, wire::aid, 0)) == 0x6581);
        storage.unreadable_slot.reset();
        nvm.load();  // at the next power-on the disk is well again
        REQUIRE(nvm.readable());
        CHECK(encoded(nvm.current()) == card.memory());
        ++tried;
    }
    CHECK(tried == 2);
}

TEST_CASE("no slot counts before what the last process wrote is durable", "[applet][nvm]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    FailingImage storage(card.storage.memory.bytes());
    SlotNvm nvm(storage);
    nvm.load();
    REQUIRE(nvm.readable());
    CHECK(storage.reads == 2);
    CHECK(storage.reads_before_sync == 0);

    storage.syncs = false;
    nvm.load();
    CHECK_FALSE(nvm.readable());
    CHECK(send(nvm, command_apdu(wire::command::select, wire::aid, 0)) == 0x6581);
}

TEST_CASE("a made-up image is no memory, though its checksum is right", "[applet][nvm]")
{
    constexpr std::size_t operation_at = 1, state_at = 1 + Operation::max_encoded + 64 + 8 + 32;
    using Body = std::span<std::uint8_t>;
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    const auto entry = log_entry_offset(card.now().sequence);
    const auto image = card.storage.memory.bytes();
    const auto older = loaded(crafted(image, 1, [](Body body) { body[0] = 0; }));
    REQUIRE(older != card.memory());

    struct Forgery {
        const char* what;
        std::function<void(Body)> change;
    };
    const Forgery forgeries[] = {
        {"blank state in the log", [&](Body body) { body[entry + state_at] = 1; }},
        {"unknown state in the log", [&](Body body) { body[entry + state_at] = 5; }},
        {"operation of no bytes that has some", [&](Body body) { body[entry] = 0; }},
        {"operation longer than any", [&](Body body) { body[entry] = 0xFF; }},
        {"operation that does not read", [&](Body body) { body[entry + operation_at] ^= 1; }},
        {"personalised with no key",
         [](Body body) { std::ranges::fill(body.subspan(2 + 32, 32), std::uint8_t{0}); }},
        {"more PIN tries than three", [](Body body) { body[2 + 3 * 32 + 8 + 2] = 4; }},
        {"a PIN, and waiting for one", [](Body body) { body[2 + 3 * 32 + 8 + 1] = 1; }}};
    CHECK(loaded(crafted(image, 1, [](Body) {})) == card.memory());
    int refused = 0;
    for (const auto& [what, change] : forgeries) {
        INFO(what);
        CHECK(loaded(crafted(image, 1, change)) == older);  // as a damaged slot
        ++refused;
    }
    CHECK(refused == 8);
}

TEST_CASE("a log entry without an operation is not in the log", "[applet][nvm]")
{
    IssuedCard card;
    const auto operation = card.next(Kind::top_up, 5);
    card.execute(operation);
    card.arrange([](CardMemory& memory) { memory.slot(1) = chip::LogEntry{}; });
    const auto before = card.memory();
    CHECK(card.log(wire::command::get_result, 1).sw == 0x6A88);
    CHECK(card.log(wire::command::get_operation, 1).sw == 0x6A88);
    CHECK(card.execute(operation).sw == 0x9404);
    CHECK(card.memory() == before);
    CHECK(card.pay(-1).sw == 0x9000);
}
