// SPDX-License-Identifier: Apache-2.0
// An exported ledger in the hands of an auditor: the genuine one with bytes and lines changed, and,
// where the input says so, signed again by an issuer who lies. Only the genuine one is right; what
// is signed again and passes still sums up to zero.
#include <tallycard/deny_list.hpp>
#include <tallycard/ledger_verifier.hpp>

#include "../../src/issuer/ledger_export.hpp"
#include "../../src/protocol/digest.hpp"
#include "fuzz.hpp"
#include "issuer_world.hpp"
#include "same_random.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Input;
using fuzz::IssuerWorld;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text)
{
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1);
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}
std::string join(const Lines& lines)
{
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

// An order of each kind but those of lost cards.
void add_orders(IssuerWorld& world)
{
    auto& platform = world.platform();
    const auto execute = [&](OrderKind kind, const char* account, std::int64_t amount = 0,
                             const char* other = nullptr) {
        platform.execute(world.order(kind, fuzz::account_of(account), amount, other)).value();
    };
    execute(OrderKind::open, "another");
    execute(OrderKind::pay_in, "shop", 9'00, "bank");
    execute(OrderKind::pay_out, "shop", -1'00, "bank");
    execute(OrderKind::move, "shop", -2'00, "another");
    execute(OrderKind::move, "another", -2'00, "shop");
    execute(OrderKind::replace_key, "another");
    execute(OrderKind::reset_key, "another");
    execute(OrderKind::close, "another");
    execute(OrderKind::adjust, "shop", -1, "bank");
    execute(OrderKind::hand_in, "T1", 5'00, "bank");
}

// A gap, and a result that comes late; then the card is denied, and most of its book recovered, and
// what waits for it written off.
void add_lost(IssuerWorld& world)
{
    auto& platform = world.platform();
    auto& card = world.cards[0];
    const auto id = card.id().to_string();
    (void)card.pay(3'00, "shop");  // which nobody hands in
    const auto other = card.pay(1'00, "nobody");
    platform.settle(card.pay(2'00, "nobody")).value();
    IssuerWorld::clock() += std::chrono::days(31);
    FUZZ_CHECK(platform.close_gaps().value() == 1);
    platform.settle(other).value();
    TransferRequest request{.id = fuzz::id_of<OperationId>(0x40),
                            .second = card.request(Kind::transfer_in, 1'00, "shop"),
                            .terminal = fuzz::account_of("T1")};
    request.consent =
        IssuerWorld::owner().consent(platform.issuer().card_root, request.second.operation).value();
    const auto first = platform.authorise_transfer(request).value().first;
    platform.declare_lost(card.id()).value();
    IssuerWorld::clock() += std::chrono::days(31);
    const auto execute = [&](OrderKind kind, std::int64_t amount) {
        const auto order = world.order(kind, fuzz::account_of("shop"), amount, id.c_str());
        platform.execute(order).value();
    };
    execute(OrderKind::recover, platform.recoverable(card.id()).value().free);
    execute(OrderKind::write_off, 0);
    platform.settle(test::submission(card.execute(first))).value();
    platform.settle(card.pay(5'00, "shop")).value();
    const auto holder = holder_account(card.id());
    platform.execute(world.order(OrderKind::pay_in, holder, 4'00, "bank")).value();
    execute(OrderKind::recover_holder, 4'00);
    FUZZ_CHECK(!platform.undeny(card.id()));
}

// Some history of every kind: payments, transfers, a cash-out, a new operation key, a blocked card;
// each order; a gap, a late result, and what can be had of a lost card.
const std::string& genuine()
{
    static const std::string text = [] {
        IssuerWorld world;
        auto& platform = world.platform();
        std::uint32_t ids = 0;
        const auto run = [&](test::SimulatedCard& card, Kind kind, Parameter parameter = {}) {
            const auto first =
                platform.authorise({.id = fuzz::id_of<OperationId>(++ids),
                                    .card_id = card.id(),
                                    .kind = kind,
                                    .amount = Amount::minor_units(kind == Kind::top_up ? 100 : 0),
                                    .parameter = parameter,
                                    .terminal = fuzz::account_of("T1")});
            platform.settle(test::submission(card.execute(first->first))).value();
        };
        auto& card = world.cards[0];
        run(card, Kind::top_up);
        run(card, Kind::replace_operation_key, IssuerWorld::settings().issuer.operation_keys[1]);
        const auto transfer = [&](Kind kind, std::int64_t amount, const char* account) {
            TransferRequest request{.id = fuzz::id_of<OperationId>(++ids),
                                    .second = card.request(kind, amount, account),
                                    .terminal = fuzz::account_of("T1")};
            if (kind == Kind::transfer_in)
                request.consent =
                    IssuerWorld::owner()
                        .consent(platform.issuer().card_root, request.second.operation)
                        .value();
            const auto first = platform.authorise_transfer(request);
            platform.settle(test::submission(card.execute(first->first))).value();
        };
        transfer(Kind::transfer_in, 5'00, "shop");
        run(world.cards[1], Kind::block);
        transfer(Kind::cash_out, -1'00, "T1");
        add_orders(world);
        add_lost(world);
        const auto path = fuzz::scratch().file("export");
        platform.export_ledger(path, IssuerWorld::checkpoint_key()).value();
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }();
    return text;
}

void change_lines(Lines& lines, Input& input)
{
    for (auto left = input.below(4); left > 0 && !lines.empty(); --left) {
        const auto at = input.below(lines.size()), other = input.below(lines.size());
        const auto place = lines.begin() + static_cast<std::ptrdiff_t>(at);
        switch (input.below(6)) {
        case 0: lines.erase(place); break;
        case 1: lines.insert(place, Lines(lines)[other]); break;
        case 2: std::swap(lines[at], lines[other]); break;
        case 3: lines.resize(at); break;
        case 4: {
            const auto given = input.counted();
            lines.insert(place, std::string(fuzz::text(given)));
            break;
        }
        default: {
            fuzz::Bytes bytes(lines[at].begin(), lines[at].end());
            fuzz::edit(bytes, input);
            lines[at] = fuzz::text(bytes);
        }
        }
    }
}

// The note at the end of it, made anew for the lines that are there.
void sign_deny_list(std::string& text)
{
    const auto begin = text.find("\ndeny-list\n");
    if (begin == std::string::npos) return;
    auto end = begin + 11;
    DenyListHead head{.origin = "issuer.test", .time = IssuerWorld::clock()};
    while (end < text.size() && (text[end] == '+' || text[end] == '-')) {
        end = std::min(text.find('\n', end), text.size() - 1) + 1;
        ++head.lines;
    }
    const auto lines = std::string_view(text).substr(begin + 11, end - begin - 11);
    head.hash = sha256({reinterpret_cast<const std::uint8_t*>(lines.data()), lines.size()});
    text.resize(end);
    text += head.sign(IssuerWorld::checkpoint_key()).value();
}

// As an issuer would who has the checkpoint key: checkpoint, deny list and end fit what is there.
std::string sign_again(const Lines& lines)
{
    merkle::Frontier tree;
    std::string text;
    for (const auto& line : lines) {
        if (line.starts_with("entry ")) {
            fuzz::Bytes bytes((line.size() - 6) / 2);
            if (detail::from_hex(std::string_view(line).substr(6), bytes))
                tree.append(merkle::leaf_hash(bytes));
        }
        if (line == "end") break;
        text += line + '\n';
    }
    const auto& key = IssuerWorld::checkpoint_key();
    const auto begin = text.find("\ncheckpoint\n");
    if (begin != std::string::npos) {
        auto end = begin + 12;
        for (int i = 0; i < 5; ++i) end = std::min(text.find('\n', end), text.size() - 1) + 1;
        const Checkpoint made{"issuer.test", {tree.size(), tree.root()}};
        text.replace(begin + 12, end - begin - 12, made.sign(key).value());
    }
    sign_deny_list(text);
    text += "end\n";
    const auto hash = sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return text + key.sign_note(export_statement(hash), "issuer.test").value();
}

void check(const std::string& text, bool is_signed_again, const std::optional<Checkpoint>& known)
{
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    const auto path = fuzz::file_with("ledger", bytes);
    const auto report = verify_ledger(path, IssuerWorld::settings().issuer, known);
    FUZZ_CHECK(report);
    if (report->fault) {
        FUZZ_CHECK(text != genuine() && !report->fault->what.empty());
        FUZZ_CHECK(report->fault->line >= 1);
        return;
    }
    FUZZ_CHECK(text == genuine() || is_signed_again);
    FUZZ_CHECK(report->on_cards - report->recovered + report->in_accounts + report->cash +
                   report->outside ==
               0);
    FUZZ_CHECK(report->checkpoint.head.size == report->entries);
    if (known) FUZZ_CHECK(report->entries >= known->head.size);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto how = input.byte();
    auto lines = lines_of(genuine());
    change_lines(lines, input);
    std::optional<Checkpoint> known;
    if ((how & 2) != 0) {
        const auto report =
            verify_ledger(fuzz::scratch().file("export"), IssuerWorld::settings().issuer);
        known = report->checkpoint;
    }
    const bool again = (how & 1) != 0;
    auto text = again ? sign_again(lines) : join(lines);
    if ((how & 4) != 0 && !text.empty()) text.pop_back();
    check(text, again, known);
    return 0;
}
