// SPDX-License-Identifier: Apache-2.0
// What libsodium computes of bytes alone, remembered: a world derives the same keys and verifies
// the same signatures again and again. The linker sends the calls here (--wrap). An answer is given
// again for the same input to the last byte, and for nothing else.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <unordered_map>

namespace {

using Byte = unsigned char;
using Input = std::span<const Byte>;

struct Answer {
    int code = 0;
    std::array<Byte, 96> out{};
};

// Two generations: what was not asked for while one filled up is forgotten.
class Memory {
public:
    const Answer* find(const std::string& question)
    {
        if (const auto found = young_.find(question); found != young_.end()) return &found->second;
        const auto found = old_.find(question);
        return found == old_.end() ? nullptr : &put(question, Answer(found->second));
    }
    const Answer& put(const std::string& question, const Answer& answer)
    {
        if (young_.size() == most) {
            old_ = std::move(young_);
            young_.clear();
        }
        return young_.insert_or_assign(question, answer).first->second;
    }

private:
    static constexpr std::size_t most = 50'000;
    std::unordered_map<std::string, Answer> young_, old_;
};

template <class... Inputs>
void ask(std::string& question, char function, const Inputs&... inputs)
{
    question.assign(1, function);
    const auto add = [&](Input input) {
        const auto size = static_cast<std::uint32_t>(input.size());
        std::array<char, sizeof size> length{};
        std::memcpy(length.data(), &size, sizeof size);
        question.append(length.data(), length.size());
        question.append(input.begin(), input.end());
    };
    (add(Input(inputs)), ...);
}

// `compute(out)` fills what the function gives out, and returns its code.
template <class Compute, class... Inputs>
const Answer& remembered(char function, Compute&& compute, const Inputs&... inputs)
{
    static Memory memory;
    static std::string question;
    ask(question, function, inputs...);
    if (const auto* known = memory.find(question)) return *known;
    Answer answer;
    answer.code = compute(answer.out.data());
    return memory.put(question, answer);
}

void give(const Answer& answer, Byte* out, std::size_t size, std::size_t from = 0)
{
    std::copy_n(answer.out.data() + from, size, out);
}

}  // namespace

extern "C" {

int real_valid_point(const Byte* point) __asm__("__real_crypto_core_ed25519_is_valid_point");
int valid_point(const Byte* point) __asm__("__wrap_crypto_core_ed25519_is_valid_point");
int real_times(Byte* q, const Byte* n,
               const Byte* p) __asm__("__real_crypto_scalarmult_ed25519_noclamp");
int times(Byte* q, const Byte* n,
          const Byte* p) __asm__("__wrap_crypto_scalarmult_ed25519_noclamp");
int real_base_times(Byte* q,
                    const Byte* n) __asm__("__real_crypto_scalarmult_ed25519_base_noclamp");
int base_times(Byte* q, const Byte* n) __asm__("__wrap_crypto_scalarmult_ed25519_base_noclamp");
int real_add(Byte* r, const Byte* p, const Byte* q) __asm__("__real_crypto_core_ed25519_add");
int add(Byte* r, const Byte* p, const Byte* q) __asm__("__wrap_crypto_core_ed25519_add");
int real_key_pair(Byte* key, Byte* secret,
                  const Byte* seed) __asm__("__real_crypto_sign_ed25519_seed_keypair");
int key_pair(Byte* key, Byte* secret,
             const Byte* seed) __asm__("__wrap_crypto_sign_ed25519_seed_keypair");
int real_sign(Byte* signature, unsigned long long* size, const Byte* message,
              unsigned long long message_size,
              const Byte* secret) __asm__("__real_crypto_sign_ed25519_detached");
int sign(Byte* signature, unsigned long long* size, const Byte* message,
         unsigned long long message_size,
         const Byte* secret) __asm__("__wrap_crypto_sign_ed25519_detached");
int real_verify(const Byte* signature, const Byte* message, unsigned long long size,
                const Byte* key) __asm__("__real_crypto_sign_ed25519_verify_detached");
int verify(const Byte* signature, const Byte* message, unsigned long long size,
           const Byte* key) __asm__("__wrap_crypto_sign_ed25519_verify_detached");

int valid_point(const Byte* point)
{
    return remembered(
               'p', [&](Byte*) { return real_valid_point(point); }, Input(point, 32))
        .code;
}

int times(Byte* q, const Byte* n, const Byte* p)
{
    const auto& answer = remembered(
        'm', [&](Byte* out) { return real_times(out, n, p); }, Input(n, 32), Input(p, 32));
    give(answer, q, 32);
    return answer.code;
}

int base_times(Byte* q, const Byte* n)
{
    const auto& answer = remembered(
        'b', [&](Byte* out) { return real_base_times(out, n); }, Input(n, 32));
    give(answer, q, 32);
    return answer.code;
}

int add(Byte* r, const Byte* p, const Byte* q)
{
    const auto& answer = remembered(
        'a', [&](Byte* out) { return real_add(out, p, q); }, Input(p, 32), Input(q, 32));
    give(answer, r, 32);
    return answer.code;
}

int key_pair(Byte* key, Byte* secret, const Byte* seed)
{
    const auto& answer = remembered(
        'k', [&](Byte* out) { return real_key_pair(out, out + 32, seed); }, Input(seed, 32));
    give(answer, key, 32);
    give(answer, secret, 64, 32);
    return answer.code;
}

// What libsodium has signed verifies under the key that is the secret's second half.
int sign(Byte* signature, unsigned long long* size, const Byte* message,
         unsigned long long message_size, const Byte* secret)
{
    const auto& answer = remembered(
        's', [&](Byte* out) { return real_sign(out, nullptr, message, message_size, secret); },
        Input(message, message_size), Input(secret, 64));
    give(answer, signature, 64);
    static_cast<void>(remembered(
        'v', [](Byte*) { return 0; }, Input(signature, 64), Input(message, message_size),
        Input(secret + 32, 32)));
    if (size != nullptr) *size = 64;
    return answer.code;
}

int verify(const Byte* signature, const Byte* message, unsigned long long size, const Byte* key)
{
    return remembered(
               'v', [&](Byte*) { return real_verify(signature, message, size, key); },
               Input(signature, 64), Input(message, size), Input(key, 32))
        .code;
}

}  // extern "C"
