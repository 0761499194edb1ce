// SPDX-License-Identifier: Apache-2.0
// The service behind its HTTPS: requests of any client to any path, with genuine, changed and
// made-up parameters and bodies. Every answer is one that the interface has; what is refused or
// only asked changes nothing, and the books sum up to zero after each (I3). A pending debit is
// shown to the terminal that asked for it alone.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <tallycard/verify.hpp>

#include "../../src/protocol/digest.hpp"
#include "../../src/service/api.hpp"
#include "fuzz.hpp"
#include "issuer_world.hpp"
#include "json_edit.hpp"
#include "same_random.hpp"

using namespace tallycard;
using fuzz::Input;
using fuzz::IssuerWorld;
using https::Json;
using service::Call;
using service::role::anybody;

namespace {

constexpr std::size_t most_steps = 10, most_keys = 3;

class Desk {
public:
    explicit Desk(Input& input)
        : input_(input),
          orders_(world_.platform(), 8),
          has_key_(!input.one_in(8)),
          checkpoints_(world_.platform(), has_key_ ? &IssuerWorld::checkpoint_key() : nullptr,
                       std::chrono::seconds(input.one_in(4) ? 3600 : 0)),
          gaps_(world_.platform(), std::chrono::hours(1000), log_),
          usage_(service::Usage::open("").value())
    {
        last_ = world_.view();
    }

    void step()
    {
        is_failing_ = input_.one_in(16);
        if (is_failing_)
            world_.plan({.kind = simulation::FaultKind::statement_fails,
                         .at = input_.byte() % 32u,
                         .value = 0});
        ask();
        world_.recover();
    }

private:
    void ask()
    {
        const auto& wanted = service::routes()[input_.below(service::routes().size())];
        const auto path = input_.one_in(8) ? any_path() : path_of(wanted.pattern);
        const std::string method = input_.one_in(16) ? "PUT" : wanted.method;
        const auto match = service::find_route(method, path);
        if (match.route == nullptr) return;
        const auto& route = *match.route;
        FUZZ_CHECK(route.method == method && !match.other_method);
        Call call{.client = {}, .captured = match.captured, .parameters = parameters(), .body = {}};
        if (route.roles != anybody) {
            call.client = client();
            if ((call.client->roles & route.roles) == 0) return;
        }
        const bool posts = method == "POST";
        if (posts) call.body = body(route.pattern);
        IssuerWorld::clock() += std::chrono::days(input_.one_in(8) ? input_.byte() : 0);
        const auto* key = has_key_ ? &IssuerWorld::checkpoint_key() : nullptr;
        service::Works works{world_.platform(), orders_,  checkpoints_, key,     nullptr, gaps_,
                             *usage_,           metrics_, settings_,    chains_, 1};
        const auto answer = route.handler(works, call);
        metrics_.request(route.pattern, answer.status, std::chrono::milliseconds(input_.byte()));
        check(answer, posts);
        if (route.roles != anybody) check_signed(route.pattern, call, answer);
    }

    void check(const service::Answer& answer, bool posts)
    {
        static const std::set<int> all = {200, 400, 403, 404, 409, 422, 500, 503};
        FUZZ_CHECK(all.contains(answer.status));
        const auto now = world_.view();
        const auto error = https::read_error(answer.body);
        FUZZ_CHECK(error.has_value() == (answer.status != 200));
        const bool in_doubt = error && error->effect == Effect::unknown;
        FUZZ_CHECK((posts && (!error || in_doubt)) || now.value == last_.value ||
                   (posts && world_.only_closed_gaps(last_.entries)));
        last_ = now;
        if (!error) return;
        FUZZ_CHECK(https::status_of(*error) == answer.status || answer.status == 503);
        if (is_failing_) return;
        // Nothing fails but what a client can cause; without a key there are no checkpoints.
        FUZZ_CHECK(answer.status < 500 || error->code == Errc::file_missing);
        FUZZ_CHECK(!in_doubt);
    }

