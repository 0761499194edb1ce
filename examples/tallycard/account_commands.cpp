// SPDX-License-Identifier: Apache-2.0
// account: what the owner of an account orders; issuer adjust, recover and others: what the issuer
// orders alone.
#include <tallycard/key_file.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "keys.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Office;
using workplace::Signing;

namespace {

constexpr auto account_rule = "account (1 to 34 printable characters, no space)";
constexpr auto outside_rule = "name outside (1 to 34 printable characters, no space)";

// One order, from the options to the platform. Its functions throw ResultError.
class OrderDesk {
public:
    explicit OrderDesk(const Options& options)
        : office_(options, options.sign_only ? Signing::no : Signing::yes),
          options_(options),
          secrets_(options),
          id_(workplace::operation_id(options))
    {
    }
    Office& office() { return office_; }
    const Currency& currency() const { return office_.issuer().currency; }
    Amount amount() const { return parse_amount(options_.amount, currency()).value(); }

    AccountOrder order(OrderKind kind, const AccountId& account) const
    {
        AccountOrder order{.kind = kind,
                           .account = account,
                           .number = 0,
                           .amount = {},
                           .unit = currency().unit,
                           .id = id_};
        if (options_.reference.empty()) return order;
        order.reference = Reference::parse(options_.reference);
        if (!order.reference)
            refuse("--reference (1 to 64 bytes of text without control characters)");
        return order;
    }
    AccountOrder order(OrderKind kind) const
    {
        return order(kind, workplace::account(options_.account, account_rule));
    }

    // Signs it with the owner's key where the kind wants that, and executes it, or prints it.
    Report give(AccountOrder order)
    {
        if (needs_reference(order.kind) && !order.reference)
            refuse("--reference (an order of the issuer alone says why)");
        // Another order may have been first: its number is taken, ours is the next one.
        for (int tries = 5;; --tries) {
            order.number = next_number(order);
            if (!order.valid()) refuse("this order (see --help)");
            const SignedOrder made{order, owners_word(order)};
            if (options_.sign_only) return to_carry(made);
            const auto done = office_.client().execute(made);
            if (done) return report(*done);
            if (done.error().effect == Effect::unknown)
                return still_in_doubt(done.error(), id_.to_string());
            if (done.error().code != Errc::wrong_order_number || tries == 0)
                return report_of(done.error());
        }
    }
    Report submit(const SignedOrder& carried)
    {
        const auto done = office_.client().execute(carried);
        return done ? report(*done) : report_of(done.error());
    }
    keys::Secrets& secrets() { return secrets_; }

private:
    [[noreturn]] static void refuse(const char* what)
    {
        raise(Error{.code = Errc::malformed, .where = what});
    }

    // Terminals number their orders apart: of the accounts, the rows have it.
    std::uint32_t next_number(const AccountOrder& order)
    {
        if (order.kind == OrderKind::hand_in) {
            for (const auto& row : office_.accounts())
                if (row.name == cash_account(order.account)) return row.number + 1;
            return 1;
        }
        const auto standing = office_.client().account_standing(order.account);
        if (standing) return standing->number + 1;
        if (standing.error().code == Errc::unknown_account) return 1;
        raise(standing.error());
    }

    std::optional<Signature> owners_word(const AccountOrder& order)
    {
        if (!needs_owner(order.kind)) return std::nullopt;
        if (!signer_) {
            if (options_.account_key.empty()) refuse("--account-key (the owner signs this order)");
            signer_ = keys::open_account_key(options_.account_key, secrets_);
        }
        return signer_->sign(office_.issuer().card_root, order).value();
    }

    Report to_carry(const SignedOrder& made) const
    {
        auto text = to_hex(made.order.encode());
        Json json{{"order", text}};
        if (made.owner) {
            text += ' ' + made.owner->to_string();
            json["owner_signature"] = made.owner->to_string();
        }
        return {text, json, exit_code::done};
    }

