// SPDX-License-Identifier: Apache-2.0
// An issuer who lies has all keys but those of the cards and of the accounts' owners. It signs
// everything, rightly, and is found out at the line of the lie.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <limits>

#include "support/paper_ledger.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

using enum OrderKind;

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
const std::string nobodys = "H-" + std::string(32, 'f');

SoftwareAccountSigner account_key(std::uint8_t byte)
{
    return SoftwareAccountSigner(testing::secret_of<KeySeed>(byte));
}

// A good ledger with some of everything, which a lie goes on from.
struct Story : PaperLedger {
    Story()
    {
        key_order(open, "SHOP", shop, shop);
        key_order(open, "CAFE", cafe, cafe);
        settle(ann, Kind::top_up, 10000, "T1");
        settle(ben, Kind::top_up, 8000, "T2");
        settle(lost, Kind::top_up, 6000, "T1");
        settle(torn, Kind::top_up, 5000, "T1");
        settle(ann, Kind::payment, -1000, "SHOP");
        settle(ben, Kind::payment, -500, "CAFE");
        settle(lost, Kind::payment, -1000, "SHOP");
        give(pay_in, "SHOP", 20000, "bank");
        settle(ann, Kind::transfer_out, -500, of(ann).c_str());
        settle(lost, Kind::transfer_out, -400, of(lost).c_str());
        give(hand_in, "T1", 3000, "safe");
        settle(ann, Kind::payment, -300, "KIOSK");
        settle(ann, Kind::transfer_in, 200, "SHOP", &shop);
    }

    void settle_next_key(SimulatedCard& card)
    {
        auto operation = card.make(Kind::replace_operation_key, 0);
        operation.parameter = signer(Seed::next_operation).public_key();
        add(record(card, operation));
    }

    static std::string id(const SimulatedCard& card) { return card.id().to_string(); }
    static std::string of(const SimulatedCard& card) { return "H-" + id(card); }

    void settle(SimulatedCard& card, Kind kind, std::int64_t amount = 0,
                const char* account = nullptr, SoftwareAccountSigner* owner = nullptr)
    {
        add(record(card, kind, amount, account, owner));
    }
    void give(OrderKind kind, const std::string& account, std::int64_t amount,
              const std::string& other, SoftwareAccountSigner* owner = nullptr)
    {
        add(record(order(kind, account, amount, other), owner));
    }
    AccountOrder with_key(OrderKind kind, const std::string& account,
                          const SoftwareAccountSigner& sets)
    {
        auto made = order(kind, account);
        made.key = sets.public_key();
        return made;
    }
    void key_order(OrderKind kind, const std::string& account, const SoftwareAccountSigner& sets,
                   SoftwareAccountSigner& signs)
    {
        add(record(with_key(kind, account, sets), &signs));
    }
    void close_cafe()
    {
        give(pay_out, "CAFE", -500, "bank", &cafe);
        give(close, "CAFE", 0, {}, &cafe);
    }

    // The lost card, and what of it is taken back.
    void lose(std::int64_t amount = 4000)
    {
        give(recover, "CAFE", amount, id(lost));
        deny(lost.id());
    }
    void write_off_shop()
    {
        give(write_off, "SHOP", 0, id(lost));
        deny(lost.id());
    }

    // Payments of the torn card to SHOP that do not come, and one behind them that does.
    void tear(std::initializer_list<std::int64_t> amounts = {100, 200, 300})
    {
        before = torn;
        for (const auto amount : amounts)
            missing.push_back(record(torn, Kind::payment, -amount, "SHOP"));
        kept = record(torn, Kind::payment, -50, "CAFE");
    }
    void settle_gap()
    {
        add(gap(*kept));
        add(*kept);
    }
    // The result that the kept payment follows, with something else in it.
    void settle_gap_with(const std::function<void(Gap&)>& change)
    {
        auto made = gap(*kept);
        change(made);
        add(sign(made));
        add(*kept);
    }
    void shown_one_earlier() { line = last_line() - 1; }

    SoftwareAccountSigner shop = account_key(0x51), shop_2 = account_key(0x52),
                          shop_3 = account_key(0x53), cafe = account_key(0x54),
                          thief = account_key(0x55);
    SimulatedCard ann = make_card(1), ben = make_card(2), lost = make_card(3), torn = make_card(4),
                  blank = make_card(5), foreign = make_card(6, false), before = torn;
    std::vector<Record> missing;
    std::optional<Record> kept;
    std::optional<std::size_t> line;  // of the lie, where it is not the last entry
};

struct Lie {
    const char* name;
    const char* words;
    void (*tell)(Story&);
};

constexpr auto not_consented = "the consent does not verify under the account's key";
constexpr auto not_owned = "the owner's signature does not verify under the account's key";
constexpr auto not_issued = "the issuer's signature of the order does not verify";
constexpr auto not_open = "the account is not open";
constexpr auto other_not_open = "the other account is not open";
constexpr auto not_the_cards = "the account is not the card's to draw on";
constexpr auto no_funds = "the account does not hold that much";
constexpr auto not_next = "the order's number is not the account's next one";
constexpr auto used_twice = "the account has had an order with this operation id";
constexpr auto not_for_holders = "a holder account takes no such order";
constexpr auto not_openable = "an account of this name cannot be opened";
constexpr auto unknown_card = "the card is not one of the ledger's";
constexpr auto too_large = "the account's balance leaves 64 bits";
constexpr auto not_the_unit = "the unit is not the issuer's";
constexpr auto empty_book = "the card's book does not hold that much";
constexpr auto not_pending = "no transfer to the card can be pending";
constexpr auto lost_for_good = "a lost card gets no such operation";
constexpr auto without_payment = "the gap is not followed by its payment";
constexpr auto not_next_sequence = "the sequence is not the card's next one";
constexpr auto no_chain = "the result does not continue the card's chain";
constexpr auto no_balance = "the balance does not follow";
constexpr auto no_state = "the state does not follow";
constexpr auto not_authorised =
    "the issuer's signature does not verify under the card's operation key";

