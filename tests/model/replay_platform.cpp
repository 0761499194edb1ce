// SPDX-License-Identifier: Apache-2.0
// The platform's and the terminal's events of a walk.
#include <stdexcept>

#include "replay_world.hpp"

namespace testing {

using namespace tallycard;

namespace {

// The model's names of the platform's refusals.
std::string name_of(const Error& error)
{
    switch (error.code) {
    case Errc::operation_pending: return "busy";
    case Errc::card_denied: return "card_denied";
    case Errc::wrong_sequence: return "wrong_sequence";
    case Errc::unsettled: return "unsettled";
    case Errc::insufficient_funds: return "no_funds";
    case Errc::balance_too_low: return "too_low";
    case Errc::balance_limit: return "too_high";
    case Errc::evidence: return "evidence";
    case Errc::unknown_operation: return "unknown";
    default: return error.message();
    }
}

}  // namespace

std::string ReplayWorld::happen(const std::vector<std::string>& words)
{
    const auto& event = words.at(0);
    const auto& expected = words.back();
    const auto number = [&](std::size_t at) {
        return static_cast<unsigned>(std::stoul(words.at(at)));
    };
    const auto card = number(1);
    auto& seat = seats_.at(card);
    const auto run = [&]() -> std::string {
        if (event == "execute")
            return execute(seat, {card, number(2), number(3), number(4)}, expected);
        if (event == "pay") return pay(seat, number(2), expected);
        if (event == "request") return request(seat, {card, 0, number(2), number(3)}, expected);
        if (event == "result") return get_result(seat, card, number(2));
        if (event == "cut") return cut(seat, number(2));
        if (event == "commit") return commit(seat, card, expected == "sent");
        if (event == "authorise") return authorise({card, settled(seat) + 1, number(2), number(3)});
        if (event == "transfer") return authorise_transfer({card, number(2), number(3), number(4)});
        if (event == "void") return void_pending(card);
        if (event == "settle") return settle(card, number(2));
        if (event == "resolve") return resolve(card);
        throw std::runtime_error("no such event: " + event);
    };
    const auto outcome = run();
    if (event != "resolve" && outcome != expected)
        throw std::runtime_error("model " + expected + ", code " + outcome);
    return event + (event == "resolve" || event == "cut" ? "" : " " + outcome);
}

std::string ReplayWorld::signed_as(const Result<OperationStatus>& status, const Name& name)
{
    if (!status) return name_of(status.error());
    first_[name] = status->first;
    return status->progress == Progress::pending ? "signed_first" : "not pending";
}

std::string ReplayWorld::authorise(const Name& name)
{
    return signed_as(issuer_->authorise({.id = issuer_.next_id(),
                                         .card_id = seats_.at(name.card).id,
                                         .kind = kind_of(name.kind),
                                         .amount = amount_of(name),
                                         .parameter = {},
                                         .terminal = till_}),
                     name);
}

std::string ReplayWorld::authorise_transfer(const Name& name)
{
    const auto request = issuer_.transfer_request(second_.at(name), "till-1");
    return signed_as(issuer_->authorise_transfer(request), name);
}

std::string ReplayWorld::void_pending(unsigned card)
{
    const auto& seat = seats_.at(card);
    const bool before = issuer_->standing(seat.id, till_).value().voiding.has_value();
    const auto first = issuer_->void_pending(seat.id);
    if (!first) {
        const auto name = name_of(first.error());
        return name == "unknown" ? "nothing_pending" : name;
    }
    first_[{card, settled(seat) + 1, model_void, 0}] = *first;
    return before ? "again" : "signed_first";
}

std::string ReplayWorld::settle(unsigned card, unsigned sequence)
{
    const auto& seat = seats_.at(card);
    const bool before = sequence <= settled(seat);
    const auto entries = issuer_->ledger_head().value().size;
    const auto settlement = issuer_.settle(third_.at(std::tuple(card, sequence)));
    if (!settlement) return name_of(settlement.error());
    const bool grown = issuer_->ledger_head().value().size > entries;
    if (grown != (settlement->settled && !before))
        throw std::runtime_error("I11: an entry for each settled result, once");
    if (!settlement->settled) return "was_kept";
    return before ? "again" : "was_settled";
}

std::string ReplayWorld::resolve(unsigned card)
{
    auto& seat = seats_.at(card);
    const auto before = settled(seat);
    const auto resolution = terminal_.resolve(*seat.card);
    if (!resolution) throw std::runtime_error("resolve: " + resolution.error().message());
    if (resolution->standing.is_pending())
        throw std::runtime_error("I9: an operation has not ended");
    // What the contact made the card and the platform sign is on the medium too.
    for (auto sequence = before + 1; sequence <= settled(seat); ++sequence) {
        const auto entry = issuer_->prove(seat.id, sequence + seat.base).value().entry;
        const auto& record = *entry.record();
        keep_receipt(seat, card, record.receipt);
        if (record.operation.kind == Kind::cancel)
            first_[{card, sequence, model_void, 0}] = {record.operation, *record.issuer_signature};
    }
    return "resolved";
}

}  // namespace testing
