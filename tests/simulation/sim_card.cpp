// SPDX-License-Identifier: Apache-2.0
#include "sim_card.hpp"

#include <algorithm>

#include "card_rules.hpp"

namespace simulation {
namespace {

using namespace tallycard;

Bytes encoded(const CardMemory& memory)
{
    Bytes bytes(CardMemory::encoded_size);
    memory.encode(std::span<std::uint8_t, CardMemory::encoded_size>(bytes));
    return bytes;
}

}  // namespace

SimCard::SimCard(Environment& environment, unsigned number, TransmissionProtocol protocol,
                 const TransportKey& transport_key)
    : environment_(environment),
      number_(number),
      protocol_(protocol),
      storage_(environment.injector)
{
    CardMemory blank;
    blank.secrets.transport_key = chip::clone(transport_key);
    check(chip::SlotNvm::format(storage_, blank), "set-up", "format");
    storage_.promise(encoded(blank));
    power_on();
}

SimCard::SimCard(const SimCard& original, unsigned number)
    : holder(nullptr),
      forked(true),
      environment_(original.environment_),
      number_(number),
      protocol_(original.protocol_),
      storage_(original.environment_.injector),
      executed_(original.executed_)
{
    environment_.forked.insert(original.id());
    storage_.put_image(original.image());
    storage_.promise(encoded(original.memory()));
    power_on();
}

void SimCard::roll_back(const TornStorage::Image& image)
{
    const Injector::Pause pause(environment_.injector);
    storage_.put_image(image);
    nvm_ = std::make_unique<chip::SlotNvm>(storage_);
    nvm_->load();
    storage_.promise(encoded(nvm_->current()));
    forked = true;
    environment_.forked.insert(id());
    executed_.resize(memory().sequence);
    power_on();
}

// The card's processor starts. Power may go a second time while it does.
void SimCard::power_on()
{
    for (int attempts = 0;; ++attempts) {
        storage_.start();
        t0_.reset();
        applet_.reset();
        nvm_ = std::make_unique<chip::SlotNvm>(storage_);
        nvm_->load();
        if (!storage_.stopped() && nvm_->readable()) break;
        check(attempts < 100, "I7", "the memory is gone");
        if (storage_.stopped()) environment_.probes.reach("power cut during recovery");
    }
    applet_ = std::make_unique<chip::Applet>(*nvm_);
    t0_ = std::make_unique<chip::T0Framing>(*applet_);
    applet_->power_on();
    pin_stands_ = false;
    const auto found = encoded(nvm_->current());
    const bool promised = found == storage_.promised();
    check(promised || found == storage_.attempt(), "I7",
          "after a cut the memory is neither the old nor the new state");
    if (!promised) environment_.probes.reach("interrupted write that counts");
    storage_.promise(found);
}

void SimCard::lose_power(std::uint64_t chance)
{
    if (storage_.has_unsynced()) environment_.probes.reach("power lost with unsynced writes");
    const auto before = memory();
    storage_.lose_power(chance);
    power_on();
    check(encoded(before) == encoded(memory()), "I7", "the memory changed without a command");
}

void SimCard::reset()
{
    t0_->power_on();
    pin_stands_ = false;
}

std::vector<std::uint8_t> SimCard::process(std::span<const std::uint8_t> command)
{
    const auto before = memory();
    const auto promised = storage_.promised();
    std::array<std::uint8_t, chip::Applet::max_answer> answer{};
    const auto size = protocol_ == TransmissionProtocol::t1 ? applet_->process(command, answer)
                                                            : t0_->process(command, answer);
    Heard heard{command, {}, 0, pin_stands_, false};
    std::vector<std::uint8_t> said;
    if (storage_.stopped() || !nvm_->readable()) {
        environment_.probes.reach("card stopped during a command");
        power_on();
    } else {
        said.assign(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size));
        heard.answer = said;
        heard.sw = static_cast<std::uint16_t>(said[size - 2] << 8 | said[size - 1]);
        storage_.promise(encoded(memory()));
        follow_pin(command, heard.sw, before);
    }
    environment_.note(command);
    environment_.note(said);
    environment_.exchanges.push_back({number_, Bytes(command.begin(), command.end()), said});
    heard.changed = storage_.promised() != promised;
    look(before, heard);
    return said;
}

// Whether the PIN stands verified, as docs/protocol.md has it.
void SimCard::follow_pin(std::span<const std::uint8_t> command, std::uint16_t sw,
                         const CardMemory& before)
{
    const auto ins = command.size() > 1 ? command[1] : 0;
    const bool ok = sw == 0x9000 || sw >> 8 == 0x61;
    const bool wrong_pin = sw >> 4 == 0x63C && command.size() > 5;
    if (wrong_pin || (ins == 0xA4 && ok)) pin_stands_ = false;
    if (ins == 0x20 && sw == 0x9000 && command.size() > 5) pin_stands_ = true;
    if (memory().balance < before.balance || memory().awaits_pin) pin_stands_ = false;
}

void SimCard::look(const CardMemory& before, const Heard& heard)
{
    const auto& after = memory();
    if (heard.command.size() < 4) {
        check(!heard.changed, "I12", "half a command changed the card");
        return;
    }
    check_change(before, after, heard, environment_.signed_operations);
    if (heard.changed && after.request.size() > 0)
        environment_.requested_operations.insert(Operation::decode(after.request)->digest());
    if (after.sequence == before.sequence) return;
    const auto* entry = after.find(after.sequence);
    const auto logged = entry->executed();
    executed_.push_back(
        {logged.operation, logged.issuer_signature, after.receipt(*entry, after.sequence)});
    ++environment_.operations;
    if (heard.sw == 0) environment_.probes.reach("executed, and power cut before the answer");
    check(executed_.size() == after.sequence, "I5", "results and sequence disagree");
}

}  // namespace simulation