const Lie debits[] = {
    {"a transfer in without a consent", not_consented,
     [](Story& s) { s.settle(s.ann, Kind::transfer_in, 100, "SHOP"); }},
    {"with the consent of another account's owner", not_consented,
     [](Story& s) { s.settle(s.ann, Kind::transfer_in, 100, "SHOP", &s.cafe); }},
    {"with the consent to another amount", not_consented,
     [](Story& s) {
         const auto asked = s.ann.make(Kind::transfer_in, 99, "SHOP");
         auto record = s.record(s.ann, Kind::transfer_in, 100, "SHOP");
         record.consent = s.shop.consent(s.issuer().card_root, asked).value();
         s.add(record);
     }},
    {"with a consent to another issuer", not_consented,
     [](Story& s) {
         auto record = s.record(s.ann, Kind::transfer_in, 100, "SHOP");
         record.consent = s.shop.consent(s.ann.public_key(), record.operation).value();
         s.add(record);
     }},
    {"with the consent under the key before the replaced one", not_consented,
     [](Story& s) {
         s.key_order(replace_key, "SHOP", s.shop_2, s.shop);
         s.key_order(reset_key, "SHOP", s.shop_3, s.shop_3);
         s.settle(s.ann, Kind::transfer_in, 100, "SHOP", &s.shop);
     }},
    {"with the consent under the key that the account had before it was opened again",
     not_consented,
     [](Story& s) {
         s.close_cafe();
         s.settle(s.ben, Kind::payment, -500, "CAFE");
         s.key_order(open, "CAFE", s.thief, s.thief);
         s.settle(s.ann, Kind::transfer_in, 100, "CAFE", &s.cafe);
     }},
    {"from a closed account", not_open,
     [](Story& s) {
         s.close_cafe();
         s.settle(s.ben, Kind::payment, -500, "CAFE");
         s.settle(s.ann, Kind::transfer_in, 100, "CAFE", &s.cafe);
     }},
    {"from an unclaimed account", not_open,
     [](Story& s) { s.settle(s.ann, Kind::transfer_in, 100, "KIOSK", &s.thief); }},
    {"from another card's holder account", not_the_cards,
     [](Story& s) { s.settle(s.ben, Kind::transfer_in, 100, Story::of(s.ann).c_str(), &s.thief); }},
    {"from a holder account of no card", not_the_cards,
     [](Story& s) {
         s.settle(s.ann, Kind::payment, -100, nobodys.c_str());
         s.settle(s.ben, Kind::transfer_in, 100, nobodys.c_str(), &s.thief);
     }},
    {"from what gaps have left", not_the_cards,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.settle(s.ben, Kind::transfer_in, 100, "unaccounted", &s.thief);
     }},
    {"of more than the account holds", no_funds,
     [](Story& s) { s.settle(s.ann, Kind::transfer_in, 501, "CAFE", &s.cafe); }},
    {"of more than the card's own holder account holds", no_funds,
     [](Story& s) { s.settle(s.ann, Kind::transfer_in, 501, Story::of(s.ann).c_str()); }},
    {"a pay out without the owner's signature", not_owned,
     [](Story& s) { s.give(pay_out, "SHOP", -100, "bank"); }},
    {"a pay out under the key that was replaced", not_owned,
     [](Story& s) {
         s.key_order(replace_key, "SHOP", s.shop_2, s.shop);
         s.give(pay_out, "SHOP", -100, "bank", &s.shop);
     }},
    {"a move signed by who gets it", not_owned,
     [](Story& s) { s.give(move, "SHOP", -100, "CAFE", &s.cafe); }},
    {"a close signed by another one", not_owned,
     [](Story& s) {
         s.give(pay_out, "CAFE", -500, "bank", &s.cafe);
         s.give(close, "CAFE", 0, {}, &s.thief);
     }},
    {"a key replaced with the new key's signature", not_owned,
     [](Story& s) { s.key_order(replace_key, "SHOP", s.thief, s.thief); }},
    {"a key reset with the old key's signature", not_owned,
     [](Story& s) { s.key_order(reset_key, "SHOP", s.shop_2, s.shop); }},
    {"an account opened with a key that nobody proved", not_owned,
     [](Story& s) { s.key_order(open, "NEW", s.shop, s.thief); }},
    {"more paid out than was signed for", not_owned,
     [](Story& s) {
         auto order = s.order(pay_out, "SHOP", -100, "bank");
         auto record = s.record(order, &s.shop);
         record.order.amount = Amount::minor_units(-1000);
         record.issuer_signature = PaperLedger::signer(Seed::operation)
                                       .sign(record.order, record.owner_signature)
                                       .value();
         s.add(record);
     }},
    {"a pay out to another issuer", not_owned,
     [](Story& s) {
         const auto order = s.order(pay_out, "SHOP", -100, "bank");
         auto record = s.record(order);
         record.owner_signature = s.shop.sign(s.ann.public_key(), order).value();
         record.issuer_signature =
             PaperLedger::signer(Seed::operation).sign(order, record.owner_signature).value();
         s.add(record);
     }},
    {"more paid out than there is", no_funds,
     [](Story& s) { s.give(pay_out, "CAFE", -501, "bank", &s.cafe); }},
    {"more moved than there is", no_funds,
     [](Story& s) { s.give(move, "CAFE", -501, "SHOP", &s.cafe); }},
    {"more adjusted than there is", no_funds,
     [](Story& s) { s.give(adjust, "CAFE", -501, "fees"); }},
    {"more adjusted than a holder account has", no_funds,
     [](Story& s) { s.give(adjust, Story::of(s.ann), -501, "fees"); }},
};

