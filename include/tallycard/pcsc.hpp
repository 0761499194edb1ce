// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

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

}  // namespace tallycard
