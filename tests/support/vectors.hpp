// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <tallycard/fixed_bytes.hpp>

namespace testing {

using Bytes = std::vector<std::uint8_t>;
using Json = nlohmann::json;

inline Bytes from_hex(const std::string& hex)
{
    Bytes bytes(hex.size() / 2);
    if (!tallycard::detail::from_hex(hex, bytes)) throw std::runtime_error("not hex: " + hex);
    return bytes;
}

inline Json read_json(const std::filesystem::path& file)
{
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return Json::parse(in);
}

// One of the project's own vectors, in tests/vectors.
inline Json load_vectors(const std::string& name)
{
    return read_json(std::filesystem::path(TALLYCARD_TEST_VECTORS) / name);
}

// One member of it, by value: a range-for over load_vectors(...)["x"] would dangle.
inline Json load_vectors(const std::string& name, const std::string& member)
{
    return load_vectors(name).at(member);
}

// Vectors that others made are not part of the project: they are read where they are, in
// $TALLYCARD_EXTERNAL_VECTORS or beside the checkout. Empty where they are not.
inline std::optional<std::filesystem::path> external_vectors(const std::string& name)
{
    const char* given = std::getenv("TALLYCARD_EXTERNAL_VECTORS");
    const auto folder = given != nullptr ? std::filesystem::path(given)
                                         : std::filesystem::path(TALLYCARD_TEST_VECTORS) /
                                               "../../../shared/vectors/external";
    if (!std::filesystem::exists(folder / name)) return std::nullopt;
    return folder / name;
}

// The settled operations of entries.json that are of the card of results.json, in their order.
inline std::vector<Json> card_entries()
{
    const auto card_id = load_vectors("results.json").at("card").at("card_id").get<std::string>();
    std::vector<Json> found;
    for (const auto& entry : load_vectors("entries.json", "entries"))
        if (entry.contains("operation") &&
            entry.at("operation").get<std::string>().find(card_id) != std::string::npos)
            found.push_back(entry);
    return found;
}

// A fixed-size value from its hex: value<CardId>(json["card_id"]).
template <class T>
T value(const Json& hex)
{
    const auto parsed = T::parse(hex.get<std::string>());
    if (!parsed) throw std::runtime_error("wrong size: " + hex.get<std::string>());
    return *parsed;
}

// A secret from its hex.
template <class S>
S secret(const Json& hex)
{
    auto bytes = from_hex(hex.get<std::string>());
    return S(std::span(bytes).template first<S::size>());
}

template <class Range>
Bytes bytes_of(const Range& range)
{
    return Bytes(range.begin(), range.end());
}

}  // namespace testing
