// SPDX-License-Identifier: Apache-2.0
// A terminal between a card and a platform, on links that lose, change, repeat and make up whatever
// passes; another till is at the same card now and then. Each operation ends applied, not applied
// or in doubt: applied only with a receipt that the card signed and whose operation is in its log;
// not applied never where the platform has settled it, or may yet. A debit is delivered by the till
// that asked for it alone, and a PIN given for what its holder was shown.
#pragma once

#include <optional>
#include <vector>

#include <tallycard/terminal.hpp>

#include "hostile_link.hpp"
#include "issuer_world.hpp"
#include "lossy_issuer.hpp"

namespace fuzz {

class Till {
public:
    explicit Till(Input& input, tallycard::OperationJournal* journal = nullptr);

    // One of the things that a terminal does, as the input says.
    void operate();
    // Everybody tells the truth from here on.
    void end();

protected:
    Input& input() { return input_; }
    IssuerWorld& world() { return world_; }
    tallycard::Terminal& terminal() { return terminal_; }
    tallycard::CardLink& link() { return link_; }
    static tallycard::AccountId name() { return account_of("till-1"); }
    // The terminal is about to be called; where it has a PIN for one operation that the call does
    // not name, that is the first that it gives it for.
    void begin_call(bool has_pin_for_one = false);
    // A stranger has written to the journal: it may have another terminal's operation.
    void trust_no_journal() { is_watched_ = false; }
    const tallycard::chip::CardMemory& card() const { return card_.now(); }
    static tallycard::TerminalSettings settings(const tallycard::AccountId& name,
                                                tallycard::OperationJournal* journal);

    tallycard::OperationId id() { return id_of<tallycard::OperationId>(1 + input_.byte() % 6u); }
    std::int64_t units();
    tallycard::HolderPin pin();
    // Whether the card has executed it: in its log, or so long ago that its log does not say.
    bool is_in_log(const tallycard::Operation& operation) const;
    void check_applied(const tallycard::Applied& applied) const;

private:
    // What a PIN is given for.
    struct Meant {
        tallycard::Kind kind;
        tallycard::Amount amount;
        tallycard::AccountId account;
        friend bool operator==(const Meant&, const Meant&) = default;
    };

    void check(const tallycard::OperationId& id, const tallycard::Outcome& outcome);
    void hear(std::span<const std::uint8_t> command);
    void hear_execute(std::span<const std::uint8_t> data);
    void check_meant(const Meant& said);
    void debit(tallycard::Terminal& terminal, tallycard::Kind kind,
               const tallycard::OperationId& id, tallycard::Amount amount);
    void ask_elsewhere(tallycard::Amount amount);
    void transfer_in(const tallycard::OperationId& id, tallycard::Amount amount,
                     const tallycard::AccountId& from);
    void pay(const tallycard::OperationId& id, tallycard::Amount amount,
             const tallycard::AccountId& payee);
    void settle();
    void administer(const tallycard::OperationId& id);
    void card_to_card(const tallycard::OperationId& id, tallycard::Amount amount);
    void look();
    void change_pin();

    IssuerWorld world_;
    Input& input_;
    MemoryCard card_;
    HostileLink link_;
    LossyIssuer issuer_;
    tallycard::Terminal terminal_, other_;
    tallycard::AccountId caller_ = name();
    std::optional<Meant> meant_;
    bool may_mean_any_ = false, pin_is_given_ = false, is_watched_ = true;
    std::optional<tallycard::PinBlock> right_pin_, wrong_pin_;
    std::vector<tallycard::Applied> paid_;
};

}  // namespace fuzz
