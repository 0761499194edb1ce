// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <tallycard/instructions.hpp>
#include <tallycard/reader.hpp>

#include "../../virtual-card/applet/applet.hpp"
#include "../../virtual-card/applet/t0_framing.hpp"
#include "environment.hpp"
#include "torn_storage.hpp"

namespace simulation {

using tallycard::CardId;
using tallycard::Operation;
using tallycard::Receipt;
using tallycard::chip::CardMemory;

struct Heard;

// An operation that a card executed, seen in its memory and not in what it says.
struct Executed {
    Operation operation;
    std::optional<tallycard::Signature> issuer_signature;  // absent for a payment
    Receipt receipt;
    tallycard::ExecutedOperation logged() const { return {operation, issuer_signature}; }
};

// The real applet over memory that fails, watched: after each command and each power-on the memory
// is compared with what may be in it.
class SimCard {
public:
    SimCard(Environment& environment, unsigned number, tallycard::TransmissionProtocol protocol,
            const tallycard::TransportKey& transport_key);
    // A clone: the same memory in another chip.
    SimCard(const SimCard& original, unsigned number);
    SimCard& operator=(const SimCard&) = delete;

    // Answers a command; empty when the card stopped meanwhile. It is powered again then.
    std::vector<std::uint8_t> process(std::span<const std::uint8_t> command);
    void lose_power(std::uint64_t chance);
    void reset();

    unsigned number() const { return number_; }
    tallycard::TransmissionProtocol protocol() const { return protocol_; }
    const CardMemory& memory() const { return nvm_->current(); }
    bool readable() const { return nvm_->readable(); }
    CardId id() const { return memory().card_id; }
    std::int64_t balance() const
    {
        return static_cast<std::int64_t>(memory().balance.to_minor_units());
    }
    const std::vector<Executed>& executed() const { return executed_; }

    // What a thief keeps, and puts back.
    TornStorage::Image image() const { return storage_.image(); }
    void roll_back(const TornStorage::Image& image);

    const void* holder = nullptr;  // which link has begun
    bool forked = false;           // cloned or rolled back: what it says contradicts itself

private:
    void power_on();
    void look(const CardMemory& before, const Heard& heard);
    void follow_pin(std::span<const std::uint8_t> command, std::uint16_t sw,
                    const CardMemory& before);

    Environment& environment_;
    unsigned number_;
    tallycard::TransmissionProtocol protocol_;
    TornStorage storage_;
    std::unique_ptr<tallycard::chip::SlotNvm> nvm_;
    std::unique_ptr<tallycard::chip::Applet> applet_;
    std::unique_ptr<tallycard::chip::T0Framing> t0_;
    std::vector<Executed> executed_;
    bool pin_stands_ = false;
};

}  // namespace simulation
