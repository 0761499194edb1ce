// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// A virtual card to put into a loopback reader.
struct LoopbackCard {
    std::string image;  // path of the card's memory; one process holds it at a time
    std::optional<TransportKey> transport_key;  // makes a blank card where there is no image
    TransmissionProtocol protocol = TransmissionProtocol::t1;
    bool durable = true;  // false: no fsync, for tests
};

// Readers in this process, each with one virtual card in it, called "loopback:<image>".
// The card keeps its memory in the image file; opening the reader powers it.
// No daemon, no threads.
TALLYCARD_EXPORT Result<std::unique_ptr<ReaderDriver>> open_loopback(
    std::vector<LoopbackCard> cards);

}  // namespace tallycard