    Report report(const ExecutedOrder& done) const
    {
        const auto& order = done.record.order;
        auto text = std::string(name(order.kind)) + ' ' + account_of(order).to_string();
        if (order.amount != Amount{}) text += ' ' + to_string(order.amount, currency());
        text += ": done, order " + std::to_string(order.number) + ", entry " +
                std::to_string(done.ledger_index);
        return {text,
                {{"outcome", "applied"},
                 {"id", order.id.to_string()},
                 {"kind", name(order.kind)},
                 {"account", account_of(order).to_string()},
                 {"number", order.number},
                 {"amount", amount_json(order.amount, currency())},
                 {"time", done.time.time_since_epoch().count()},
                 {"ledger_index", done.ledger_index},
                 {"record", to_hex(done.record.encode())}},
                exit_code::done};
    }

    Office office_;
    const Options& options_;
    keys::Secrets secrets_;
    OperationId id_;
    std::unique_ptr<AccountSigner> signer_;
};

Report new_key(const Options& options)
{
    keys::Secrets secrets(options);
    const auto& passphrase = secrets.new_passphrase("New passphrase for the account's key");
    const auto key = create_key_file(options.file, KeyRole::account, passphrase).value();
    return {"account key " + key.to_string() + " made in " + options.file,
            {{"file", options.file}, {"public_key", key.to_string()}},
            exit_code::done};
}

Report show(const Options& options)
{
    Office office(options, Signing::no);
    const auto& currency = office.issuer().currency;
    const auto account = workplace::account(options.account, account_rule);
    const auto standing = office.client().account_standing(account).value();
    const auto money = [&](std::int64_t n) { return to_string(Amount::minor_units(n), currency); };
    auto text = "account " + options.account + ": " + money(standing.balance);
    if (standing.reserved != 0) text += ", of it " + money(standing.reserved) + " promised";
    if (standing.key) {
        text += "; owner's key " + standing.key->to_string();
    } else {
        text += card_of_holder_account(account) ? "; its card's alone" : "; nobody has opened it";
    }
    Json json{{"account", options.account},
              {"balance", amount_json(Amount::minor_units(standing.balance), currency)},
              {"reserved", amount_json(Amount::minor_units(standing.reserved), currency)},
              {"number", standing.number}};
    if (standing.key) json["key"] = standing.key->to_string();
    return {text, json, exit_code::done};
}

// The account becomes that of the key, which signs.
Report give_to_key(const Options& options, OrderKind kind)
{
    OrderDesk desk(options);
    auto order = desk.order(kind);
    if (options.account_key.empty())
        raise(Error{.code = Errc::malformed, .where = "--account-key (the account's new key)"});
    order.key = keys::open_account_key(options.account_key, desk.secrets())->public_key();
    return desk.give(order);
}

Report open_account(const Options& options)
{
    return give_to_key(options, OrderKind::open);
}

Report reset_key(const Options& options)
{
    return give_to_key(options, OrderKind::reset_key);
}

Report replace_key(const Options& options)
{
    OrderDesk desk(options);
    auto order = desk.order(OrderKind::replace_key);
    const auto key = PublicKey::parse(options.new_account_key);
    order.key =
        key ? *key : keys::open_account_key(options.new_account_key, desk.secrets())->public_key();
    return desk.give(order);
}

AccountId outside(const Options& options)
{
    return workplace::account(options.outside, outside_rule);
}

Report pay_in(const Options& options)
{
    OrderDesk desk(options);
    auto order = desk.order(OrderKind::pay_in);
    order.amount = desk.amount();
    order.other = outside(options);
    return desk.give(order);
}

Report pay_out(const Options& options)
{
    OrderDesk desk(options);
    auto order = desk.order(OrderKind::pay_out);
    order.amount = -desk.amount();
    order.other = outside(options);
    return desk.give(order);
}

Report move_money(const Options& options)
{
    OrderDesk desk(options);
    auto order = desk.order(OrderKind::move);
    order.amount = -desk.amount();
    order.other = workplace::account(options.to, account_rule);
    return desk.give(order);
}

Report close_account(const Options& options)
{
    OrderDesk desk(options);
    return desk.give(desk.order(OrderKind::close));
}

Report submit(const Options& options)
{
    std::vector<std::uint8_t> bytes(options.signed_order.size() / 2);
    const bool is_hex = detail::from_hex(options.signed_order, bytes);
    if (!is_hex) raise(Error{.code = Errc::malformed, .where = "order (lower-case hex)"});
    const auto order = AccountOrder::decode(bytes).value();
    SignedOrder carried{order, std::nullopt};
    if (!options.owner_signature.empty()) {
        carried.owner = Signature::parse(options.owner_signature);
        if (!carried.owner)
            raise(Error{.code = Errc::malformed, .where = "signature (128 hex digits)"});
    }
    return OrderDesk(options).submit(carried);
}

// Into the account from outside, or out of it: --from or --to.
Report issuers(const Options& options, OrderKind kind)
{
    OrderDesk desk(options);
    auto order = desk.order(kind);
    const bool into = !options.from.empty();
    order.amount = into ? desk.amount() : -desk.amount();
    order.other = workplace::account(into ? options.from : options.to, outside_rule);
    return desk.give(order);
}

Report adjust(const Options& options)
{
    return issuers(options, OrderKind::adjust);
}

// --to: the till's cash goes there, and it owes less; --from: it gets cash, and owes more.
Report hand_in(const Options& options)
{
    OrderDesk desk(options);
    auto order = desk.order(OrderKind::hand_in);
    const bool brings = !options.to.empty();
    order.amount = brings ? desk.amount() : -desk.amount();
    order.other = workplace::account(brings ? options.to : options.from, outside_rule);
    return desk.give(order);
}

Report of_card(const Options& options, OrderKind kind)
{
    OrderDesk desk(options);
    const auto card = workplace::card_id(options.card);
    auto order = desk.order(kind);
    order.other = card_account(card).id;
    if (kind == OrderKind::write_off) return desk.give(order);
    order.amount = options.everything ? Amount::minor_units(desk.office().recoverable(card).free)
                                      : desk.amount();
    return desk.give(order);
}

Report recover(const Options& options)
{
    if (options.everything == !options.amount.empty())
        raise(Error{.code = Errc::malformed, .where = "--amount or --all (one of them)"});
    return of_card(options, OrderKind::recover);
}

Report recover_holder(const Options& options)
{
    return of_card(options, OrderKind::recover_holder);
}

Report write_off(const Options& options)
{
    return of_card(options, OrderKind::write_off);
}

Report declare_lost(const Options& options)
{
    Office office(options, Signing::yes);
    const auto& currency = office.issuer().currency;
    const auto card = workplace::card_id(options.card);
    office.declare_lost(card);
    const auto found = office.recoverable(card);
    const auto money = [&](std::int64_t n) { return Amount::minor_units(n); };
    const auto text = [&](std::int64_t n) { return to_string(money(n), currency); };
    auto lines = "card " + options.card + " is denied; its book has " + text(found.book) + ": " +
                 text(found.free) + " can be recovered now";
    if (found.held_back > 0) {
        lines += ", " + text(found.held_back) + " from " + utc(found.held_until) +
                 " on, since the card may still spend that offline";
    }
    if (found.kept > 0) lines += ", " + text(found.kept) + " was spent: its receipts wait";
    return {lines,
            {{"card", options.card},
             {"book", amount_json(money(found.book), currency)},
             {"recoverable", amount_json(money(found.free), currency)},
             {"held_back", amount_json(money(found.held_back), currency)},
             {"held_until", found.held_back > 0 ? Json(utc(found.held_until)) : Json()},
             {"kept", amount_json(money(found.kept), currency)}},
            exit_code::done};
}

Report close_gaps(const Options& options)
{
    const auto made = Office(options, Signing::yes).close_gaps();
    return {counted(made, "gap") + " made", {{"gaps", made}}, exit_code::done};
}

// `--to` or `--from`, one of them.
void to_or_from(CLI::App& command, Options& options, const char* to, const char* from)
{
    auto& side = *command.add_option_group("The other side");
    side.add_option("--to", options.to, to);
    side.add_option("--from", options.from, from);
    side.require_option(1);
}

}  // namespace

