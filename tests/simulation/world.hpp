// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/ledger_verifier.hpp>
#include <tallycard/operation_journal.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/terminal.hpp>

#include "auditor.hpp"
#include "merchants.hpp"
#include "network.hpp"
#include "plan.hpp"
#include "sim_link.hpp"

namespace simulation {

// A business operation that a terminal's program keeps until it knows how it ended.
struct Intent {
    enum class State : std::uint8_t { open, applied, not_applied, given_up };

    OperationId id;
    Action action{};
    CardId card_id;
    std::size_t card = 0, other = 0;  // of World's cards
    std::size_t terminal = 0;
    Amount amount;
    Kind kind = Kind::cancel;  // of an administrative one
    Parameter parameter;
    AccountId account;  // that gives or takes, where it is a merchant's
    std::optional<PaymentName> refunds;
    bool with_pin = false;
    Asked asked = Asked::first_time;
    std::uint32_t sequence = 0;  // of the card when it began
    State state = State::open;
    bool busy = false;  // its program is at it: nobody else has its id
};

// An order that its owner, or the operator, keeps until they know how it ended.
struct OrderIntent {
    SignedOrder order;
    std::size_t terminal = 0;  // whose way to the platform it takes
    Intent::State state = Intent::State::open;
    bool busy = false;  // somebody is at it
};

// What one world did, for the totals.
struct WorldReport {
    std::size_t steps = 0;
    std::uint64_t operations = 0, entries = 0, trace = 0;
    std::array<std::uint64_t, fault_kinds> injected{};
    Probes probes;
};

// Terminals, cards and the platform of one plan.
class World {
public:
    using Tell = std::function<void(const std::string&)>;

    // `folder` is for the few files that are real ones; one world at a time in it.
    World(const Plan& plan, const std::string& folder, Tell tell = {});
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    // Throws Violation.
    void run();
    std::size_t step_number() const { return step_number_; }  // where it is, for a failure
    WorldReport report() const;

private:
    struct TerminalProgram {
        AccountId name;
        std::unique_ptr<Network> network;
        std::unique_ptr<Terminal> terminal;
        std::string journal_path;
        std::unique_ptr<OperationJournal> journal;
        DenyList deny_list;  // as far as it was fetched
    };
    struct Backup {
        MemoryDisk::Copy files;
        std::uint64_t entries = 0;
    };
    struct KeptImage {
        std::size_t card = 0;
        TornStorage::Image image;
        std::uint32_t sequence = 0;
    };

    void set_up();
    void fund(Random& random);
    void issue(std::size_t number, const Limits& limits);
    void step(const Step& step);
    void act(const Step& step);
    void act_alone(const Step& step);
    void intrude(std::uint64_t seed);
    void check_now();

    // value_actions.cpp
    Intent make_intent(const Step& step) const;
    void begin_operation(const Step& step);
    void ask_again(const Step& step);
    void ask(std::size_t intent);
    Outcome ask_card(const Intent& intent, TerminalProgram& program, CardLink& link);
    void pay(std::size_t intent);
    void card_to_card(std::size_t intent);
    void conclude(Intent& intent, const Outcome& outcome);
    void check_applied(const Intent& intent, const Applied& applied) const;
    void check_intents() const;
    void forward(TerminalProgram& program);
    template <class Write>
    void write_journal(TerminalProgram& program, Write&& write);
    void start_program(TerminalProgram& program);

    // other_actions.cpp
    void resolve(const Step& step, bool cancel);
    void set_pin(SimCard& target, TerminalProgram& program);
    void verify_pin(const Step& step);
    void deny(const Step& step, bool denied);
    void checkpoint();
    void back_up();
    void restore_backup(const Step& step);
    void clone_card(const Step& step);
    void keep_image(const Step& step);
    void roll_back_card(const Step& step);
    void issue_card(const Step& step);
    void deliver_late(const Step& step);

    // account_actions.cpp
    void open_accounts(Random& random);
    void ask_order_again(const Step& step);
    void order(const Step& step);
    void operate(const Step& step);
    // Signed by the account's owner where the kind wants that.
    std::optional<SignedOrder> sign_order(const AccountOrder& order);
    AccountOrder draft(OrderKind kind, const AccountId& account, std::uint64_t seed);
    void begin_order(const AccountOrder& order, std::size_t terminal);
    void ask_order(std::size_t number);
    void check_orders() const;
    static std::int64_t pick_debit(const AccountRow& row, Random& random);
    static constexpr std::size_t most_merchants = 3;
    static OrderKind pick_order(const AccountRow& row, Random& random);
    AccountRow account_row(const AccountName& name);
    std::shared_ptr<AccountSigner> owner_of(const AccountId& account);
    Merchant& merchant(std::uint64_t number) { return merchants_[number % merchants_.size()]; }
    Merchant* merchant_of(const AccountId& account);

