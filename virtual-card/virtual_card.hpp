// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// Which virtual card, and how it speaks.
struct VirtualCardSettings {
    std::string image;                            // path of its memory; holds its secrets, 0600
    const TransportKey* transport_key = nullptr;  // makes a blank card where there is no image
    TransmissionProtocol protocol = TransmissionProtocol::t1;
    bool durable = true;  // false: no fsync, for tests
};

// One card: its memory in an image file, its applet, and the framing of T=1 or T=0 around it.
//
// Holds the image's lock for as long as it lives: one card object has an image at a time, in this
// process or another. It starts without power. Not thread-safe. Nothing here fails once it is
// open: a card answers.
class TALLYCARD_EXPORT VirtualCard {
public:
    // the longest answer, status word included; every answer buffer has room for it
    static constexpr std::size_t max_answer = 258;

    // Errc::file_missing: no image, and no transport key to make one with. Errc::file_in_use.
    // Errc::file_damaged: not a card image. Errc::file_rejected: the system refused, or others may
    // read the image (detail: errno). Errc::unsafe_library.
    static Result<std::unique_ptr<VirtualCard>> open(const VirtualCardSettings& settings);
    virtual ~VirtualCard();

    virtual const Atr& atr() const = 0;
    virtual TransmissionProtocol protocol() const = 0;
    // Whether both copies in the image are damaged. The card then answers 6581; say so to people.
    virtual bool memory_damaged() const = 0;
    // Whether it can be in a reader now. Only a card that is somewhere else can leave.
    virtual bool is_present() { return true; }

    // All three lose what is volatile: the selection and the PIN's verified status.
    virtual void power_on() = 0;
    virtual void power_off() = 0;
    virtual void reset() = 0;

    // Answers one command: an APDU under T=1, a TPDU under T=0. Returns the answer's size, at
    // least 2; 0 when the card has left, which only one that is somewhere else can. Requires
    // answer.size() >= max_answer. A card without power has itself powered on.
    virtual std::size_t transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) = 0;

protected:
    VirtualCard() = default;
    VirtualCard(const VirtualCard&) = delete;
    VirtualCard& operator=(const VirtualCard&) = delete;
};

}  // namespace tallycard