const Lie orders[] = {
    {"an order signed with a key that the issuer does not have", not_issued,
     [](Story& s) { s.add(s.record(s.order(pay_in, "SHOP", 1, "bank"), nullptr, Seed::root)); }},
    {"an order signed with the checkpoint key", not_issued,
     [](Story& s) {
         s.add(s.record(s.order(pay_in, "SHOP", 1, "bank"), nullptr, Seed::checkpoint));
     }},
    {"an order that the issuer signed without its owner's signature", not_issued,
     [](Story& s) {
         auto record = s.record(s.order(pay_out, "SHOP", -1, "bank"), &s.shop);
         record.issuer_signature =
             PaperLedger::signer(Seed::operation).sign(record.order, std::nullopt).value();
         s.add(record);
     }},
    {"a number left out", not_next,
     [](Story& s) {
         auto order = s.order(pay_in, "SHOP", 1, "bank");
         ++order.number;
         s.add(s.record(order));
     }},
    {"a number again", not_next,
     [](Story& s) {
         auto order = s.order(pay_in, "SHOP", 1, "bank");
         --order.number;
         s.add(s.record(order));
     }},
    {"a first order with number 0", not_next,
     [](Story& s) {
         auto order = s.with_key(open, "NEW", s.thief);
         order.number = 0;
         s.add(s.record(order, &s.thief));
     }},
    {"an order twice", not_next,
     [](Story& s) {
         const auto record = s.record(s.order(pay_out, "SHOP", -1, "bank"), &s.shop);
         s.add(record);
         s.add(record);
     }},
    {"numbers that begin again with another open", not_next,
     [](Story& s) {
         s.close_cafe();
         auto order = s.with_key(open, "CAFE", s.cafe);
         order.number = 1;
         s.add(s.record(order, &s.cafe));
     }},
    {"an operation id twice", used_twice,
     [](Story& s) {
         const auto first = s.order(pay_in, "SHOP", 1, "bank");
         s.add(s.record(first));
         auto second = s.order(pay_in, "SHOP", 1, "bank");
         second.id = first.id;
         s.add(s.record(second));
     }},
    {"an operation id twice, over a close and another open", used_twice,
     [](Story& s) {
         const auto first = s.order(pay_out, "CAFE", -500, "bank");
         s.add(s.record(first, &s.cafe));
         s.give(close, "CAFE", 0, {}, &s.cafe);
         auto order = s.with_key(open, "CAFE", s.cafe);
         order.id = first.id;
         s.add(s.record(order, &s.cafe));
     }},
    {"a terminal's number left out", not_next,
     [](Story& s) {
         auto order = s.order(hand_in, "T1", 1, "safe");
         ++order.number;
         s.add(s.record(order));
     }},
    {"a terminal's operation id twice", used_twice,
     [](Story& s) {
         const auto first = s.order(hand_in, "T2", -1, "safe");
         s.add(s.record(first));
         auto second = s.order(hand_in, "T2", -1, "safe");
         second.id = first.id;
         s.add(s.record(second));
     }},
    {"a terminal's numbers taken for those of the account of its name", not_next,
     [](Story& s) {
         auto order = s.with_key(open, "T1", s.thief);
         order.number = 2;
         s.add(s.record(order, &s.thief));
     }},
    {"an order of another unit", not_the_unit,
     [](Story& s) {
         auto order = s.order(pay_in, "SHOP", 1, "bank");
         order.unit = Unit::from_code(156).value();
         s.add(s.record(order));
     }},
    {"an open account opened", "the account is open already",
     [](Story& s) { s.key_order(open, "SHOP", s.thief, s.thief); }},
    {"a holder account opened", not_openable,
     [](Story& s) { s.key_order(open, Story::of(s.ann), s.thief, s.thief); }},
    {"a holder account of no card opened", not_openable,
     [](Story& s) { s.key_order(open, nobodys, s.thief, s.thief); }},
    {"what gaps have left opened", not_openable,
     [](Story& s) { s.key_order(open, "unaccounted", s.thief, s.thief); }},
    {"a pay in to an unclaimed account", not_open,
     [](Story& s) { s.give(pay_in, "KIOSK", 1, "bank"); }},
    {"a pay in to a closed account", not_open,
     [](Story& s) {
         s.close_cafe();
         s.give(pay_in, "CAFE", 1, "bank");
     }},
    {"a pay in to a holder account of no card", not_open,
     [](Story& s) { s.give(pay_in, nobodys, 1, "bank"); }},
    {"an unclaimed account adjusted", not_open,
     [](Story& s) { s.give(adjust, "KIOSK", -1, "fees"); }},
    {"what gaps have left adjusted", not_open,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.give(adjust, "unaccounted", -1, "fees");
     }},
    {"an account closed twice", not_open,
     [](Story& s) {
         s.close_cafe();
         s.give(close, "CAFE", 0, {}, &s.cafe);
     }},
    {"the key of a closed account reset", not_open,
     [](Story& s) {
         s.close_cafe();
         s.key_order(reset_key, "CAFE", s.thief, s.thief);
     }},
    {"an account closed with its balance", "the account is not empty",
     [](Story& s) { s.give(close, "CAFE", 0, {}, &s.cafe); }},
    {"a pay out from a holder account", not_for_holders,
     [](Story& s) { s.give(pay_out, Story::of(s.ann), -1, "bank", &s.thief); }},
    {"a move from a holder account", not_for_holders,
     [](Story& s) { s.give(move, Story::of(s.ann), -1, "SHOP", &s.thief); }},
    {"a holder account closed", not_for_holders,
     [](Story& s) { s.give(close, Story::of(s.blank), 0, {}, &s.thief); }},
    {"a holder account given a key", not_for_holders,
     [](Story& s) { s.key_order(reset_key, Story::of(s.ann), s.thief, s.thief); }},
    {"a move to a closed account", other_not_open,
     [](Story& s) {
         s.close_cafe();
         s.give(move, "SHOP", -1, "CAFE", &s.shop);
     }},
    {"a move to an unclaimed account", other_not_open,
     [](Story& s) { s.give(move, "SHOP", -1, "KIOSK", &s.shop); }},
    {"a move to what gaps have left", other_not_open,
     [](Story& s) { s.give(move, "SHOP", -1, "unaccounted", &s.shop); }},
    {"a move to a holder account of no card", other_not_open,
     [](Story& s) { s.give(move, "SHOP", -1, nobodys, &s.shop); }},
    {"an account above 2^63-1", too_large,
     [](Story& s) { s.give(pay_in, "SHOP", largest, "bank"); }},
    {"the outside below -(2^63-1)", too_large,
     [](Story& s) {
         s.give(pay_in, "CAFE", largest - 500, "world");
         s.give(pay_in, Story::of(s.ann), 500, "world");
         s.give(pay_in, "SHOP", 1, "world");
     }},
    {"time that goes back", "the time goes back",
     [](Story& s) {
         const auto before = s.now();
         s.settle(s.ben, Kind::payment, -1, "CAFE");
         const DeliveredRecord late{s.record(s.ben, Kind::payment, -1, "CAFE"),
                                    account_named("T1")};
         s.add({.time = before, .what = late});
     }},
};

