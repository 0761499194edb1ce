// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// The readers of this machine's PC/SC service (pcscd). Honours PCSCLITE_CSOCK_NAME.
//
// What it takes care of: a success with fewer than two bytes is an unknown outcome, never an
// answer; a waiter has a context of its own, so that cancel() ends it; handles inherited by a
// forked child are left alone, since closing them there would end the parent's session; a call that
// does not return is given up at its deadline (Errc::timed_out), and its link with it.
//
// Errc::service_unavailable when pcscd is not running. Drivers and readers may be used from
// different threads, each object from one at a time.
TALLYCARD_EXPORT Result<std::unique_ptr<ReaderDriver>> open_pcsc(const Deadlines& deadlines = {});

// A program that is connected to the PC/SC service, and so may hold a card.
struct PcscClient {
    std::uint32_t process_id = 0;
    std::string program;  // as proc(5) names it; empty where it has just ended
};

// All of them but this process. Processes of other users are seen by root alone; where the system
// says nothing (it takes Linux's sock_diag and /proc), there is none.
TALLYCARD_EXPORT std::vector<PcscClient> pcsc_clients();

}  // namespace tallycard
