// SPDX-License-Identifier: Apache-2.0
#include "issuer_world.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <tallycard/card_session.hpp>
#include <tallycard/pin.hpp>

#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/digest.hpp"
#include "../simulation/faulty_store.hpp"
#include "fuzz.hpp"
#include "scratch.hpp"

namespace fuzz {

using namespace tallycard;

namespace {

KeySeed seed(std::uint8_t n)
{
    std::array<std::uint8_t, KeySeed::size> bytes;
    bytes.fill(n);
    return KeySeed(bytes);
}

TransportKey transport_key()
{
    std::array<std::uint8_t, TransportKey::size> bytes;
    bytes.fill(7);
    return TransportKey(bytes);
}

simulation::Injector& injector()
{
    static simulation::Injector injector;
    return injector;
}

// An empty store, as the library makes it on a disk.
simulation::MemoryDisk::Bytes empty_store()
{
    (void)create_sqlite_store(IssuerWorld::store_path()).value();
    std::ifstream file(IssuerWorld::store_path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

SoftwareCardRoot& root()
{
    static SoftwareCardRoot root(seed(2));
    return root;
}

constexpr Time first_time{std::chrono::days(20000)};

constexpr Limits no_limits{.maximum_balance = Balance::minor_units(Balance::largest),
                           .maximum_amount = Balance::minor_units(Balance::largest),
                           .pin_above = Balance::minor_units(Balance::largest),
                           .offline_payments = Limits::most_offline_payments,
                           .offline_total = Balance::minor_units(Balance::largest)};

test::SimulatedCard simulated(Platform& platform, std::uint32_t number, const Limits& limits)
{
    const auto id = id_of<CardId>(number);
    auto key = root().derive(id).value();
    auto card = IssuerWorld::new_card(id, key);
    card.limits = limits;
    platform.register_card(card).value();
    platform.confirm_card(id).value();
    return {id, std::move(key), platform.issuer().currency.unit};
}

MemoryCard::Image issued_card(Platform& platform, const CardId& id)
{
    MemoryCard card(MemoryCard::blank(transport_key()));
    std::string digits = "4711";
    const auto pin = make_pin_block(digits).value();
    CardOrder order;
    order.card_id = id;
    order.limits = {.maximum_balance = Balance::minor_units(1000'00),
                    .maximum_amount = Balance::minor_units(200'00),
                    .pin_above = Balance::minor_units(50'00),
                    .offline_payments = 15,
                    .offline_total = Balance::minor_units(500'00)};
    order.pin = &pin;
    issue_card(platform, root(), card, transport_key(), order).value();
    const auto first = platform.authorise({.id = id_of<OperationId>(0xFFFF),
                                           .card_id = id,
                                           .kind = Kind::top_up,
                                           .amount = Amount::minor_units(100'00),
                                           .parameter = {},
                                           .terminal = account_of("till-1")});
    const auto receipt =
        CardSession::begin(card, root().public_key()).value().execute(first->first);
    platform.settle(test::submission(*receipt)).value();
    return card.image();
}

void put(std::string& out, std::int64_t number)
{
    out += std::to_string(number) + ' ';
}

}  // namespace

struct IssuerWorld::Template {
    simulation::MemoryDisk::Copy files;
    std::vector<test::SimulatedCard> cards;
    MemoryCard::Image image{};
};

simulation::MemoryDisk& IssuerWorld::disk()
{
    static const auto empty = empty_store();
    static simulation::MemoryDisk disk(injector());
    static const bool is_there = (disk.put(store_path(), empty), true);
    (void)is_there;
    return disk;
}

const std::string& IssuerWorld::store_path()
{
    static const auto path = scratch().file("store");
    return path;
}

CardKey IssuerWorld::derive(const CardId& id)
{
    return root().derive(id).value();
}

NewCard IssuerWorld::new_card(const CardId& id, const CardKey& key)
{
    return {.card_id = id,
            .certificate = key.certificate,
            .public_key = key.public_key,
            .transport_key = sha256(id.bytes()),
            .limits = limits(),
            .sealed = SealedPersonalisation(id.bytes())};
}

const Limits& IssuerWorld::limits()
{
    static constexpr Limits limits{.maximum_balance = Balance::minor_units(600'00),
                                   .maximum_amount = Balance::minor_units(500'00),
                                   .pin_above = Balance::minor_units(50'00),
                                   .offline_payments = 15,
                                   .offline_total = Balance::minor_units(500'00)};
    return limits;
}

ExecutedOperation IssuerWorld::sign(const Operation& operation, std::size_t key)
{
    return {operation, settings().signers[key]->sign(operation).value()};
}

SoftwareAccountSigner IssuerWorld::owner(std::size_t number)
{
    return SoftwareAccountSigner(seed(static_cast<std::uint8_t>(20 + number)));
}

SignedOrder IssuerWorld::order_for(Platform& platform, std::uint32_t number, OrderKind kind,
                                   const AccountId& account, std::int64_t amount, const char* other,
                                   std::size_t key)
{
    AccountOrder order{.kind = kind,
                       .account = account,
                       .number = 0,
                       .amount = Amount::minor_units(amount),
                       .unit = platform.issuer().currency.unit,
                       .id = id_of<OperationId>(0x0A000000 + number)};
    const auto row = platform.account(account_of(order));
    order.number = (row && *row ? (*row)->number : 0) + 1;
    auto owner = IssuerWorld::owner(key);
    if (other != nullptr) order.other = account_of(std::string_view(other));
    if (sets_key(kind)) order.key = owner.public_key();
    if (needs_reference(kind)) order.reference = Reference::parse("case 1");
    SignedOrder made{order, std::nullopt};
    if (order.valid() && needs_owner(kind))
        made.owner = owner.sign(platform.issuer().card_root, order).value();
    return made;
}

SignedOrder IssuerWorld::order(OrderKind kind, const AccountId& account, std::int64_t amount,
                               const char* other, std::size_t key)
{
    const auto undisturbed = quiet();
    return order_for(*platform_, ++orders_, kind, account, amount, other, key);
}

Time& IssuerWorld::clock()
{
    static Time time;
    return time;
}

const CheckpointKey& IssuerWorld::other_key()
{
    static const CheckpointKey key(seed(9));
    return key;
}

void IssuerWorld::write_checkpoint_file(std::span<const std::uint8_t> note)
{
    if (note.empty())
        std::filesystem::remove(settings().checkpoint_file);
    else
        (void)file_with("checkpoint", note);
}

const CheckpointKey& IssuerWorld::checkpoint_key()
{
    static const CheckpointKey key(seed(3));
    return key;
}

const PlatformSettings& IssuerWorld::settings()
{
    static const auto settings = [] {
        PlatformSettings made;
        made.signers = {std::make_shared<SoftwareOperationSigner>(seed(1)),
                        std::make_shared<SoftwareOperationSigner>(seed(4))};
        made.checkpoint_file = scratch().file("checkpoint");
        made.clock = [] { return clock(); };
        made.quarantine = made.gap_after = std::chrono::days(30);
        made.issuer.origin = "issuer.test";
        made.issuer.currency = {.unit = *Unit::from_code(978), .exponent = 2};
        made.issuer.card_root = root().public_key();
        made.issuer.checkpoint_key = checkpoint_key().public_key();
        for (const auto& signer : made.signers)
            made.issuer.operation_keys.push_back(signer->public_key());
        return made;
    }();
    return settings;
}

const IssuerWorld::Template& IssuerWorld::made()
{
    static const Template world = [] {
        Template made;
        clock() = first_time;
        disk();
        auto store = open_sqlite_store(store_path()).value();
        auto platform = Platform::open(std::move(store), settings()).value();
        platform->execute(order_for(*platform, 0, OrderKind::open, account_of("shop"))).value();
        for (std::uint32_t n = 1; n <= 2; ++n) {
            auto card = simulated(*platform, n, n == 1 ? no_limits : limits());
            const auto first = platform->authorise({.id = id_of<OperationId>(0x10000 + n),
                                                    .card_id = card.id(),
                                                    .kind = Kind::top_up,
                                                    .amount = Amount::minor_units(500'00),
                                                    .parameter = {},
                                                    .terminal = account_of("till-1")});
            platform->settle(test::submission(card.execute(first->first))).value();
            const auto paid = card.pay(20'00, "shop");
            platform->settle(paid).value();
            made.cards.push_back(card);
        }
        made.image = issued_card(*platform, id_of<CardId>(3));
        platform.reset();
        write_checkpoint_file({});
        made.files = disk().copy();
        return made;
    }();
    return world;
}

IssuerWorld::IssuerWorld() : cards(made().cards), image(made().image), applet_card(id_of<CardId>(3))
{
    recover();
    clock() = first_time;
    platform_.reset();
    write_checkpoint_file({});
    disk().restore(made().files);
    FUZZ_CHECK(open());
}

bool IssuerWorld::open()
{
    auto store = open_sqlite_store(store_path(), StoreCheck::quick);
    if (!store) return false;
    auto opened =
        Platform::open(simulation::make_faulty(std::move(*store), injector(), disk()), settings());
    if (!opened) return false;
    platform_ = *std::move(opened);
    return true;
}

simulation::MemoryDisk::Copy IssuerWorld::close_and_copy()
{
    platform_.reset();
    return disk().copy();
}

void IssuerWorld::plan(const simulation::Fault& fault)
{
    injector().begin({fault});
}

bool IssuerWorld::restart()
{
    platform_.reset();
    if (disk().stopped()) disk().restart(1);
    return open();
}

void IssuerWorld::recover()
{
    injector().end();
    disk().recover();
    if (!disk().stopped() && platform_) return;
    platform_.reset();
    if (disk().stopped()) disk().restart(1);
    if (!disk().files().empty()) (void)open();
}

simulation::Injector::Pause IssuerWorld::quiet()
{
    return simulation::Injector::Pause(injector());
}

void IssuerWorld::view_gaps(Platform& platform, const CardId& card_id, View& view)
{
    for (const auto& gap : platform.gaps(card_id).value()) {
        put(view.value, gap.first);
        put(view.value, gap.last);
        put(view.value, gap.left);
        FUZZ_CHECK(gap.left >= 0 && gap.first <= gap.last);  // I23
    }
}

// A refused result of a denied card closes its gaps all the same: no entry is new but these, and
// the payments that were kept behind them.
bool IssuerWorld::only_closed_gaps(std::uint64_t from)
{
    const auto undisturbed = quiet();
    const auto fresh = platform_->entries(from, 64);
    if (!fresh || fresh->empty() || fresh->front().gap() == nullptr) return false;
    const auto id = fresh->front().gap()->card_id;
    const auto card = platform_->card(id);
    return card && *card && (*card)->denied && std::ranges::all_of(*fresh, [&](const Entry& entry) {
               const auto* record = entry.record();
               return record != nullptr ? record->receipt.result.card_id == id
                                        : entry.gap() != nullptr && entry.gap()->card_id == id;
           });
}

View IssuerWorld::view()
{
    const auto undisturbed = quiet();
    View view;
    for (const auto& row : platform_->accounts().value()) {
        view.sum += row.balance;
        view.value += row.name.to_string() + ' ';
        put(view.value, row.balance);
        put(view.value, row.reserved);
        put(view.value, row.number);
        if (row.key) view.value += row.key->to_string() + ' ';
        FUZZ_CHECK(row.reserved >= 0);
        FUZZ_CHECK(row.name.kind != AccountKind::associated || row.balance >= row.reserved);
    }
    for (const auto& row : platform_->cards().value()) {
        const auto balance = static_cast<std::int64_t>(row.balance.to_minor_units());
        view.sum += balance - row.recovered;
        view.value += row.card_id.to_string() + row.operation_key.to_string() + ' ';
        put(view.value, balance);
        put(view.value, row.settled);
        put(view.value, static_cast<std::int64_t>(row.state));
        view.value += row.last_result.to_string() + to_hex(encode_limits(row.limits)) + ' ';
        put(view.value, row.recovered);
        put(view.value, row.given_up_at ? 1 + std::int64_t{*row.given_up_at} : 0);
        put(view.value, row.written_off ? 1 + std::int64_t{*row.written_off} : 0);
        put(view.standing, row.denied ? 1 : 0);
        put(view.standing, row.lost_since ? row.lost_since->time_since_epoch().count() : 0);
        view_gaps(*platform_, row.card_id, view);
    }
    for (const auto& first : platform_->pending().value())
        view.value += to_hex(first.encode().bytes());
    const auto head = platform_->ledger_head().value();
    view.entries = head.size;
    view.value += head.root.to_string() + ' ';
    put(view.value, static_cast<std::int64_t>(platform_->restored().value()));
    put(view.standing, static_cast<std::int64_t>(platform_->evidence().value().size()));
    FUZZ_CHECK(view.sum == 0);  // I3
    return view;
}

}  // namespace fuzz