const Lie lost_cards[] = {
    {"more recovered than the card had", empty_book, [](Story& s) { s.lose(4601); }},
    {"more recovered than an earlier recovery left", empty_book,
     [](Story& s) {
         s.lose(4600);
         s.give(recover, "SHOP", 1, Story::id(s.lost));
     }},
    {"more recovered than a late payment left", empty_book,
     [](Story& s) {
         s.lose(4000);
         s.settle(s.lost, Kind::payment, -700, "SHOP");
         s.give(recover, "SHOP", 1, Story::id(s.lost));
     }},
    {"value of a card that is none", unknown_card,
     [](Story& s) { s.give(recover, "SHOP", 1, Story::id(s.foreign)); }},
    {"value recovered to an unclaimed account", not_open,
     [](Story& s) { s.give(recover, "KIOSK", 1, Story::id(s.lost)); }},
    {"more recovered from a holder account than it has", no_funds,
     [](Story& s) { s.give(recover_holder, "SHOP", 401, Story::id(s.lost)); }},
    {"the holder account of no card recovered", unknown_card,
     [](Story& s) { s.give(recover_holder, "SHOP", 1, Story::id(s.foreign)); }},
    {"the holder account of a lost card adjusted",
     "the holder account of a lost card is drawn on by kind 2A alone",
     [](Story& s) {
         s.lose();
         s.give(adjust, Story::of(s.lost), -1, "fees");
     }},
    {"a second write-off", "a transfer to the card has been written off already",
     [](Story& s) {
         s.write_off_shop();
         s.give(write_off, "CAFE", 0, Story::id(s.lost));
     }},
    {"a write-off for a terminated card", not_pending,
     [](Story& s) {
         s.settle(s.lost, Kind::terminate);
         s.write_off_shop();
     }},
    {"a write-off for a blocked card", not_pending,
     [](Story& s) {
         s.settle(s.lost, Kind::block);
         s.write_off_shop();
     }},
    {"a write-off of what a payment ended", not_pending,
     [](Story& s) {
         s.lose();
         s.settle(s.lost, Kind::payment, -1, "CAFE");
         s.give(write_off, "SHOP", 0, Story::id(s.lost));
     }},
    {"a write-off of what came late", not_pending,
     [](Story& s) {
         s.tear();
         s.give(recover, "SHOP", 1, Story::id(s.torn));
         s.settle_gap();
         s.add(s.missing[0]);
         s.give(write_off, "SHOP", 0, Story::id(s.torn));
     }},
    {"a write-off of what is missing behind the recovery", not_pending,
     [](Story& s) {
         s.give(recover, "SHOP", 1, Story::id(s.torn));
         s.settle(s.torn, Kind::payment, -1, "CAFE");
         s.tear();
         s.settle_gap();
         s.give(write_off, "SHOP", 0, Story::id(s.torn));
     }},
    {"a write-off of what a blocked card misses", not_pending,
     [](Story& s) {
         s.settle(s.torn, Kind::block);
         s.give(recover, "SHOP", 1, Story::id(s.torn));
         s.record(s.torn, Kind::unblock);
         s.tear();
         s.settle_gap();
         s.give(write_off, "SHOP", 0, Story::id(s.torn));
     }},
    {"a write-off for an account that is empty", "the account is empty: it reserves nothing",
     [](Story& s) {
         s.give(pay_out, "CAFE", -500, "bank", &s.cafe);
         s.give(write_off, "CAFE", 0, Story::id(s.lost));
     }},
    {"a write-off for an unclaimed account", not_open,
     [](Story& s) { s.give(write_off, "KIOSK", 0, Story::id(s.lost)); }},
    {"a write-off for another card's holder account", not_for_holders,
     [](Story& s) { s.give(write_off, Story::of(s.ann), 0, Story::id(s.lost)); }},
    {"a write-off for a card that is none", unknown_card,
     [](Story& s) { s.give(write_off, "SHOP", 0, Story::id(s.foreign)); }},
    {"a written off transfer with the consent under a later key", not_consented,
     [](Story& s) {
         s.write_off_shop();
         s.key_order(replace_key, "SHOP", s.shop_2, s.shop);
         s.settle(s.lost, Kind::transfer_in, 100, "SHOP", &s.shop_2);
     }},
    {"a written off transfer without a consent", not_consented,
     [](Story& s) {
         s.write_off_shop();
         s.settle(s.lost, Kind::transfer_in, 100, "SHOP");
     }},
    {"another transfer in behind the one that was written off", lost_for_good,
     [](Story& s) {
         s.write_off_shop();
         s.settle(s.lost, Kind::transfer_in, 100, "SHOP", &s.shop);
         s.settle(s.lost, Kind::transfer_in, 100, "SHOP", &s.shop);
     }},
    {"a top-up of a lost card", lost_for_good,
     [](Story& s) {
         s.lose();
         s.settle(s.lost, Kind::payment, -1, "SHOP");
         s.settle(s.lost, Kind::top_up, 100, "T1");
     }},
    {"new limits for a lost card", lost_for_good,
     [](Story& s) {
         s.lose();
         s.settle(s.lost, Kind::cancel);
         s.settle(s.lost, Kind::reset_pin_tries);
     }},
    {"a transfer in to a card whose holder account was recovered", lost_for_good,
     [](Story& s) {
         s.give(recover_holder, "SHOP", 100, Story::id(s.lost));
         s.settle(s.lost, Kind::payment, -1, "SHOP");
         s.settle(s.lost, Kind::transfer_in, 100, Story::of(s.lost).c_str());
     }},
};

