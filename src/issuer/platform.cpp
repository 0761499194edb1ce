// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <tallycard/contract.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/verify.hpp>

#include "account_orders.hpp"
#include "authorisation.hpp"
#include "books.hpp"
#include "files.hpp"
#include "ledger_tree.hpp"
#include "platform_transaction.hpp"
#include "settlement.hpp"

namespace tallycard {
namespace {

constexpr std::size_t longest_checkpoint = 4096;

// Whether the ledger in the store continues what a note says it was.
Result<void> check_continues(StoreTransaction& store, const std::string& note,
                             const IssuerDescription& issuer)
{
    const auto known = Checkpoint::open(note, issuer.origin, issuer.checkpoint_key);
    if (!known) return Error{.code = Errc::file_damaged, .where = "checkpoint"};
    const auto size = store.entry_count();
    if (!size) return size.error();
    if (*size < known->head.size) return Error{.code = Errc::ledger_behind, .where = "checkpoint"};
    const auto root = LedgerTree(store).root(known->head.size);
    if (!root) return root.error();
    if (*root != known->head.root) return Error{.code = Errc::ledger_behind, .where = "checkpoint"};
    return {};
}

// A description may only grow: by operation keys.
bool continues(const IssuerDescription& now, const IssuerDescription& before)
{
    const auto known = [&](const PublicKey& key) {
        return std::ranges::find(now.operation_keys, key) != now.operation_keys.end();
    };
    return now.origin == before.origin && now.currency == before.currency &&
           now.card_root == before.card_root && now.checkpoint_key == before.checkpoint_key &&
           std::ranges::all_of(before.operation_keys, known);
}

Result<void> adopt_issuer(StoreTransaction& store, const IssuerDescription& issuer)
{
    const auto text = store.issuer();
    if (!text) return text.error();
    if (*text == issuer.to_text()) return {};
    if (*text) {
        const auto before = IssuerDescription::parse(**text);
        if (!before) return Error{.code = Errc::file_damaged, .where = "store"};
        if (!continues(issuer, *before))
            return Error{.code = Errc::conflict, .where = "issuer of the store"};
    }
    return store.put_issuer(issuer.to_text());
}

}  // namespace

Platform::~Platform() = default;

Platform::Platform(std::unique_ptr<Store> store, PlatformSettings settings)
    : store_(std::move(store)), settings_(std::move(settings))
{
}

Result<std::unique_ptr<Platform>> Platform::open(std::unique_ptr<Store> store,
                                                 PlatformSettings settings)
{
    TALLYCARD_EXPECTS(store != nullptr && settings.issuer.valid());
    if (const auto safe = self_test(); !safe) return safe.error();
    std::unique_ptr<Platform> platform(new Platform(std::move(store), std::move(settings)));
    if (const auto started = platform->start(); !started) return started.error();
    return platform;
}

Result<void> Platform::start()
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) { return check(store); });
}

Result<void> Platform::check(StoreTransaction& store) const
{
    if (const auto adopted = adopt_issuer(store, settings_.issuer); !adopted) return adopted;
    const auto sum = store.sum_of_books();
    if (!sum) return sum.error();
    if (*sum != 0) return Error{.code = Errc::file_damaged, .where = "sum of the books"};

    const auto note = store.checkpoint();
    if (!note) return note.error();
    if (*note) {
        if (const auto checked = check_continues(store, **note, settings_.issuer); !checked)
            return checked;
    }
    if (settings_.checkpoint_file.empty()) return {};
    const auto outside = files::read(settings_.checkpoint_file, longest_checkpoint);
    if (!outside && outside.error().code == Errc::file_missing) return {};
    if (!outside) return outside.error();
    return check_continues(store, *outside, settings_.issuer);
}

Time Platform::now() const
{
    using std::chrono::milliseconds, std::chrono::system_clock;
    if (settings_.clock) return settings_.clock();
    return std::chrono::floor<milliseconds>(system_clock::now());
}