    static std::optional<Json> object_of(const std::string& text)
    {
        https::Problem problem;
        return https::parse_object(text, problem);
    }
    static bool has(const Call& call, const std::optional<AccountId>& terminal)
    {
        return terminal &&
               std::ranges::find(call.client->accounts, *terminal) != call.client->accounts.end();
    }
    // Operations that were signed, or shown while the card may still execute them.
    void check_signed(std::string_view pattern, const Call& call, const service::Answer& answer)
    {
        const auto json = object_of(answer.body);
        if (!json) return;
        https::Problem none;
        if (pattern == "/v1/transfers") note_asker(call, answer);
        if (answer.status != 200) return;
        if (pattern == "/v1/operations" || pattern == "/v1/transfers") {
            const auto status = https::read_status(*json, none);
            FUZZ_CHECK(status);
            const auto& operation = status->first.operation;
            FUZZ_CHECK(needs_request(operation.kind) == (pattern == "/v1/transfers"));
            const bool is_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
            FUZZ_CHECK(!is_cash || has(call, operation.account));
        } else if (pattern == "/v1/operations/{id}") {
            const auto status = https::read_status(*json, none);
            FUZZ_CHECK(status);
            if (status->progress == Progress::pending) check_shown(call, status->first.operation);
        } else if (pattern == "/v1/cards/{card_id}/standing") {
            const auto standing = https::read_standing(*json, none);
            FUZZ_CHECK(standing && (!standing->pending || !standing->withheld));
            if (standing->pending) check_shown(call, standing->pending->operation);
        } else if (pattern == "/v1/orders") {
            const auto executed = https::read_executed_order(*json, none);
            FUZZ_CHECK(executed);
            check_executed(call, executed->record);
        } else if (pattern == "/v1/accounts/{...}") {
            const auto standing = https::read_account_standing(*json, none);
            FUZZ_CHECK(standing && standing->reserved >= 0);
            const bool looks =
                (call.client->roles & (service::role::issuer | service::role::auditor)) != 0;
            FUZZ_CHECK(looks || has(call, standing->account));
        }
    }
    // I19: a merchant has its own accounts' orders executed, and those that owners sign; each of
    // these is signed by one of the keys that there are.
    static void check_executed(const Call& call, const AccountRecord& record)
    {
        const auto& order = record.order;
        const bool issuers = needs_reference(order.kind) || !needs_owner(order.kind);
        if ((call.client->roles & service::role::issuer) == 0)
            FUZZ_CHECK(!issuers && has(call, order.account));
        if (!needs_owner(order.kind)) return;
        const auto& root = IssuerWorld::settings().issuer.card_root;
        bool is_signed = false;
        for (std::size_t key = 0; key < most_keys; ++key)
            is_signed = is_signed || verify_owner(order, *record.owner_signature, root,
                                                  IssuerWorld::owner(key).public_key());
        FUZZ_CHECK(is_signed);
    }
    void check_shown(const Call& call, const Operation& operation) const
    {
        if (!is_debit(operation.kind)) return;
        const auto asker = askers_.find(operation.digest());
        FUZZ_CHECK(asker != askers_.end() && has(call, asker->second));
    }
    // Where the answer is in doubt, it may have been signed.
    void note_asker(const Call& call, const service::Answer& answer)
    {
        const auto error = https::read_error(answer.body);
        if (error && error->effect != Effect::unknown) return;
        const auto json = object_of(call.body);
        if (!json) return;
        https::Problem none;
        const auto transfer = https::read_transfer(*json, none);
        if (transfer)
            askers_.insert_or_assign(transfer->second.operation.digest(), transfer->terminal);
    }

    CardId card_id()
    {
        const auto which = input_.below(8);
        if (which == 0) return world_.applet_card;
        return which == 1 ? CardId() : card().id();
    }
    test::SimulatedCard& card() { return world_.cards[input_.below(world_.cards.size())]; }
    OperationId id() { return fuzz::id_of<OperationId>(input_.byte() % 8u); }
    Digest digest() { return sha256(fuzz::id_of<CardId>(input_.byte() % 4u).bytes()); }
    std::string words(std::size_t most)
    {
        return std::string(fuzz::text(input_.bytes(input_.below(most))));
    }

    std::string any_path() { return '/' + words(48); }
    std::string path_of(std::string_view pattern)
    {
        std::string path;
        while (!pattern.empty()) {
            const auto brace = std::min(pattern.find('{'), pattern.size());
            path += pattern.substr(0, brace);
            pattern.remove_prefix(brace);
            if (pattern.empty()) break;
            const auto end = pattern.find('}') + 1;
            path += captured(pattern.substr(0, end));
            pattern.remove_prefix(end);
        }
        return path;
    }
    std::string captured(std::string_view brace)
    {
        if (input_.one_in(8)) return words(40);
        if (brace == "{card_id}") return card_id().to_string();
        if (brace == "{id}") return id().to_string();
        if (brace == "{digest}") return digest().to_string();
        if (input_.one_in(3)) return std::string(account().text());
        return tile();
    }
    std::string tile()
    {
        constexpr const char* tiles[] = {"000",       "000.p/1", "0/000.p/4", "0/000.p/7",
                                         "1/000.p/1", "1/000",   "0/001",     "0/x001/234.p/5",
                                         "63/000",    "64/000",  "00/000"};
        auto text = std::string(tiles[input_.below(std::size(tiles))]);
        if (input_.one_in(4)) text[input_.byte() % text.size()] = static_cast<char>(input_.byte());
        return text;
    }

