// SPDX-License-Identifier: Apache-2.0
#include "transaction.hpp"

namespace tallycard::evm {
namespace {

// RLP (Ethereum's yellow paper, appendix B): a byte below 0x80 is itself; 0x80 + n: n bytes follow;
// 0xb7 + n: n bytes of length follow; lists likewise from 0xc0 and 0xf7 on. Only the shortest form.
class RlpReader {
public:
    explicit RlpReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

    std::span<const std::uint8_t> list() { return item(0xC0); }
    std::span<const std::uint8_t> string()
    {
        if (!rest_.empty() && rest_.front() < 0x80) return take(1);
        const auto content = item(0x80);
        if (content.size() == 1 && content.front() < 0x80) ok_ = false;
        return content;
    }
    std::uint64_t number()
    {
        const auto bytes = string();
        if (bytes.size() > 8 || (!bytes.empty() && bytes.front() == 0)) ok_ = false;
        return ok_ ? as_number(bytes) : 0;
    }
    bool ok() const { return ok_; }
    bool finish() const { return ok_ && rest_.empty(); }

private:
    static std::uint64_t as_number(std::span<const std::uint8_t> bytes)
    {
        std::uint64_t number = 0;
        for (const auto byte : bytes) number = number << 8 | byte;
        return number;
    }
    std::span<const std::uint8_t> item(unsigned base)
    {
        constexpr unsigned longest_short = 55;
        const auto head = take(1);
        if (!ok_ || head[0] < base || head[0] >= base + 0x40) return fail();
        const unsigned size = head[0] - base;
        if (size <= longest_short) return take(size);
        const auto length = take(size - longest_short);
        if (!ok_ || length.size() > 4 || length[0] == 0) return fail();
        const auto count = as_number(length);
        return count <= longest_short ? fail() : take(count);
    }
    std::span<const std::uint8_t> take(std::uint64_t count)
    {
        if (!ok_ || count > rest_.size()) return fail();
        const auto taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }
    std::span<const std::uint8_t> fail()
    {
        ok_ = false;
        return {};
    }
    std::span<const std::uint8_t> rest_;
    bool ok_ = true;
};

// v of EIP-155: 35 or 36 above twice the chain id.
std::optional<std::uint64_t> chain_id_in(std::uint64_t v)
{
    if (v < 37) return std::nullopt;
    return (v - 35) / 2;
}

}  // namespace

std::optional<Transaction> read_transaction(std::span<const std::uint8_t> raw)
{
    RlpReader outside(raw);
    RlpReader fields(outside.list());
    if (!outside.finish()) return std::nullopt;
    Transaction read;
    read.nonce = fields.number();
    read.gas_price = fields.number();
    read.gas = fields.number();
    const auto to = fields.string();
    const auto value = fields.string();
    const auto content = fields.string();
    const auto chain_id = chain_id_in(fields.number());
    const auto r = fields.string(), s = fields.string();
    if (!fields.finish() || !chain_id || !value.empty()) return std::nullopt;
    if (r.empty() || r.size() > 32 || s.empty() || s.size() > 32) return std::nullopt;
    if (!to.empty() && to.size() != ChainAddress::size) return std::nullopt;
    if (!to.empty()) read.to = ChainAddress(to.first<ChainAddress::size>());
    read.chain_id = *chain_id;
    read.data.assign(content.begin(), content.end());
    return read;
}

}  // namespace tallycard::evm