const Lie gaps[] = {
    {"a gap and another card's payment", without_payment,
     [](Story& s) {
         s.tear();
         s.add(s.gap(*s.kept));
         s.settle(s.ben, Kind::payment, -1, "SHOP");
     }},
    {"a gap and a result in it", without_payment,
     [](Story& s) {
         s.tear();
         s.add(s.gap(*s.kept));
         s.add(s.missing[2]);
     }},
    {"a gap and an order", without_payment,
     [](Story& s) {
         s.tear();
         s.add(s.gap(*s.kept));
         s.give(pay_in, "SHOP", 1, "bank");
     }},
    {"a gap and another operation in place of a payment", without_payment,
     [](Story& s) {
         s.tear();
         s.torn = s.before;
         s.record(s.torn, Kind::payment, -100, "SHOP");
         const auto cancelled = s.record(s.torn, Kind::cancel);
         s.add(s.gap(cancelled));
         s.add(cancelled);
     }},
    {"a gap at the end", without_payment,
     [](Story& s) {
         s.tear();
         s.add(s.gap(*s.kept));
         s.line = s.last_line() + 1;
     }},
    {"a gap of one sequence too few", not_next_sequence,
     [](Story& s) {
         s.tear();
         s.settle_gap_with([](Gap& gap) { --gap.last; });
     }},
    {"a gap of 16 sequences", "the gap is too long",
     [](Story& s) {
         s.tear({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
         s.settle_gap();
         s.shown_one_earlier();
     }},
    {"a gap of what has settled", "the gap is of sequences that have settled",
     [](Story& s) {
         s.tear({});
         s.settle_gap();
         s.shown_one_earlier();
     }},
    {"a gap with a balance above the settled one", "the gap's balance is above the settled one",
     [](Story& s) {
         s.record(s.torn, Kind::top_up, 1, "T1");
         s.tear({});
         s.settle_gap();
         s.shown_one_earlier();
     }},
    {"a gap that moves too much", no_balance,
     [](Story& s) {
         s.tear();
         s.settle_gap_with([](Gap& gap) {
             gap.balance = Balance::minor_units(gap.balance.to_minor_units() - 1);
         });
     }},
    {"a gap that moves too little", no_balance,
     [](Story& s) {
         s.tear();
         s.settle_gap_with([](Gap& gap) {
             gap.balance = Balance::minor_units(gap.balance.to_minor_units() + 1);
         });
     }},
    {"a gap that names another result", no_chain,
     [](Story& s) {
         s.tear();
         s.settle_gap_with([](Gap& gap) { gap.last_result = Digest{}; });
     }},
    {"a gap of a terminated card", "a terminated card has no gap",
     [](Story& s) {
         auto clone = s.torn;
         s.settle(clone, Kind::terminate);
         s.record(s.torn, Kind::cancel);
         s.tear();
         s.settle_gap();
         s.shown_one_earlier();
     }},
    {"a gap signed with another key", "the issuer's signature of the gap does not verify",
     [](Story& s) {
         s.tear();
         s.add(s.gap(*s.kept, Seed::checkpoint));
         s.add(*s.kept);
         s.shown_one_earlier();
     }},
    {"a gap of a card that is none", unknown_card,
     [](Story& s) {
         s.record(s.foreign, Kind::top_up, 100, "T1");
         s.add(s.gap(s.record(s.foreign, Kind::payment, -1, "SHOP")));
     }},
    {"a late result twice", "the sequence has settled already",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.add(s.missing[1]);
         s.add(s.missing[1]);
     }},
    {"the payment behind a gap twice", not_next_sequence,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.add(*s.kept);
     }},
    {"a late top-up in the middle",
     "only the first sequence of a gap can be anything but a payment",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto clone = s.before;
         s.record(clone, Kind::payment, -100, "SHOP");
         s.settle(clone, Kind::top_up, 100, "T1");
     }},
    {"a late block", no_state,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.settle(s.before, Kind::block);
     }},
    {"a late unblock of a card that was not blocked", no_state,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.settle(s.before, Kind::unblock);
     }},
    {"a late first result that continues another one", no_chain,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto record = s.missing[0];
         record.receipt.result.previous_result = Digest{};
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
     }},
    {"a late first result whose balance does not follow", no_balance,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto record = s.missing[0];
         record.receipt.result.balance = Balance::minor_units(4901);
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
     }},
    {"a late last result that the payment does not name",
     "the card's chain does not continue the result",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto record = s.missing[2];
         record.operation.nonce = Nonce{};
         record.receipt.result.operation = record.operation.digest();
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
     }},
    {"a late result that does not fit the late one in front of it", no_chain,
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.add(s.missing[0]);
         auto record = s.missing[1];
         record.receipt.result.previous_result = Digest{};
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
     }},
    {"a late result that the late one behind it does not continue",
     "the card's chain does not continue the result",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         s.add(s.missing[1]);
         s.settle(s.before, Kind::payment, -100, "CAFE");
     }},
    {"a late result whose balance is not the one that the late one behind it had",
     "the balance is not the one that follows",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto record = s.missing[1];
         record.receipt.result.balance = Balance::minor_units(4701);
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
         s.add(s.missing[0]);
     }},
    {"a late top-up signed with a key that the card had only later", not_authorised,
     [](Story& s) {
         const auto top_up = s.torn.make(Kind::top_up, 500, "T1");
         const auto late = s.record(s.torn, top_up, nullptr, Seed::next_operation);
         s.tear({500});
         s.settle_gap();
         s.settle_next_key(s.torn);
         s.add(late);
     }},
    {"a late result of more than the gap has left", "the gap has not left that much",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         auto record = s.missing[1];
         record.operation.amount = Amount::minor_units(-601);
         record.receipt.result.operation = record.operation.digest();
         record.receipt = s.torn.sign(record.receipt.result);
         s.add(record);
     }},
    {"a late top-up signed with a key that the card did not have", not_authorised,
     [](Story& s) {
         auto clone = s.torn;
         const auto top_up = clone.make(Kind::top_up, 500, "T1");
         const auto late = s.record(clone, top_up, nullptr, Seed::next_operation);
         s.torn = clone;
         s.tear({500});
         s.settle_gap();
         s.add(late);
     }},
    {"a late transfer in without a consent", not_consented,
     [](Story& s) {
         const auto late = s.record(s.torn, Kind::transfer_in, 100, "SHOP");
         s.tear({500});
         s.settle_gap();
         s.add(late);
     }},
    {"a late transfer in from an account that is not open", not_open,
     [](Story& s) {
         const auto late = s.record(s.torn, Kind::transfer_in, 100, "KIOSK", &s.thief);
         s.tear({500});
         s.settle_gap();
         s.add(late);
     }},
};

const Lie results[] = {
    {"a result left out", not_next_sequence,
     [](Story& s) {
         s.record(s.ann, Kind::payment, -1, "SHOP");
         s.settle(s.ann, Kind::payment, -1, "SHOP");
     }},
    {"a result twice", not_next_sequence,
     [](Story& s) {
         const auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         s.add(record);
         s.add(record);
     }},
    {"a result of another operation", "the result is not that of the operation",
     [](Story& s) {
         auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         record.operation.account = account_named("CAFE");
         s.add(record);
     }},
    {"a result that breaks the chain", no_chain,
     [](Story& s) {
         auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         record.receipt.result.previous_result = Digest{};
         s.add(record);
     }},
    {"a balance that does not follow", no_balance,
     [](Story& s) {
         auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         record.receipt.result.balance = Balance::minor_units(1'000'000);
         s.add(record);
     }},
    {"a state that does not follow", no_state,
     [](Story& s) {
         auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         record.receipt.result.state = CardState::terminated;
         s.add(record);
     }},
    {"a payment of a blocked card", no_state,
     [](Story& s) {
         s.settle(s.ann, Kind::block);
         s.settle(s.ann, Kind::payment, -1, "SHOP");
     }},
    {"a result that the card did not sign", "the card's signature does not verify",
     [](Story& s) {
         auto record = s.record(s.ann, Kind::payment, -1, "SHOP");
         record.receipt.card_signature = s.ben.sign(record.receipt.result).card_signature;
         s.add(record);
     }},
    {"an operation signed with a key that is not in the card", not_authorised,
     [](Story& s) {
         s.add(s.record(s.ann, s.ann.make(Kind::top_up, 1, "T1"), nullptr, Seed::next_operation));
     }},
    {"an operation key that is not the issuer's",
     "the new operation key is not one of the issuer's",
     [](Story& s) {
         auto operation = s.ann.make(Kind::replace_operation_key, 0);
         operation.parameter = s.thief.public_key();
         s.add(s.record(s.ann, operation));
     }},
    {"a card that is none of the ledger's", unknown_card,
     [](Story& s) { s.settle(s.foreign, Kind::top_up, 1, "T1"); }},
    {"another unit", not_the_unit,
     [](Story& s) {
         auto card = s.ann.with_unit(Unit::from_code(156).value());
         s.settle(card, Kind::payment, -1, "SHOP");
     }},
};

