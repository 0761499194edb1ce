// SPDX-License-Identifier: Apache-2.0
// What the made-up service of PC/SC is made of: what its functions, and those who direct it, share.
#pragma once

#include <winscard.h>

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "fake_service.hpp"

namespace fuzz::fake {

using Lock = std::lock_guard<std::mutex>;

struct Reader {
    DWORD taps = 0;
    bool has_card = false;
    bool lacks_atr = false, is_unavailable = false;
    std::deque<FakeService::Look> shown;
    int hidden = 0;  // in how many lists
};
struct Context {
    int client = -1, served = -1;  // the two ends of a connection, as the library looks for
    int wake = -1;                 // an eventfd: something changed, or SCardCancel
};
struct Card {
    SCARDCONTEXT context = 0;
    std::string reader;
    DWORD taps = 0;  // when it was connected
};

struct State {
    std::mutex mutex;
    std::uint64_t random = 1;
    std::uint32_t one_in = 400;
    LONG code = SCARD_S_SUCCESS;     // of the next `failing` calls
    LONG refusal = SCARD_S_SUCCESS;  // of the next `refused` connections
    int refused = 0;
    int failing = 0, status_calls = 0, insertions = 0;
    std::uint32_t longest_wait = 20;
    bool runs = true, heard = false;
    std::map<std::string, Reader> readers;
    std::map<SCARDCONTEXT, Context> contexts;
    std::map<SCARDHANDLE, Card> cards;
    long next = 1;
};

// The one there is. What follows wants it locked, where nothing else is said.
State& state();

std::uint32_t roll(std::uint32_t below);
LONG any_error();
bool fails();

Context make_connection();
void close(const Context& context);
void wake_all();

// What any call meets first: the connection may have been given up, or the service be gone.
LONG check(SCARDCONTEXT handle);
LONG check_card(SCARDHANDLE handle);
// Fills in what is; whether the call returns with that.
bool look(SCARD_READERSTATE& wanted);
bool is_reader(const char* name);

// These two lock it themselves. Waits for a change, for SCardCancel, or for the library to end its
// own connection.
LONG wait(SCARDCONTEXT handle, int milliseconds);
// One in many calls never returns by itself.
LONG perhaps_hang(SCARDCONTEXT context);

}  // namespace fuzz::fake
