// SPDX-License-Identifier: Apache-2.0
// replay MUTANTS CORPUS [FILE...]: runs a fuzz target over the seeds, and over so many inputs made
// from them by a generator that starts the same each time. For compilers without libFuzzer, and for
// CI. With files, runs those alone: what a fuzzer has found.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t longest = 4096;

// xorshift64* (Vigna): the same everywhere.
class Random {
public:
    std::size_t below(std::size_t limit)
    {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<std::size_t>((state_ * 0x2545F4914F6CDD1DU) >> 33) % limit;
    }

private:
    std::uint64_t state_ = 0x7A11CA4D;
};

Bytes read(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void run(const Bytes& input)
{
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::uint8_t byte(Random& random)
{
    constexpr std::uint8_t telling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '\n', '=', '['};
    if (random.below(2) == 0) return telling[random.below(std::size(telling))];
    return static_cast<std::uint8_t>(random.below(256));
}

void mutate(Bytes& input, const Bytes& other, Random& random)
{
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(random.below(input.size() + 1));
    switch (random.below(5)) {
    case 0:
        if (at != input.end()) *at = byte(random);
        break;
    case 1:
        if (at != input.end()) *at = static_cast<std::uint8_t>(*at ^ 1u << random.below(8));
        break;
    case 2: input.insert(at, byte(random)); break;
    case 3: input.erase(at, input.end()); break;
    default:
        const auto from = static_cast<std::ptrdiff_t>(random.below(other.size() + 1));
        input.insert(at, other.begin() + from, other.end());
    }
    if (input.size() > longest) input.resize(longest);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 3) return 64;
    const int mutants = std::atoi(argv[1]);
    if (argc > 3) {
        std::for_each(argv + 3, argv + argc, [](const char* file) { run(read(file)); });
        return 0;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[2]))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<Bytes> seeds = {{}};
    for (const auto& file : files) seeds.push_back(read(file));
    for (const auto& seed : seeds) run(seed);
    Random random;
    for (int i = 0; i < mutants; ++i) {
        auto input = seeds[random.below(seeds.size())];
        for (auto left = random.below(6); left <= 6; --left)
            mutate(input, seeds[random.below(seeds.size())], random);
        run(input);
    }
    std::printf("%zu seeds and %d mutants: as they should be\n", files.size(), mutants);
    return seeds.size() > 1 ? 0 : 1;
}