struct Truth {
    const char* name;
    void (*tell)(Story&);
};

const Truth truths[] = {
    {"a consent under the key that was replaced since",
     [](Story& s) {
         s.key_order(replace_key, "SHOP", s.shop_2, s.shop);
         s.settle(s.ann, Kind::transfer_in, 100, "SHOP", &s.shop);
         s.settle(s.ann, Kind::transfer_in, 100, "SHOP", &s.shop_2);
         s.key_order(reset_key, "SHOP", s.shop_3, s.shop_3);
         s.settle(s.ann, Kind::transfer_in, 100, "SHOP", &s.shop_2);
     }},
    {"an account closed, credited, claimed by another one, and numbered on",
     [](Story& s) {
         s.close_cafe();
         s.settle(s.ben, Kind::payment, -500, "CAFE");
         s.key_order(open, "CAFE", s.thief, s.thief);
         s.give(pay_out, "CAFE", -500, "bank", &s.thief);
     }},
    {"an account with the name of a terminal, numbered apart",
     [](Story& s) {
         s.key_order(open, "T1", s.thief, s.thief);
         s.give(hand_in, "T1", -7, "safe");
         s.give(pay_in, "T1", 7, "bank");
     }},
    {"every order that a holder account takes",
     [](Story& s) {
         s.give(pay_in, Story::of(s.ann), 100, "bank");
         s.give(adjust, Story::of(s.ann), -50, "fees");
         s.give(move, "SHOP", -100, Story::of(s.ann), &s.shop);
         s.give(recover, Story::of(s.ann), 100, Story::id(s.lost));
         s.give(recover_holder, Story::of(s.ann), 100, Story::id(s.lost));
         s.give(adjust, Story::of(s.lost), 50, "fees");
         s.give(write_off, Story::of(s.lost), 0, Story::id(s.lost));
         s.deny(s.lost.id());
         s.settle(s.lost, Kind::transfer_in, 100, Story::of(s.lost).c_str());
     }},
    {"a lost card that pays what was taken from it, is voided and terminated",
     [](Story& s) {
         s.lose(4600);
         s.settle(s.lost, Kind::top_up, 100, "T1");
         s.settle(s.lost, Kind::payment, -4000, "SHOP");
         s.settle(s.lost, Kind::cancel);
         s.settle(s.lost, Kind::terminate);
     }},
    {"a written off transfer that comes when its account is closed",
     [](Story& s) {
         s.give(write_off, "CAFE", 0, Story::id(s.lost));
         s.deny(s.lost.id());
         s.close_cafe();
         s.settle(s.lost, Kind::transfer_in, 100, "CAFE", &s.cafe);
     }},
    {"a written off transfer that comes late, into a gap",
     [](Story& s) {
         const auto late = s.record(s.torn, Kind::transfer_in, 100, "SHOP", &s.shop);
         s.tear({200});
         s.settle_gap();
         s.give(write_off, "SHOP", 0, Story::id(s.torn));
         s.deny(s.torn.id());
         s.add(late);
         s.add(s.missing[0]);
     }},
    {"late results, the last one first",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         for (const auto number : {2U, 0U, 1U}) s.add(s.missing[number]);
     }},
    {"two gaps, and what was late in the first after the second",
     [](Story& s) {
         s.tear();
         s.settle_gap();
         const auto first = s.missing;
         s.tear({1});
         s.settle_gap();
         s.add(s.missing.back());
         s.add(first[1]);
     }},
    {"a gap of 15 sequences",
     [](Story& s) {
         s.tear({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
         s.settle_gap();
     }},
    {"a gap that moves nothing",
     [](Story& s) {
         s.record(s.torn, Kind::cancel);
         s.tear({});
         s.settle_gap();
     }},
    {"an operation key that came late, and is in the card since",
     [](Story& s) {
         auto operation = s.torn.make(Kind::replace_operation_key, 0);
         operation.parameter = PaperLedger::signer(Seed::next_operation).public_key();
         const auto late = s.record(s.torn, operation);
         s.tear({1});
         s.settle_gap();
         s.add(late);
         s.add(s.record(s.torn, s.torn.make(Kind::top_up, 1, "T1"), nullptr, Seed::next_operation));
     }},
    {"a late top-up signed with the key that the card had at the gap",
     [](Story& s) {
         const auto late = s.record(s.torn, Kind::top_up, 500, "T1");
         s.tear({500});
         s.settle_gap();
         s.settle_next_key(s.torn);
         s.add(late);
     }},
    {"a transfer behind the one that was written off, which is one",
     [](Story& s) {
         const auto late = s.record(s.torn, Kind::transfer_in, 100, "SHOP", &s.shop);
         s.tear({200});
         s.settle_gap();
         s.give(write_off, "SHOP", 0, Story::id(s.torn));
         s.deny(s.torn.id());
         s.add(late);
         s.settle(s.torn, Kind::transfer_in, 100, "SHOP", &s.shop);
     }},
    {"payments to whatever name",
     [](Story& s) {
         s.settle(s.ann, Kind::payment, -1, nobodys.c_str());
         s.settle(s.ann, Kind::payment, -1, "unaccounted");
         s.settle(s.ann, Kind::payment, -1, "H-");
     }},
    {"two entries of one moment",
     [](Story& s) {
         const auto now = s.now();
         s.add({.time = now,
                .what = DeliveredRecord{s.record(s.ann, Kind::payment, -1, "SHOP"),
                                        account_named("T1")}});
     }},
    {"an order of an older operation key",
     [](Story& s) {
         s.add(s.record(s.order(pay_in, "SHOP", 1, "bank"), nullptr, Seed::next_operation));
     }},
};

// Tells them all, with one thread and with two.
template <std::size_t N>
void tell(const Lie (&lies)[N])
{
    for (const auto& lie : lies) {
        Story story;
        lie.tell(story);
        const auto text = story.text();
        for (const unsigned threads : {1U, 2U}) {
            INFO(lie.name);
            const auto report = story.verify(text, threads);
            REQUIRE(report.fault);
            CHECK(report.fault->what == lie.words);
            CHECK(report.fault->line == story.line.value_or(story.last_line()));
        }
    }
}

// A ledger with a lost card and a gap, whose lines behind the entries are changed, and the notes
// signed again.
struct Tail {
    Tail()
    {
        story.deny(story.ben.id());
        story.lose();
        story.tear();
        story.settle_gap();
        story.close_cafe_of_lost();
        lines = lines_of(story.text());
    }
    std::size_t at(std::string_view start) const
    {
        for (std::size_t i = 0; i < lines.size(); ++i)
            if (lines[i].starts_with(start)) return i;
        FAIL("no such line: " << start);
        return 0;
    }

    struct Long : Story {
        void close_cafe_of_lost()
        {
            give(pay_out, "CAFE", -4550, "bank", &cafe);
            give(close, "CAFE", 0, {}, &cafe);
        }
    } story;
    std::vector<std::string> lines;
};

struct TailLie {
    const char* name;
    const char* words;
    const char* start;  // of the line that shows it, in the good ledger
    void (*tell)(std::vector<std::string>& lines, std::size_t at);
    std::size_t behind = 0;  // so many lines behind it
};

using Lines = std::vector<std::string>;

void replace_in(std::string& line, std::string_view from, std::string_view to)
{
    const auto at = line.find(from);
    REQUIRE(at != std::string::npos);
    line.replace(at, from.size(), to);
}
void erase(Lines& lines, std::size_t at)
{
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
}
void insert(Lines& lines, std::size_t at, std::string line)
{
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::move(line));
}

