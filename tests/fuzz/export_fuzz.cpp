// SPDX-License-Identifier: Apache-2.0
// An exported ledger in the hands of an auditor: the genuine one with bytes and lines changed, and,
// where the input says so, signed again by an issuer who lies. Only the genuine one is right; what
// is signed again and passes still sums up to zero.
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

// Some history of every kind: payments, transfers, a cash-out, a new operation key, a blocked card.
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
            platform.settle(card.execute(first->first), std::nullopt).value();
        };
        auto& card = world.cards[0];
        run(card, Kind::top_up);
        run(card, Kind::replace_operation_key, IssuerWorld::settings().issuer.operation_keys[1]);
        const auto transfer = [&](Kind kind, std::int64_t amount, const char* account) {
            const auto first =
                platform.authorise_transfer({.id = fuzz::id_of<OperationId>(++ids),
                                             .second = card.request(kind, amount, account),
                                             .terminal = fuzz::account_of("T1")});
            platform.settle(card.execute(first->first), std::nullopt).value();
        };
        transfer(Kind::transfer_in, 5'00, "shop");
        run(world.cards[1], Kind::block);
        transfer(Kind::cash_out, -1'00, "T1");
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

// As an issuer would who has the checkpoint key: checkpoint and end fit what is there.
std::string sign_again(const Lines& lines)
{
    merkle::Frontier tree;
    std::string text;
    for (const auto& line : lines) {
        if (line.starts_with("record ")) {
            fuzz::Bytes bytes((line.size() - 7) / 2);
            if (detail::from_hex(std::string_view(line).substr(7), bytes))
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
    FUZZ_CHECK(report->on_cards + report->in_accounts + report->cash == 0);
    FUZZ_CHECK(report->checkpoint.head.size == report->records);
    if (known) FUZZ_CHECK(report->records >= known->head.size);
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
