// SPDX-License-Identifier: Apache-2.0
#include "replay_world.hpp"

#include <stdexcept>
#include <utility>

#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/wire.hpp"

namespace testing {

using namespace tallycard;
namespace command = wire::command;

namespace {

[[noreturn]] void differ(const std::string& what)
{
    throw std::runtime_error(what);
}

void expect(bool holds, const char* what)
{
    if (!holds) differ(what);
}

template <class T>
void same(const char* what, T model, T code)
{
    if (model != code)
        differ(std::string(what) + ": model " + std::to_string(model) + ", code " +
               std::to_string(code));
}

TransportKey transport_key(std::uint8_t number)
{
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(number);
    return TransportKey(bytes);
}

// The model's names of the status words.
std::string name_of(std::uint16_t sw)
{
    switch (sw) {
    case 0x9000: return "again";
    case 0x9401: return "too_low";
    case 0x9402: return "too_high";
    case 0x9404: return "not_next";
    case 0x9407: return "offline_limit";
    case 0x9408: return "no_request";
    default: return "status " + std::to_string(sw);
    }
}

}  // namespace

ReplayWorld::ReplayWorld(const Settings& settings)
    : terminal_(*issuer_, {.card_root = root_.public_key(),
                           .name = test::account_id("till-1"),
                           .observer = nullptr})
{
    issuer_.open_account(account_).value();
    issue(0, settings);
    issue(1, settings);
    // The world that the model begins with.
    const auto amount = Amount::minor_units(settings.start * minor_units);
    const auto top_up = [&](Seat& seat) {
        const auto outcome = terminal_.top_up(*seat.card, issuer_.next_id(), amount);
        expect(std::holds_alternative<Applied>(outcome), "top-up before the walk");
    };
    top_up(seats_[0]);
    const auto outcome =
        terminal_.transfer_out(*seats_[0].card, issuer_.next_id(), amount, account_);
    expect(std::holds_alternative<Applied>(outcome), "transfer before the walk");
    top_up(seats_[0]);
    top_up(seats_[1]);
    for (auto& seat : seats_) seat.base = seat.card->now().sequence;
}

void ReplayWorld::issue(std::uint8_t number, const Settings& settings)
{
    auto& seat = seats_.at(number);
    const auto key = transport_key(number);
    seat.card = std::make_unique<TornCard>(key);
    const auto all =
        Balance::minor_units(static_cast<std::uint64_t>(settings.maximum_balance * minor_units));
    CardOrder order;
    order.limits = {.maximum_balance = all,
                    .maximum_amount = all,
                    .pin_above = all,
                    .offline_payments = settings.offline_payments,
                    .offline_total = all};
    seat.id = issue_card(*issuer_, root_, *seat.card, key, order).value().card_id;
}

Kind ReplayWorld::kind_of(unsigned kind)
{
    return kind == model_void ? Kind::cancel : static_cast<Kind>(kind);
}

// The model's number of an operation.
unsigned ReplayWorld::code_of(const std::optional<FirstInstruction>& first)
{
    if (!first) return 0;
    const auto& [kind, amount] = std::pair(first->operation.kind, first->operation.amount);
    if (kind == Kind::cancel) return model_void;
    return static_cast<unsigned>(amount.magnitude() / minor_units) * 8 +
           static_cast<unsigned>(kind);
}

Amount ReplayWorld::amount_of(const Name& name) const
{
    const auto size = Amount::minor_units(name.amount * minor_units);
    return is_debit(kind_of(name.kind)) ? -size : size;
}

unsigned ReplayWorld::settled(const Seat& seat)
{
    return issuer_->standing(seat.id, till_).value().settled - seat.base;
}

void ReplayWorld::keep_receipt(const Seat& seat, unsigned card, const Receipt& receipt)
{
    const auto sequence = receipt.result.sequence;
    const auto* entry = seat.card->now().find(sequence);
    expect(entry != nullptr, "the result is in the log");
    const auto executed = entry->executed();
    Submission submission{receipt, {}, till_};
    if (executed.operation.kind == Kind::payment) submission.executed = executed;
    const auto [known, added] =
        third_.try_emplace(std::tuple(card, sequence - seat.base), submission);
    expect(added || known->second.receipt == receipt, "the same result again has the same bytes");
}

std::string ReplayWorld::unchanged(Seat& seat, const Bytes& bytes, Reply& reply)
{
    const auto before = seat.card->memory();
    reply = seat.card->send(bytes).value();
    expect(seat.card->memory() == before, "the card's memory is as it was");
    return name_of(reply.sw);
}

std::string ReplayWorld::execute(Seat& seat, const Name& name, const std::string& expected)
{
    const auto bytes = command_apdu(command::execute, first_.at(name).encode().bytes(), 0);
    seat.asked.reset();
    if (expected == "begun") return seat.doing = bytes, expected;
    Reply reply;
    const auto outcome = unchanged(seat, bytes, reply);
    if (outcome == "again") keep_receipt(seat, name.card, Receipt::decode(reply.data).value());
    return outcome;
}

std::string ReplayWorld::pay(Seat& seat, std::int64_t amount, const std::string& expected)
{
    const PayData order{Amount::minor_units(-amount * minor_units),
                        issuer_.description().currency.unit,
                        Nonce(test::id_of<OperationId>(++nonces_).bytes()), account_};
    const auto bytes = command_apdu(command::pay, order.encode(), 0);
    seat.asked.reset();
    if (expected == "begun") return seat.doing = bytes, expected;
    Reply reply;
    return unchanged(seat, bytes, reply);
}

std::string ReplayWorld::request(Seat& seat, const Name& name, const std::string& expected)
{
    const auto& account = kind_of(name.kind) == Kind::cash_out ? till_ : account_;
    const RequestData data{amount_of(name), issuer_.description().currency.unit, account};
    auto header = command::request;
    header.p1 = static_cast<std::uint8_t>(name.kind);
    const auto bytes = command_apdu(header, data.encode(), 0);
    auto asked = name;
    asked.sequence = seat.card->now().sequence - seat.base + 1;
    seat.asked = asked;
    if (expected == "begun") return seat.doing = bytes, expected;
    Reply reply;
    const auto outcome = unchanged(seat, bytes, reply);
    if (outcome == "again") second_[asked] = SecondInstruction::decode(reply.data).value();
    return outcome;
}

std::string ReplayWorld::get_result(Seat& seat, unsigned card, unsigned sequence)
{
    const auto number = sequence + seat.base;
    const Bytes data{0, 0, 0, static_cast<std::uint8_t>(number)};
    Reply reply;
    const auto outcome = unchanged(seat, command_apdu(command::get_result, data, 0), reply);
    if (outcome != "again") return outcome;
    keep_receipt(seat, card, Receipt::decode(reply.data).value());
    return "was_sent";
}

// The model's writes 1 to 4 are parts of the one write of a slot: the part before is there.
std::string ReplayWorld::cut(Seat& seat, unsigned write)
{
    const auto before = seat.card->memory();
    seat.card->cut_next_write(
        {.kept = (write - 1) * chip::SlotNvm::slot_size / 4, .garbage = ++tears_ % 2 == 0});
    expect(!seat.card->send(std::exchange(seat.doing, {})),
           "the power fails while the command writes");
    expect(seat.card->memory() == before, "I7: after the cut the memory is the old one");
    return std::to_string(write);
}

std::string ReplayWorld::commit(Seat& seat, unsigned card, bool sent)
{
    const auto before = seat.card->memory();
    // Lost: the answer, or with the last byte written the power before there was one.
    if (!sent && ++tears_ % 2 == 0) seat.card->cut_next_write({.kept = chip::SlotNvm::slot_size});
    const auto reply = seat.card->send(std::exchange(seat.doing, {}));
    if (!sent) seat.card->power_on();
    expect(!reply || reply->sw == 0x9000, "the card does what the model's does");
    expect(seat.card->memory() != before, "I7: after the last write the memory is the new one");
    if (!sent) return "lost";
    if (seat.asked)
        second_[*seat.asked] = SecondInstruction::decode(reply->data).value();
    else
        keep_receipt(seat, card, Receipt::decode(reply->data).value());
    return "sent";
}

void ReplayWorld::check_card(const std::vector<std::string>& words)
{
    const auto value = [&](std::size_t at) { return std::stoll(words.at(at)); };
    auto& seat = seats_.at(std::stoul(words.at(1)));
    const auto& card = seat.card->now();
    const auto number = [](auto n) { return static_cast<long long>(n); };
    // The model's card may be anywhere between its writes; ours does them at the end.
    if (seat.doing.empty()) {
        same("balance", value(3), number(card.balance.to_minor_units()) / minor_units);
        same("sequence", value(5), number(card.sequence - seat.base));
    }
    const auto standing = issuer_->standing(seat.id, till_).value();
    expect(!standing.withheld, "the terminal that asked sees what is pending");
    same("settled", value(7), number(standing.settled - seat.base));
    same("booked", value(9), number(standing.balance.to_minor_units()) / minor_units);
    same("pending", value(11), number(code_of(standing.pending)));
    same("voiding", value(13), number(standing.voiding.has_value()));
}

void ReplayWorld::check_books(const std::vector<std::string>& words)
{
    const auto row_of = [&](const AccountName& name) {
        return issuer_->account(name).value().value_or(AccountRow{.name = name});
    };
    const auto value = [&](std::size_t at) { return std::stoll(words.at(at)) * minor_units; };
    const auto cash = row_of({AccountKind::cash, till_});
    const auto account = row_of({AccountKind::associated, account_});
    same<long long>("cash", value(2), cash.balance);
    same<long long>("cash reserved", value(4), cash.reserved);
    same<long long>("account", value(6), account.balance);
    same<long long>("account reserved", value(8), account.reserved);
    same<long long>("I3: the sum of the books", 0, issuer_.sum_of_books());
}

}  // namespace testing