constexpr auto wrong_standing = "the standing is not what the entries say";
constexpr auto wrong_balance = "the account's balance is not what the entries say";
constexpr auto wrong_number = "the account's last order is not what the entries say";
constexpr auto wrong_key = "the account's key is not what the entries say";
constexpr auto missing_account = "an account that the entries name is missing";
constexpr auto out_of_place = "malformed line, or one out of place";
constexpr auto changes_nothing = "the line of the deny list changes nothing";
constexpr auto card_1 = "standing 01010101010101010101010101010101";
constexpr auto card_3 = "standing 03030303030303030303030303030303";
constexpr auto card_5 = "standing 05050505050505050505050505050505";
constexpr auto on_list_2 = "+02020202020202020202020202020202";
constexpr auto on_list_3 = "+03030303030303030303030303030303";

const TailLie tails[] = {
    {"a card with results that is blank", wrong_standing, card_1,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], "operational", "blank"); }},
    {"another state", wrong_standing, card_1,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], "operational", "blocked"); }},
    {"another sequence", wrong_standing, card_5,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 0 0 ", " 1 0 "); }},
    {"another balance", wrong_standing, card_5,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 0 0 ", " 0 1 "); }},
    {"another operation key", wrong_standing, card_1,
     [](Lines& lines, std::size_t at) {
         lines[at].replace(lines[at].size() - 64, 64, std::string(64, '0'));
     }},
    {"a recovery left out", wrong_standing, card_3,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 4000", ""); }},
    {"another recovery", wrong_standing, card_3,
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 4000", " 4001"); }},
    {"a recovery of nothing", wrong_standing, card_1,
     [](Lines& lines, std::size_t at) { lines[at] += " 0"; }},
    {"a recovery that was none", wrong_standing, card_1,
     [](Lines& lines, std::size_t at) { lines[at] += " 100"; }},
    {"a standing left out", wrong_standing, card_3,
     [](Lines& lines, std::size_t at) { erase(lines, at); }},
    {"the last standing left out", "the standing of a card is missing", card_5,
     [](Lines& lines, std::size_t at) { erase(lines, at); }},
    {"an account's balance", wrong_balance, "account associated SHOP",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 21800 ", " 21801 "); }},
    {"an account's last order", wrong_number, "account associated SHOP",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 2 ", " 3 "); }},
    {"an account's key", wrong_key, "account associated SHOP",
     [](Lines& lines, std::size_t at) {
         lines[at].replace(lines[at].size() - 64, 64, std::string(64, '0'));
     }},
    {"no key of an open account", wrong_key, "account associated SHOP",
     [](Lines& lines, std::size_t at) { lines[at].replace(lines[at].size() - 64, 64, "-"); }},
    {"the key of a closed account", wrong_key, "account associated CAFE",
     [](Lines& lines, std::size_t at) {
         lines[at].replace(lines[at].size() - 1, 1, std::string(64, '1'));
     }},
    {"a key of an unclaimed account", wrong_key, "account associated KIOSK",
     [](Lines& lines, std::size_t at) {
         lines[at].replace(lines[at].size() - 1, 1, std::string(64, '1'));
     }},
    {"what gaps have left", wrong_balance, "account associated unaccounted",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 600 ", " 599 "); }},
    {"a terminal's cash", wrong_balance, "account cash T1",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " -18000 ", " -17999 "); }},
    {"a terminal's last order", wrong_number, "account cash T1",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 1 -", " 0 -"); }},
    {"value outside", wrong_balance, "account outside bank",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 0 -", "1 0 -"); }},
    {"an order outside", wrong_number, "account outside bank",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 0 -", " 1 -"); }},
    {"an account left out", missing_account, "account associated H-03",
     [](Lines& lines, std::size_t at) { erase(lines, at); }},
    {"the last account left out", missing_account, "account outside safe",
     [](Lines& lines, std::size_t at) { erase(lines, at); }},
    {"an account twice", "the accounts are not in order", "account associated unaccounted",
     [](Lines& lines, std::size_t at) { insert(lines, at, lines[at - 1]); }},
    {"accounts out of order", missing_account, "account associated KIOSK",
     [](Lines& lines, std::size_t at) { std::swap(lines[at], lines[at + 1]); }},
    {"an account that is nobody's, with a balance", wrong_balance, "account associated SHOP",
     [](Lines& lines, std::size_t at) { insert(lines, at, "account associated NOBODY 1 0 -"); }},
    {"an account that is nobody's, with an order", wrong_number, "account associated SHOP",
     [](Lines& lines, std::size_t at) { insert(lines, at, "account associated NOBODY 0 1 -"); }},
    {"an account of a card", "malformed account", "account outside bank",
     [](Lines& lines, std::size_t at) { insert(lines, at, "account card X 0 0 -"); }},
    {"an account without a number", "malformed account", "account outside safe",
     [](Lines& lines, std::size_t at) { replace_in(lines[at], " 0 -", " -"); }},
    {"no deny list", out_of_place, "deny-list",
     [](Lines& lines, std::size_t at) {
         while (lines[at] != "end") erase(lines, at);
     }},
    {"a card that is none denied", unknown_card, on_list_3,
     [](Lines& lines, std::size_t at) { insert(lines, at, '+' + std::string(32, '6')); }},
    {"a card denied twice", changes_nothing, on_list_3,
     [](Lines& lines, std::size_t at) { insert(lines, at, on_list_2); }},
    {"a card taken off that is not on it", changes_nothing, on_list_2,
     [](Lines& lines, std::size_t at) { insert(lines, at, '-' + std::string(on_list_2 + 1)); }},
    {"a lost card that is not denied", "a lost card is not on the deny list", on_list_3,
     [](Lines& lines, std::size_t at) { erase(lines, at); }},
    {"a lost card that is taken off again", "a lost card is not on the deny list",
     "paper.test/deny-list",
     [](Lines& lines, std::size_t at) { insert(lines, at, '-' + std::string(on_list_3 + 1)); }, 1},
    {"a line of the deny list in capitals", out_of_place, on_list_2,
     [](Lines& lines, std::size_t at) { lines[at].back() = 'A'; }},
    {"something else in the deny list", out_of_place, on_list_2,
     [](Lines& lines, std::size_t at) { lines[at] += ' '; }},
};

}  // namespace

TEST_CASE("the story that the lies go on from is right")
{
    Story story;
    const auto report = story.verify(story.text());
    INFO((report.fault ? report.fault->what : ""));
    REQUIRE(!report.fault);
    CHECK(report.entries == 15);
    Tail tail;
    const auto longer = tail.story.verify(text_of(tail.lines));
    INFO((longer.fault ? longer.fault->what : ""));
    REQUIRE(!longer.fault);
    CHECK(longer.unaccounted == 600);
    CHECK(longer.denied.size() == 2);
}

TEST_CASE("what an issuer may do is taken")
{
    for (const auto& truth : truths) {
        Story story;
        truth.tell(story);
        const auto report = story.verify(story.text());
        INFO(truth.name);
        INFO((report.fault ? std::to_string(report.fault->line) + report.fault->what : ""));
        CHECK(!report.fault);
    }
}

TEST_CASE("an export may name what no entry names, and cards that are being issued")
{
    Tail tail;
    replace_in(tail.lines[tail.at(card_5)], "operational", "blank");
    for (const auto* line : {"account cash T1+ 0 0 -", "account associated A 0 0 -"}) {
        const bool cash = std::string_view(line).starts_with("account cash");
        insert(tail.lines, tail.at(cash ? "account cash T2" : "account associated CAFE"), line);
    }
    insert(tail.lines, tail.at("deny-list"), "account outside zzz 0 0 -");
    const auto text =
        signed_again(text_of(tail.lines), "paper.test", PaperLedger::checkpoint_key());
    const auto report = tail.story.verify(text);
    INFO((report.fault ? report.fault->what : ""));
    CHECK(!report.fault);
}

// Notes are signed anew except for the line that lies.
TEST_CASE("a note of an export that is not the issuer's, or on something else, is found")
{
    struct NoteLie {
        const char* words;
        const char* line;
        std::size_t behind;
        const char* instead;
    };
    const NoteLie lies[] = {
        {"the checkpoint is of another origin", "checkpoint", 1, "other.test"},
        {"the checkpoint is on another number of entries", "checkpoint", 2, "1"},
        {"the checkpoint is on other entries: the Merkle root differs", "checkpoint", 3,
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"the checkpoint's signature does not verify", "checkpoint", 4, "something"},
        {"the checkpoint's signature does not verify", "checkpoint", 5, "something"},
        {out_of_place, "paper.test/deny-list", 0, "other.test/deny-list"},
        {"the deny list has another number of lines", "paper.test/deny-list", 1, "1"},
        {"the deny list is on other lines: their hash differs", "paper.test/deny-list", 2,
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        {"malformed time of the deny list", "paper.test/deny-list", 3, "9007199254740992"},
        {"malformed time of the deny list", "paper.test/deny-list", 3, "01"},
        {"the deny list's signature does not verify", "paper.test/deny-list", 4, "something"},
        {"the deny list's signature does not verify", "paper.test/deny-list", 5, "something"},
        {"the export is not what the issuer signed", "end", 1, "tallycard"},
        {"the export is not what the issuer signed", "end", 2, "AAAA"},
        {"the export's signature does not verify", "end", 3, "something"},
        {"the export's signature does not verify", "end", 4, "something"},
        {"something follows the end", "end", 5, "something"},
    };
    for (const auto& lie : lies) {
        Tail tail;
        const auto found = std::ranges::find(tail.lines, lie.line);
        const auto at = static_cast<std::size_t>(found - tail.lines.begin()) + lie.behind;
        tail.lines.resize(std::max(tail.lines.size(), at + 1));
        tail.lines[at] = lie.instead;
        const auto report = tail.story.verify(text_of(tail.lines));
        INFO(lie.words);
        REQUIRE(report.fault);
        CHECK(report.fault->what == lie.words);
        CHECK(report.fault->line == at + 1);
    }
}

TEST_CASE("I19: an account is not debited without its owner's word")
{
    tell(debits);
}
TEST_CASE("I20, I21: orders execute once, in order, in the right state, and time goes on")
{
    tell(orders);
}
TEST_CASE("I22: what an issuer takes from lost cards is what they had")
{
    tell(lost_cards);
}
TEST_CASE("I23: gaps move what the results behind them prove")
{
    tell(gaps);
}
TEST_CASE("results that are not the cards' are found")
{
    tell(results);
}

TEST_CASE("what an export says behind its entries is what they say")
{
    for (const auto& lie : tails) {
        Tail tail;
        const auto at = tail.at(lie.start);
        lie.tell(tail.lines, at);
        // The list's note is on the list as it is now, so that nothing but the lie is wrong.
        auto head = tail.story.deny_list_head();
        std::string list;
        head.lines = 0;
        for (auto i = tail.at("standing "); i < tail.lines.size(); ++i) {
            const auto& line = tail.lines[i];
            if (line.size() != 33 || (line[0] != '+' && line[0] != '-')) continue;
            list += line + '\n';
            ++head.lines;
        }
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(list.data());
        head.hash = sha256({bytes, list.size()});
        const bool listed = list.size() > 0;
        const auto text =
            signed_again(text_of(tail.lines), "paper.test", PaperLedger::checkpoint_key(),
                         listed ? std::optional(head) : std::nullopt);
        const auto report = tail.story.verify(text);
        INFO(lie.name);
        REQUIRE(report.fault);
        CHECK(report.fault->what == lie.words);
        CHECK(report.fault->line == at + lie.behind + 1);
    }
}
