// SPDX-License-Identifier: Apache-2.0
#include "abi.hpp"

#include <algorithm>
#include <array>

#include "artefact.hpp"

namespace tallycard::evm::abi {
namespace {

constexpr std::size_t word_size = 32;

Bytes from_artefact(const char* hex)
{
    return parse_data(std::string("0x") + hex).value();
}

// The arguments of a call, or what a call answered.
class Writer {
public:
    // `selector` as the artefact has it, in hex.
    explicit Writer(const char* selector) : bytes_(from_artefact(selector)) {}
    Writer& bytes(std::span<const std::uint8_t> bytes)
    {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    Writer& word(const Digest& word) { return bytes(word.bytes()); }
    Writer& number(std::uint64_t number) { return word(word_of(number)); }
    Writer& address(const ChainAddress& address)
    {
        bytes_.resize(bytes_.size() + word_size - ChainAddress::size);
        return bytes(address.bytes());
    }
    Writer& padded(std::span<const std::uint8_t> content)
    {
        bytes(content);
        bytes_.resize(bytes_.size() + (word_size - content.size() % word_size) % word_size);
        return *this;
    }
    Bytes finish() { return std::move(bytes_); }

private:
    Bytes bytes_;
};

Digest word_at(std::span<const std::uint8_t> bytes, std::size_t index)
{
    return Digest(bytes.subspan(index * word_size).first<word_size>());
}

std::size_t padded_size(std::size_t size)
{
    return (size + word_size - 1) / word_size * word_size;
}

}  // namespace

Digest word_of(std::uint64_t number)
{
    std::array<std::uint8_t, word_size> bytes{};
    for (std::size_t i = 0; i < 8; ++i)
        bytes[word_size - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return Digest(bytes);
}

std::optional<std::uint64_t> number_in(const Digest& word)
{
    std::uint64_t number = 0;
    for (const auto byte : word.bytes().last<8>()) number = number << 8 | byte;
    if (word_of(number) != word) return std::nullopt;
    return number;
}

Bytes creation(const PublicKey& issuer)
{
    return Writer(artefact::creation).bytes(issuer.bytes()).finish();
}

std::span<const std::uint8_t> runtime()
{
    static const Bytes code = from_artefact(artefact::runtime);
    return code;
}

Bytes record(std::uint64_t first, std::span<const Digest> leaves, std::span<const Bytes> bodies)
{
    Writer call(artefact::record);
    // Where the two arrays begin, counted from the first argument.
    const auto at_leaves = 3 * word_size, at_bodies = at_leaves + (1 + leaves.size()) * word_size;
    call.number(first).number(at_leaves).number(at_bodies).number(leaves.size());
    for (const auto& leaf : leaves) call.word(leaf);
    call.number(bodies.size());
    auto at_body = bodies.size() * word_size;
    for (const auto& body : bodies) {
        call.number(at_body);
        at_body += word_size + padded_size(body.size());
    }
    for (const auto& body : bodies) call.number(body.size()).padded(body);
    return call.finish();
}

Bytes anchor(const merkle::Head& before, const merkle::Head& after)
{
    return Writer(artefact::anchor)
        .number(before.size)
        .word(before.root)
        .number(after.size)
        .word(after.root)
        .finish();
}

Bytes set_writer(const ChainAddress& account, bool may)
{
    return Writer(artefact::set_writer).address(account).number(may ? 1 : 0).finish();
}

Bytes head()
{
    return from_artefact(artefact::head);
}

Bytes issuer()
{
    return from_artefact(artefact::issuer);
}

Bytes owner()
{
    return from_artefact(artefact::owner);
}

Bytes is_writer(const ChainAddress& account)
{
    return Writer(artefact::writers).address(account).finish();
}

Bytes leaves(std::uint64_t first, std::uint64_t count)
{
    return Writer(artefact::leaves).number(first).number(count).finish();
}

std::optional<ContractHead> read_head(std::span<const std::uint8_t> answer)
{
    if (answer.size() != 3 * word_size) return std::nullopt;
    const auto length = number_in(word_at(answer, 0)), size = number_in(word_at(answer, 1));
    if (!length || !size) return std::nullopt;
    return ContractHead{.length = *length, .anchor = {.size = *size, .root = word_at(answer, 2)}};
}

std::optional<std::vector<Digest>> read_leaves(std::span<const std::uint8_t> answer,
                                               std::uint64_t count)
{
    if (answer.size() % word_size != 0 || answer.size() / word_size < 2) return std::nullopt;
    if (answer.size() / word_size - 2 != count || word_at(answer, 0) != word_of(word_size) ||
        word_at(answer, 1) != word_of(count))
        return std::nullopt;
    std::vector<Digest> found;
    for (std::size_t i = 0; i < count; ++i) found.push_back(word_at(answer, 2 + i));
    return found;
}

std::optional<Digest> read_word(std::span<const std::uint8_t> answer)
{
    if (answer.size() != word_size) return std::nullopt;
    return word_at(answer, 0);
}

std::optional<bool> read_flag(std::span<const std::uint8_t> answer)
{
    const auto word = read_word(answer);
    const auto number = word ? number_in(*word) : std::nullopt;
    if (!number || *number > 1) return std::nullopt;
    return *number == 1;
}

std::optional<Bytes> read_body(std::span<const std::uint8_t> data)
{
    if (data.size() < 2 * word_size || word_at(data, 0) != word_of(word_size)) return std::nullopt;
    const auto size = number_in(word_at(data, 1));
    const auto rest = data.subspan(2 * word_size);
    if (!size || *size > rest.size() || padded_size(*size) != rest.size()) return std::nullopt;
    const auto padding = rest.subspan(*size);
    if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; }))
        return std::nullopt;
    return Bytes(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(*size));
}

const Digest& recorded_topic()
{
    static const auto topic = Digest::parse(artefact::recorded).value();
    return topic;
}

const Digest& anchored_topic()
{
    static const auto topic = Digest::parse(artefact::anchored).value();
    return topic;
}

std::string_view name_of_error(std::span<const std::uint8_t> revert_data)
{
    if (revert_data.size() < 4) return {};
    const auto selector = to_hex(revert_data.first(4));
    for (const auto& [name, known] : artefact::errors)
        if (selector == known) return name;
    return {};
}

}  // namespace tallycard::evm::abi
