// SPDX-License-Identifier: Apache-2.0
// Key files and transport key files: genuine ones, changed ones, any bytes. A sealed key opens from
// the very bytes that were written, with its passphrase and in its role, and never otherwise. What
// a guess costs is kept low: a file that asks for more is not tried.
#include <algorithm>
#include <array>

#include <tallycard/key_file.hpp>
#include <tallycard/transport_key_file.hpp>

#include "fuzz.hpp"
#include "input.hpp"
#include "same_random.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Bytes;
using fuzz::Input;

namespace {

Passphrase passphrase(const char* text)
{
    std::string characters(text);
    return Passphrase::take(characters).value();
}

constexpr std::array roles = {KeyRole::operation, KeyRole::card_root, KeyRole::checkpoint,
                              KeyRole::witness, KeyRole::account};

const Bytes& genuine(KeyRole role)
{
    static const auto files = [] {
        std::array<Bytes, roles.size()> made;
        for (std::size_t i = 0; i < roles.size(); ++i) {
            const auto path = fuzz::scratch().file("genuine") + std::to_string(i);
            std::array<std::uint8_t, KeySeed::size> seed;
            seed.fill(static_cast<std::uint8_t>(i + 1));
            FUZZ_CHECK(create_key_file(path, roles[i], KeySeed(seed), passphrase("right"),
                                       {.passes = 1, .memory_kib = 8}));
            FUZZ_CHECK(!create_key_file(path, roles[i], passphrase("right")));
            std::ifstream file(path, std::ios::binary);
            made[i].assign(std::istreambuf_iterator<char>(file), {});
        }
        return made;
    }();
    return files[static_cast<std::size_t>(role) - 1];
}

std::uint64_t number_at(const Bytes& file, std::size_t at)
{
    return Input(file.data() + at, 4).number(4);
}

// Argon2 over up to 2 GiB, 64 times, is what a person may choose.
bool is_cheap(const Bytes& file)
{
    constexpr std::size_t passes_at = 11, memory_at = 15;
    if (file.size() != genuine(KeyRole::operation).size()) return true;
    const auto passes = number_at(file, passes_at), memory = number_at(file, memory_at);
    return (passes <= 2 && memory <= 64) || passes > 64 || memory > 2u << 20;
}

template <class T>
void check_key(const Result<T>& opened, bool may_open)
{
    FUZZ_CHECK(opened.has_value() == may_open);
    if (opened) return;
    const auto code = opened.error().code;
    FUZZ_CHECK(code == Errc::file_damaged || code == Errc::wrong_passphrase);
}

void key_file(Input& input)
{
    const auto role = roles[input.below(roles.size())];
    const auto opened_as = roles[input.below(roles.size())];
    const bool right = !input.one_in(4);
    auto bytes = genuine(role);
    const auto how = input.byte();
    if (how >= 0x40) fuzz::edit(bytes, input);
    if (how >= 0xC0) {
        const auto raw = input.rest();
        bytes.assign(raw.begin(), raw.end());
    }
    if (!is_cheap(bytes)) return;
    const auto path = fuzz::file_with("key", bytes);
    const auto guess = passphrase(right ? "right" : "wrong");
    const bool may_open = right && bytes == genuine(opened_as);
    switch (opened_as) {
    case KeyRole::operation: return check_key(open_operation_key(path, guess), may_open);
    case KeyRole::card_root: return check_key(open_card_root(path, guess), may_open);
    case KeyRole::checkpoint: return check_key(open_checkpoint_key(path, guess), may_open);
    case KeyRole::account: return check_key(open_account_key(path, guess), may_open);
    case KeyRole::witness: return check_key(open_witness_key(path, "w", guess), may_open);
    }
}

void transport_key(Input& input)
{
    Bytes bytes(64, '7');
    const auto how = input.byte();
    if ((how & 1) != 0) bytes.push_back('\n');
    if ((how & 2) != 0) fuzz::edit(bytes, input);
    if ((how & 4) != 0) {
        const auto raw = input.rest();
        bytes.assign(raw.begin(), raw.end());
    }
    const auto path = fuzz::file_with("transport", bytes);
    if (how >= 0xE0) ::chmod(path.c_str(), 0644);
    const auto key = read_transport_key(how == 0xE1 ? fuzz::scratch().path().string() : path);
    if (!key) {
        const auto code = key.error().code;
        FUZZ_CHECK(code == Errc::malformed || (how >= 0xE0 && code == Errc::file_rejected));
        return;
    }
    FUZZ_CHECK(how < 0xE0);
    auto text = to_hex(key->reveal());
    if (bytes.size() == text.size() + 1) text += '\n';
    FUZZ_CHECK(text == fuzz::text(bytes));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    if (input.one_in(3))
        transport_key(input);
    else
        key_file(input);
    return 0;
}