    std::multimap<std::string, std::string> parameters()
    {
        constexpr const char* names[] = {"from",     "limit", "index", "card_id",
                                         "sequence", "after", "more",  "terminal"};
        std::multimap<std::string, std::string> all;
        for (auto left = input_.below(4); left > 0; --left) {
            const std::string name = names[input_.below(std::size(names))];
            all.emplace(name, value_of(name));
        }
        return all;
    }
    std::string value_of(const std::string& name)
    {
        if (input_.one_in(8)) return words(16);
        if (name == "card_id") return card_id().to_string();
        if (name == "terminal") return terminal();
        if (name != "after") return std::to_string(input_.byte() % 12);
        switch (input_.below(3)) {
        case 0: return card_id().to_string();
        case 1: return "cash/T1";
        default: return "associated/shop";
        }
    }

    // Mostly the first one.
    const char* terminal() { return input_.one_in(4) ? "T2" : "T1"; }

    service::Client client()
    {
        service::Client client{.name = "T1",
                               .roles = 1 + input_.byte() % 15u,
                               .accounts = {},
                               .tokens = {},
                               .certificates = {},
                               .most_at_once = {},
                               .most_in_a_day = {}};
        const auto whose = input_.below(4);
        if (whose != 1) client.accounts.push_back(fuzz::account_of("T1"));
        if (whose == 1 || whose == 2) client.accounts.push_back(fuzz::account_of("T2"));
        if (input_.one_in(2)) client.accounts.push_back(account());
        if (input_.one_in(4)) client.most_at_once = 20'00;
        if (input_.one_in(4)) client.most_in_a_day = 50'00;
        return client;
    }

