// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module with one token that fails as a test wants: libfake_token.so. Tests and module
// share this object.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tallycard::test {

struct FakeTokenState {
    static constexpr const char* right_pin = "135790";

    struct Failure {
        unsigned long code = 0;
        int times = 1;  // then it works again
    };
    std::map<std::string, Failure> failures;  // by function: C_Sign
    std::map<std::string, int> calls;

    bool is_initialised = false, is_present = true, is_logged_in = false;
    bool sees_new_tokens = true;  // without being initialised again
    unsigned long more_flags = 0;
    std::set<unsigned long> sessions;
    unsigned long next_session = 1;

    std::uint8_t seed = 1;          // of the key: this byte, 32 times
    std::uint8_t claimed_seed = 1;  // of the public key that it shows
    enum class Point { raw, octet_string, bit_string, cut, long_length, not_on_curve } point{};
    unsigned long key_type = 0x40;  // CKK_EC_EDWARDS
    bool always_authenticate = false;
    int private_keys = 1, public_keys = 1, tokens = 1;
    unsigned long signature_size = 64;
    bool breaks_signatures = false;

    bool hangs = false;  // C_Sign waits
    int hanging = 0;     // how many do
};

struct FakeToken : FakeTokenState {
    std::mutex mutex;
    std::condition_variable changed;

    void reset()
    {
        const std::lock_guard lock(mutex);
        static_cast<FakeTokenState&>(*this) = {};
    }
    void let_go()
    {
        const std::lock_guard lock(mutex);
        hangs = false;
        changed.notify_all();
    }
};

}  // namespace tallycard::test
