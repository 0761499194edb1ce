// SPDX-License-Identifier: Apache-2.0
// A virtual card in memory, and what tests send it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <tallycard/apdu.hpp>

#include "../../virtual-card/applet/applet.hpp"
#include "../../virtual-card/nvm/memory_storage.hpp"
#include "vectors.hpp"

namespace testing {

struct Reply {
    Bytes data;
    std::uint16_t sw = 0;
};

inline Reply reply_of(std::span<const std::uint8_t> answer)
{
    const auto data = answer.first(answer.size() - 2);
    const auto sw = answer.last(2);
    return {.data = bytes_of(data), .sw = static_cast<std::uint16_t>(sw[0] << 8 | sw[1])};
}

// A command APDU as bytes. `le` is the byte itself: 0 is 256.
inline Bytes command_apdu(tallycard::apdu::Header header, std::span<const std::uint8_t> data = {},
                          std::optional<std::uint8_t> le = {})
{
    Bytes bytes{header.cla, header.ins, header.p1, header.p2};
    if (!data.empty()) bytes.push_back(static_cast<std::uint8_t>(data.size()));
    bytes.insert(bytes.end(), data.begin(), data.end());
    if (le) bytes.push_back(*le);
    return bytes;
}

// Memory whose next writes, or syncs, fail as often as one wishes. A failed write leaves garbage.
class FailingStorage final : public tallycard::chip::Storage {
public:
    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        return memory.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        ++writes;
        if (failing_writes == 0) return memory.write(offset, bytes);
        --failing_writes;
        const Bytes garbage(bytes.size() / 2, 0x5A);
        return memory.write(offset, garbage) && false;
    }
    bool sync() override
    {
        if (failing_syncs == 0) return true;
        --failing_syncs;
        return false;
    }

    tallycard::chip::MemoryStorage memory;
    int failing_writes = 0, failing_syncs = 0, writes = 0;
};

class TestCard {
public:
    explicit TestCard(const tallycard::chip::CardMemory& memory)
    {
        if (!tallycard::chip::SlotNvm::format(storage, memory)) throw std::runtime_error("format");
        nvm.load();
    }
    TestCard(const TestCard&) = delete;
    TestCard& operator=(const TestCard&) = delete;
    virtual ~TestCard() = default;

    static tallycard::chip::CardMemory blank(const Json& transport_key)
    {
        tallycard::chip::CardMemory memory;
        memory.secrets.transport_key = secret<tallycard::TransportKey>(transport_key);
        return memory;
    }

    Reply send(std::span<const std::uint8_t> command)
    {
        std::array<std::uint8_t, tallycard::chip::Applet::max_answer> answer{};
        const auto size = applet.process(command, answer);
        return reply_of(std::span(answer).first(size));
    }
    Reply select()
    {
        return send(command_apdu(tallycard::wire::command::select, tallycard::wire::aid, 0));
    }

    // Everything that the card remembers without power.
    Bytes memory() const
    {
        std::array<std::uint8_t, tallycard::chip::CardMemory::encoded_size> bytes;
        nvm.current().encode(bytes);
        return bytes_of(bytes);
    }
    // Changes the memory behind the card's back, to arrange a test.
    template <class Change>
    void arrange(Change&& change)
    {
        change(nvm.draft());
        if (!nvm.commit()) throw std::runtime_error("commit");
    }

    FailingStorage storage;
    tallycard::chip::SlotNvm nvm{storage};
    tallycard::chip::Applet applet{nvm};
};

}  // namespace testing