    // What this path takes, changed or not; or what another one does; or any text.
    std::string body(std::string_view pattern)
    {
        if (input_.one_in(16)) return words(200);
        auto json = message(input_.one_in(16) ? "" : pattern);
        for (auto left = input_.one_in(3) ? 1 + input_.below(2) : 0; left > 0; --left)
            fuzz::edit(json, input_);
        return json.dump();
    }
    Json message(std::string_view pattern)
    {
        if (pattern == "/v1/operations") return https::to_json(request());
        if (pattern == "/v1/transfers") return https::to_json(transfer());
        if (pattern == "/v1/settlements") return submission();
        if (pattern == "/v1/cards") return https::to_json(new_card());
        if (pattern == "/v1/orders") return https::to_json(order());
        return Json::object();
    }
    OperationRequest request()
    {
        constexpr Kind kinds[] = {Kind::top_up,  Kind::cash_out,   Kind::block,
                                  Kind::unblock, Kind::set_limits, Kind::open_pin};
        OperationRequest request{.id = id(),
                                 .card_id = card_id(),
                                 .kind = kinds[input_.below(std::size(kinds))],
                                 .amount = {},
                                 .parameter = {},
                                 .terminal = fuzz::account_of(terminal())};
        if (moves_value(request.kind)) request.amount = Amount::minor_units(input_.byte() * 20);
        if (is_debit(request.kind)) request.amount = -request.amount;
        if (request.kind == Kind::set_limits) request.parameter = IssuerWorld::limits();
        return request;
    }
    TransferRequest transfer()
    {
        constexpr Kind kinds[] = {Kind::transfer_out, Kind::transfer_in, Kind::cash_out};
        const auto kind = kinds[input_.below(std::size(kinds))];
        const auto units = 1 + input_.byte() * 20;
        const auto* const terminal = this->terminal();
        const auto* account = kind == Kind::cash_out ? terminal : "shop";
        if (input_.one_in(8)) account = "T2";
        auto& card = this->card();
        const auto second = card.request(kind, is_credit(kind) ? units : -units, account);
        TransferRequest request{
            .id = id(), .second = second, .terminal = fuzz::account_of(terminal)};
        auto owner = IssuerWorld::owner(input_.below(8) % most_keys);
        if (needs_consent(second.operation) && !input_.one_in(8))
            request.consent =
                owner.consent(IssuerWorld::settings().issuer.card_root, second.operation).value();
        if (input_.one_in(4)) request.refunds = PaymentName{card.id(), 1u + input_.byte() % 4u};
        return request;
    }
    AccountId account()
    {
        constexpr const char* names[] = {"shop", "another", "T1", "unaccounted"};
        if (input_.one_in(8)) return holder_account(card().id());
        return fuzz::account_of(names[input_.below(std::size(names))]);
    }
    // Right for the account as it stands, but for the key, which may be another owner's.
    SignedOrder order()
    {
        if (!asked_.empty() && input_.one_in(4)) return asked_[input_.below(asked_.size())];
        constexpr OrderKind kinds[] = {
            OrderKind::open,      OrderKind::pay_in,         OrderKind::pay_out,
            OrderKind::move,      OrderKind::replace_key,    OrderKind::close,
            OrderKind::adjust,    OrderKind::recover,        OrderKind::hand_in,
            OrderKind::reset_key, OrderKind::recover_holder, OrderKind::write_off};
        const auto kind = kinds[input_.below(std::size(kinds))];
        const auto lost = card().id().to_string();
        const char* other = names_outside(kind) ? "bank" : nullptr;
        if (names_card(kind)) other = lost.c_str();
        if (kind == OrderKind::move) other = "another";
        const bool gives = kind == OrderKind::pay_out || kind == OrderKind::move;
        const bool moves = gives || names_outside(kind) || kind == OrderKind::recover ||
                           kind == OrderKind::recover_holder;
        const auto units = 1 + input_.byte() * 20;
        const auto key = input_.below(8) % most_keys;
        auto made = world_.order(kind, account(), !moves ? 0 : gives ? -units : units, other, key);
        // An order that is not valid cannot be written down.
        if (!made.order.valid()) made = world_.order(OrderKind::close, fuzz::account_of("shop"));
        asked_.push_back(made);
        return made;
    }
    // The operation that a card is to execute next, whichever terminal has asked for it.
    std::optional<FirstInstruction> pending(const test::SimulatedCard& card)
    {
        for (const auto* terminal : {"T1", "T2"}) {
            const auto standing = world_.platform().standing(card.id(), fuzz::account_of(terminal));
            const bool has_one = standing && standing->pending &&
                                 checked_add(card.balance(), standing->pending->operation.amount);
            if (has_one) return standing->pending;
        }
        return std::nullopt;
    }
    // A payment, or what is pending, executed; once more, or for the first time.
    Json submission()
    {
        auto& card = this->card();
        const auto first = pending(card);
        if (first && input_.one_in(2))
            results_.push_back(test::submission(card.execute(*first), executed(*first)));
        else if (results_.empty() || !input_.one_in(4))
            results_.push_back(card.pay(1 + input_.byte(), "shop"));
        if (input_.one_in(8)) lie();
        auto one = results_[input_.below(results_.size())];
        one.terminal = fuzz::account_of(terminal());
        if (input_.one_in(4)) one.reference = Reference::parse("order 7");
        return https::to_json(one);
    }
    // The operation that comes along: as the card's log has it, or nothing.
    std::optional<ExecutedOperation> executed(const FirstInstruction& first)
    {
        if (!input_.one_in(4)) return std::nullopt;
        return ExecutedOperation{first.operation, first.issuer_signature};
    }
    // Another result for the same sequence: evidence.
    void lie()
    {
        auto& card = this->card();
        auto result = results_.back().receipt.result;
        if (result.card_id != card.id()) return;
        result.balance = Balance::minor_units(input_.byte());
        results_.push_back(test::submission(card.sign(result), results_.back().executed));
    }
    // Derived once for each id: the same card may be registered again.
    NewCard new_card()
    {
        const auto id = fuzz::id_of<CardId>(input_.byte() % 8u);
        auto known = new_cards_.find(id);
        if (known == new_cards_.end())
            known =
                new_cards_.emplace(id, IssuerWorld::new_card(id, IssuerWorld::derive(id))).first;
        auto card = known->second;
        card.transport_key = digest();
        return card;
    }

    Input& input_;
    IssuerWorld world_;
    fuzz::View last_;
    service::OrderQueue orders_;
    bool has_key_;
    service::Checkpoints checkpoints_;
    service::EventLog log_{nullptr};
    service::GapCloser gaps_;
    std::unique_ptr<service::Usage> usage_;
    service::Metrics metrics_;
    service::ServiceSettings settings_;
    std::vector<std::unique_ptr<service::ChainFeed>> chains_;  // none
    std::vector<Submission> results_;
    std::vector<SignedOrder> asked_;
    std::map<CardId, NewCard> new_cards_;
    std::map<Digest, AccountId> askers_;  // of what a card has signed that it wants
    bool is_failing_ = false;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto desk = std::make_unique<Desk>(input);
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) desk->step();
    return 0;
}