Result<CardStanding> Platform::standing(const CardId& card_id,
                                        const std::optional<AccountId>& terminal)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<CardStanding> {
        const auto card = store.card(card_id);
        if (!card) return card.error();
        if (!*card) return Error{.code = Errc::unknown_card, .where = "standing"};
        const auto busy = pending_operations(store, **card);
        if (!busy) return busy.error();
        CardStanding standing{.card_id = card_id,
                              .public_key = (*card)->public_key,
                              .currency = settings_.issuer.currency,
                              .state = (*card)->state,
                              .settled = (*card)->settled,
                              .balance = (*card)->balance,
                              .denied = (*card)->denied,
                              .pending = {},
                              .voiding = {}};
        if (busy->pending) {
            standing.withheld = is_withheld(*busy->pending, terminal);
            if (!standing.withheld) standing.pending = busy->pending->first;
        }
        if (busy->voiding) standing.voiding = busy->voiding->first;
        return standing;
    });
}

Result<OperationStatus> Platform::authorise(const OperationRequest& request)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) {
        return Authoriser(store, settings_).authorise(request);
    });
}

Result<OperationStatus> Platform::authorise_transfer(const TransferRequest& request)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) {
        return Authoriser(store, settings_).authorise_transfer(request);
    });
}

Result<FirstInstruction> Platform::void_pending(const CardId& card_id)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) {
        return Authoriser(store, settings_).void_pending(card_id);
    });
}

Result<OperationStatus> Platform::status(const OperationId& id,
                                         const std::optional<AccountId>& terminal)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<OperationStatus> {
        const auto row = store.operation(id);
        if (!row) return row.error();
        if (!*row) return Error{.code = Errc::unknown_operation, .where = "status"};
        const auto status = status_of(store, **row);
        if (status && status->progress == Progress::pending && is_withheld(**row, terminal))
            return Error{.code = Errc::not_permitted, .where = "status"};
        return status;
    });
}

Result<Settlement> Platform::settle(const Submission& submission)
{
    auto settlements = settle_all(std::span(&submission, 1));
    if (!settlements) return settlements.error();
    return settlements->front();
}

// A refused receipt does not hold up the others: what it wrote, as evidence, is kept with them.
Result<std::vector<Result<Settlement>>> Platform::settle_all(
    std::span<const Submission> submissions)
{
    using Settlements = std::vector<Result<Settlement>>;
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<Settlements> {
        Settlements settlements;
        settlements.reserve(submissions.size());
        Settler settler(store, settings_, now());
        for (const auto& submission : submissions) {
            settlements.push_back(settler.settle(submission));
            const auto& last = settlements.back();
            if (!last && is_store_error(last.error())) return last.error();
        }
        return settlements;
    });
}

Result<ExecutedOrder> Platform::execute(const SignedOrder& order)
{
    return writing(mutex_, *store_, [&](StoreTransaction& store) {
        return AccountOrders(store, settings_, now()).execute(order);
    });
}

Result<std::vector<OrderAnswer>> Platform::do_all(std::span<const Order> orders)
{
    using Answers = std::vector<OrderAnswer>;
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<Answers> {
        Answers answers;
        answers.reserve(orders.size());
        Settler settler(store, settings_, now());
        Authoriser authoriser(store, settings_);
        for (const auto& order : orders) {
            if (const auto* submission = std::get_if<Submission>(&order)) {
                const auto settled = settler.settle(*submission);
                if (!settled && is_store_error(settled.error())) return settled.error();
                answers.emplace_back(settled);
                continue;
            }
            const auto* transfer = std::get_if<TransferRequest>(&order);
            const auto status = transfer != nullptr
                                    ? authoriser.authorise_transfer(*transfer)
                                    : authoriser.authorise(*std::get_if<OperationRequest>(&order));
            if (!status && authoriser.has_lost(status.error())) return status.error();
            answers.emplace_back(status);
        }
        return answers;
    });
}

}  // namespace tallycard
