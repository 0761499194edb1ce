// SPDX-License-Identifier: Apache-2.0
// The calls of TallycardLedger.sol and what they answer, as the contract ABI writes them: words of
// 32 bytes. Selectors, topics and code are those of the committed artefact.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/merkle.hpp>

#include "hex.hpp"

namespace tallycard::evm {

// What the contract says of itself.
struct ContractHead {
    std::uint64_t length = 0;  // entries
    merkle::Head anchor;
};

namespace abi {

// What creates a contract for an issuer, by its card root key.
Bytes creation(const PublicKey& issuer);
std::span<const std::uint8_t> runtime();  // the code at the address of every such contract

// `bodies` is empty, or has one for each leaf.
Bytes record(std::uint64_t first, std::span<const Digest> leaves, std::span<const Bytes> bodies);
Bytes anchor(const merkle::Head& before, const merkle::Head& after);
Bytes set_writer(const ChainAddress& account, bool may);
Bytes head();
Bytes issuer();
Bytes owner();
Bytes is_writer(const ChainAddress& account);
Bytes leaves(std::uint64_t first, std::uint64_t count);

// Answers; empty where the bytes are anything else.
std::optional<ContractHead> read_head(std::span<const std::uint8_t> answer);
std::optional<std::vector<Digest>> read_leaves(std::span<const std::uint8_t> answer,
                                               std::uint64_t count);
std::optional<Digest> read_word(std::span<const std::uint8_t> answer);
std::optional<bool> read_flag(std::span<const std::uint8_t> answer);
// The body in the data of the event Recorded.
std::optional<Bytes> read_body(std::span<const std::uint8_t> data);

std::optional<std::uint64_t> number_in(const Digest& word);
Digest word_of(std::uint64_t number);

const Digest& recorded_topic();
const Digest& anchored_topic();
// "NotWriter"; empty where the contract has no such error.
std::string_view name_of_error(std::span<const std::uint8_t> revert_data);

}  // namespace abi
}  // namespace tallycard::evm