    // consent_actions.cpp
    void begin_refund(const Step& step);
    void misuse_consent(const Step& step);
    void forge_order(const Step& step);
    std::optional<SecondInstruction> ask_for_transfer(SimCard& target, const AccountId& from,
                                                      Amount amount);
    std::optional<Signature> some_word(const Operation& operation, Random& random);
    enum class Misuse : std::uint8_t {
        nothing,
        own_key,
        another_operation,
        another_owner,
        another_issuer,
        replaced_key,
    };
    std::shared_ptr<AccountSigner> stolen_key(Merchant& owner, std::uint64_t seed);
    std::optional<Signature> false_consent(Misuse how, const Operation& operation, Merchant& owner,
                                           const Step& step);
    std::optional<Signature> false_word(const AccountOrder& order, Merchant& owner, Random& random);
    std::optional<SignedOrder> executed_order(const AccountId& account) const;
    bool spoil_order(AccountOrder& order, Random& random);

    // lost_cards.cpp
    void spend_unseen(const Step& step);
    void sign_unseen(SimCard& target, Random& random);
    void transfer_unseen(SimCard& target, Random& random);
    void execute_unseen(SimCard& target, const FirstInstruction& first, const AccountId& till);
    enum class Fate : std::uint8_t { now, later, never };
    bool pay_unseen(SimCard& target, Random& random);
    bool pay_unseen(SimCard& target, Random& random, Fate fate);
    std::vector<GapRow> open_gaps(const CardId& card_id);
    void lie_about_gap(SimCard& liar, Random& random);
    void late_receipts(const Step& step);
    void declare_lost(const Step& step);
    void recover(const Step& step);
    void recover_holder(const CardRow& row, const Step& step);
    void write_off(const Step& step);
    void wait(const Step& step);
    void pass(std::chrono::milliseconds time);
    void break_clock(Random& random);
    void close_gaps(const Step& step);
    void fetch_deny_list(const Step& step);
    std::vector<std::uint32_t> missing_results(const SimCard& card) const;
    void hand_in_gaps(const SimCard& card);
    std::optional<CardRow> card_row(const CardId& card_id);

    // hostile_actions.cpp
    void replay_to_card(const Step& step);
    void made_up_to_card(const Step& step);
    void replay_to_platform(const Step& step);
    void made_up_to_platform(const Step& step);
    // rogue_actions.cpp
    void overreach(const Step& step);
    void broken_card(const Step& step);
    void ask_too_much(const Step& step);
    void overdraw_pin(const Step& step);
    void swap_requests(const Step& step);
    void select(SimCard& card);
    // Unknown while the disk refuses and a commit is in doubt.
    std::optional<std::uint64_t> ledger_size();
    bool ledger_changed(std::optional<std::uint64_t> size);
    Result<Settlement> submit(const Receipt& receipt,
                              const std::optional<ExecutedOperation>& executed);
    // Asks without a terminal's program. Empty where it was not signed.
    std::optional<FirstInstruction> ask_as_thief(const TransferRequest& request);

    // end.cpp
    void settle_down();
    void resolve_card(SimCard& card);
    void end_orders();
    void check_ledger();
    void check_report(const LedgerReport& report) const;
    void check_journals();

    SimCard& card(std::size_t number) { return *cards_[number % cards_.size()]; }
    TerminalProgram& program(std::size_t number) { return programs_[number % programs_.size()]; }
    Auditor::Cards issued_cards() const;
    bool is_forked(const CardId& card_id) const;

    const Plan& plan_;
    std::string folder_;
    Environment environment_;
    PlatformHost host_;
    Auditor auditor_;
    LateCalls late_;
    std::vector<std::unique_ptr<SimCard>> cards_;
    std::vector<TerminalProgram> programs_;
    std::vector<Merchant> merchants_;
    std::vector<Intent> intents_;
    std::deque<OrderIntent> orders_;
    std::vector<Submission> drawer_;  // receipts that somebody still has
    std::set<CardPlace> gone_;        // those that nobody has
    std::vector<Backup> backups_;
    std::vector<KeptImage> images_;
    const Step* current_ = nullptr;
    std::size_t step_number_ = 0;
    std::size_t running_ = 0;  // whose program it is that may die
    int depth_ = 0;
};

AccountId shop();                             // open from the beginning
AccountId merchant_name(std::size_t number);  // 0 is shop()
AccountId thief();                            // no terminal of the world's programs
Bytes command_of(apdu::Header header, std::span<const std::uint8_t> data, bool has_le);
PinBlock pin_of(const char* digits);
OperationId operation_id(std::uint64_t seed);

}  // namespace simulation
