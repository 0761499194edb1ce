// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/amount.hpp>
#include <tallycard/apdu.hpp>
#include <tallycard/export.hpp>
#include <tallycard/kind.hpp>
#include <tallycard/operation.hpp>
#include <tallycard/status_word.hpp>

#include "../../src/crypto/card_signer.hpp"
#include "command.hpp"
#include "command_table.hpp"
#include "nvm.hpp"

namespace tallycard::chip {

// The card's own logic: docs/protocol.md, sections 5 and 6. Bytes in, bytes out; it never fails, it
// answers. Allocates nothing and throws nothing. A refused command has changed nothing. Not
// thread-safe. The memory must outlive it.
class TALLYCARD_EXPORT Applet {
public:
    static constexpr std::size_t max_command = 4 + 1 + apdu::Command::max_data + 1;
    static constexpr std::size_t max_answer = apdu::Response::max_size;
    // Of the applet itself, with both buffers. The stack and the two memory images of SlotNvm come
    // on top: docs/architecture.md has the whole as measured.
    static const std::size_t ram_size;

    explicit Applet(Nvm& nvm) : nvm_(nvm) {}

    // Power on and reset are one to the card: what is volatile is gone.
    void power_on();

    // Answers one command APDU; returns the answer's size. The command may hold a PIN: its owner
    // erases it.
    std::size_t process(std::span<const std::uint8_t> command,
                        std::span<std::uint8_t, max_answer> out);

private:
    StatusWord handle(std::span<const std::uint8_t> bytes, Answer& answer);
    StatusWord check_state(WorksIn works_in) const;
    StatusWord run(CommandName name, const Command& command, Answer& answer);

    StatusWord select(const Command& command, Answer& answer);
    StatusWord get_challenge(Answer& answer);
    StatusWord internal_authenticate(const Command& command, Answer& answer);
    StatusWord get_data(Answer& answer);
    StatusWord get_result(const Command& command, Answer& answer);
    StatusWord get_operation(const Command& command, Answer& answer);
    StatusWord personalise(const Command& command);

    StatusWord verify(const Command& command);
    StatusWord change_reference_data(const Command& command);
    StatusWord set_pin(const Command& command);
    StatusWord pin_status() const;
    StatusWord use_try(std::span<const std::uint8_t> block);

    StatusWord request(const Command& command, Answer& answer);
    StatusWord execute(const Command& command, Answer& answer);
    StatusWord pay(const Command& command, Answer& answer);
    StatusWord check_value(Kind kind, Amount amount) const;
    StatusWord check_offline(Amount amount) const;
    StatusWord keep_request(const Operation& operation, Answer& answer);
    // `issuer_signature` is zeros for a payment.
    StatusWord apply(const Operation& operation, const Signature& issuer_signature, Answer& answer);
    StatusWord answer_receipt(const LogEntry& entry, std::uint32_t sequence, Answer& answer) const;

    const CardSigner& signer();

    Nvm& nvm_;
    bool selected_ = false;
    bool pin_verified_ = false;
    std::optional<CardSigner> signer_;  // made from the memory when it is first needed
};

inline constexpr std::size_t Applet::ram_size = sizeof(Applet) + max_command + max_answer;
static_assert(Applet::ram_size < 2 * 1024, "what a chip has to spare");

}  // namespace tallycard::chip