void add_account_commands(Program& program, CLI::App& issuer)
{
    auto& options = program.options;
    auto& account =
        *program.app.add_subcommand("account", "An account: its key, and what its owner orders");
    account.require_subcommand(1);
    const auto add = [&](CLI::App& parent, const char* name, const char* help,
                         std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = program.command(parent, name, help, std::move(run));
        with::issuer(added, options);
        with::passphrase(added, options);
        with::operation_key(added, options);
        return added;
    };
    const auto named = [&](CLI::App& command, const char* what = "The account's name") {
        command.add_option("account", options.account, what)->required();
    };
    const auto ordering = [&](CLI::App& parent, const char* name, const char* help,
                              std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = add(parent, name, help, std::move(run));
        added.add_option("--id", options.id,
                         "Id of the order, 32 hex digits: asking twice is asking once");
        added.add_option("--reference", options.reference,
                         "What people want to read later: 1 to 64 bytes");
        return added;
    };
    const auto owners = [&](const char* name, const char* help,
                            std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = ordering(account, name, help, std::move(run));
        with::account_key(added, options);
        added.add_flag("--sign-only", options.sign_only,
                       "Print the signed order, for 'account submit' elsewhere");
        return added;
    };

    auto& made = program.command(account, "new-key", "Make an account's key in a file", new_key);
    made.add_option("file", options.file, "The new file, mode 0600")->required();
    with::passphrase(made, options);
    named(add(account, "show", "Show an account's balance and key", show));

    named(owners("open", "Open an account, or claim one that nobody has opened", open_account));
    auto& replaced = owners("key", "Replace an account's key", replace_key);
    named(replaced);
    replaced
        .add_option("--new-key", options.new_account_key,
                    "The new key: its public half in hex, or where it is")
        ->required();
    auto& reset =
        owners("reset-key", "Set an account's key whose owner lost it (operators)", reset_key);
    named(reset);
    auto& in = ordering(account, "pay-in", "Money came from outside (operators)", pay_in);
    auto& out = owners("pay-out", "Take money out", pay_out);
    auto& moved = owners("move", "Move money to another account", move_money);
    for (auto* command : {&in, &out, &moved}) {
        named(*command);
        with::amount(*command, options);
    }
    in.add_option("--from", options.outside, "Where it came from: bank")->required();
    out.add_option("--to", options.outside, "Where it goes: bank")->required();
    moved.add_option("--to", options.to, "The other account")->required();
    named(owners("close", "Close an account that is empty", close_account));
    auto& carried =
        add(account, "submit", "Give the platform an order that was signed elsewhere", submit);
    carried.add_option("order", options.signed_order, "The order in hex")->required();
    carried.add_option("signature", options.owner_signature, "Its owner's signature in hex");

    auto& adjusted =
        ordering(issuer, "adjust", "Change an account without its owner: a fee", adjust);
    named(adjusted);
    with::amount(adjusted, options);
    to_or_from(adjusted, options, "From the account to this name outside",
               "From this name outside to the account");
    auto& handed = ordering(issuer, "hand-in", "A till hands in its cash, or gets some", hand_in);
    named(handed, "The terminal");
    with::amount(handed, options);
    to_or_from(handed, options, "Its cash goes to this name outside",
               "It gets cash from this name outside");

    auto& lost = add(issuer, "declare-lost", "Deny a card that its holder has lost", declare_lost);
    lost.add_option("card", options.card, "Card id, 32 hex digits")->required();
    const auto card_order = [&](const char* name, const char* help,
                                std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = ordering(issuer, name, help, std::move(run));
        added.add_option("card", options.card, "Card id, 32 hex digits")->required();
        return added;
    };
    auto& recovered = card_order("recover", "Move a lost card's value to an account", recover);
    recovered.add_option("--to", options.account, "The account that gets it")->required();
    recovered.add_option("--amount", options.amount, "How much");
    recovered.add_flag("--all", options.everything, "All that can be recovered now");
    auto& drawn = card_order("recover-holder", "Move what a denied card's holder account has",
                             recover_holder);
    drawn.add_option("amount", options.amount, "Amount, as people write it: 50.00")->required();
    drawn.add_option("--to", options.account, "The account that gets it")->required();
    auto& written =
        card_order("write-off", "Give up a transfer in that waits for a lost card", write_off);
    written.add_option("--from", options.account, "The account that promised it")->required();
    add(issuer, "close-gaps", "Pass over results that never came, where it is time", close_gaps);
}
