// SPDX-License-Identifier: Apache-2.0
// What checking a whole ledger takes at least: the bare verification of its signatures, and the
// bare operations on the curve that derive its cards' keys, on so many threads.
#pragma once

#include <malloc.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "growth_filler.hpp"

namespace tallycard::bench {

// Time that passed, and time of processors that this process used.
struct Took {
    double wall = 0, processor = 0;  // seconds

    static Took of(const std::function<void()>& work)
    {
        const auto clock = [](clockid_t id) {
            timespec time{};
            ::clock_gettime(id, &time);
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
        };
        const Took before{clock(CLOCK_MONOTONIC), clock(CLOCK_PROCESS_CPUTIME_ID)};
        work();
        return {clock(CLOCK_MONOTONIC) - before.wall,
                clock(CLOCK_PROCESS_CPUTIME_ID) - before.processor};
    }
    Took& operator+=(const Took& other)
    {
        wall += other.wall;
        processor += other.processor;
        return *this;
    }
    friend Took operator*(double times, const Took& took)
    {
        return {times * took.wall, times * took.processor};
    }
};

// By how much the memory of this process rose meanwhile, at most; MiB.
inline double memory_of(const std::function<void()>& work)
{
    const auto status = [](const std::string& name) {
        std::ifstream file("/proc/self/status");
        std::string word;
        while (file >> word && word != name) {
        }
        double kib = 0;
        file >> kib;
        return kib / 1024;
    };
    ::malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5;  // the highest so far becomes what it is now
    const auto before = status("VmRSS:");
    work();
    return status("VmHWM:") - before;
}

class AuditFloor {
public:
    // Signatures of many cards in turn: a processor learns by heart how one verifies.
    AuditFloor(std::span<const GrowthCard> cards, const PublicKey& card_root) : root_(card_root)
    {
        constexpr std::size_t most = 1'000;
        const auto step = std::max<std::size_t>(1, cards.size() / most);
        for (std::size_t i = 0; i < cards.size(); i += step) {
            const auto& card = cards[i];
            all_.push_back({.certificate = card.certificate(),
                            .key = card.public_key(),
                            .signature = card.receipt().card_signature,
                            .message = signed_message(wire::domain::result, card.last().encode())});
        }
    }

    void verify(std::size_t times, unsigned threads) const
    {
        in_threads(threads, times, [](const One& one) {
            if (crypto_sign_ed25519_verify_detached(one.signature.bytes().data(),
                                                    one.message.data(), one.message.size(),
                                                    one.key.bytes().data()) != 0)
                std::abort();
        });
    }
    // R is of the group; h·A; R + h·A. The scalar is any.
    void derive(std::size_t times, unsigned threads) const
    {
        in_threads(threads, times, [this](const One& one) {
            Scalar h{}, product, sum;
            std::ranges::copy(one.signature.bytes().last<32>(), h.begin());
            const auto* certificate = one.certificate.bytes().data();
            if (crypto_core_ed25519_is_valid_point(certificate) != 1 ||
                crypto_scalarmult_ed25519_noclamp(product.data(), h.data(), root_.bytes().data()) !=
                    0 ||
                crypto_core_ed25519_add(sum.data(), certificate, product.data()) != 0)
                std::abort();
            keep(sum);
        });
    }

private:
    struct One {
        Certificate certificate;
        PublicKey key;
        Signature signature;
        Bytes message;
    };
    template <class Work>
    void in_threads(unsigned threads, std::size_t times, Work work) const
    {
        const auto some = [&](std::size_t first) {
            for (std::size_t i = first; i < times; i += threads) work(all_[i % all_.size()]);
        };
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads; ++i) others.emplace_back(some, i);
        some(0);
        for (auto& other : others) other.join();
    }

    PublicKey root_;
    std::vector<One> all_;
};

}  // namespace tallycard::bench
