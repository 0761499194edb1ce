// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "issuer/files.hpp"
#include "issuer/ledger_export.hpp"
#include "test_issuer.hpp"

namespace tallycard::test {

inline constexpr std::size_t longest_export = 1 << 20;

// An exported ledger of two cards, as text that a test can change.
class Export {
public:
    Export()
    {
        auto card = issuer_.make_card();
        auto other = issuer_.make_card();
        issuer_.run(card, Kind::top_up, 5000);
        issuer_.run(other, Kind::top_up, 700);
        issuer_.settle(card.pay(1230, "shop")).value();
        issuer_.run(card, Kind::cash_out, -1000);
        issuer_.run(other, Kind::block);
        export_again();
    }

    TestIssuer& issuer() { return issuer_; }
    void export_again()
    {
        issuer_->export_ledger(path(), issuer_.checkpoint_key()).value();
        text_ = files::read(path(), longest_export).value();
    }
    const std::string& text() const { return text_; }
    std::string path() const { return issuer_.folder().file("export"); }

    LedgerReport verify(const std::string& text,
                        const std::optional<WitnessDemand>& demand = std::nullopt) const
    {
        std::ofstream(path(), std::ios::binary) << text;  // no fsync: there are thousands
        return verify_ledger(path(), issuer_.description(), std::nullopt, demand).value();
    }

    // As an issuer would who has the checkpoint key and lies: everything is signed again.
    std::string sign_again(std::string text) const
    {
        const auto& key = issuer_.checkpoint_key();
        resign_checkpoint(text);
        text = text.substr(0, text.rfind("\nend\n") + 5);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
        const auto hash = sha256({bytes, text.size()});
        return text + key.sign_note(export_statement(hash), "issuer.test").value();
    }

    // The lines, from 0, and back.
    static std::vector<std::string> lines(const std::string& text)
    {
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            lines.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        return lines;
    }
    static std::string join(const std::vector<std::string>& lines)
    {
        std::string text;
        for (const auto& line : lines) text += line + '\n';
        return text;
    }

private:
    void resign_checkpoint(std::string& text) const
    {
        merkle::Frontier tree;
        for (const auto& line : lines(text)) {
            if (!line.starts_with("entry ")) continue;
            std::vector<std::uint8_t> bytes((line.size() - 6) / 2);
            if (detail::from_hex(std::string_view(line).substr(6), bytes))
                tree.append(merkle::leaf_hash(bytes));
        }
        const Checkpoint checkpoint{"issuer.test", {tree.size(), tree.root()}};
        const auto begin = text.find("\ncheckpoint\n") + 12;
        auto end = begin;
        for (int i = 0; i < 5; ++i) end = text.find('\n', end) + 1;
        text.replace(begin, end - begin, checkpoint.sign(issuer_.checkpoint_key()).value());
    }

    TestIssuer issuer_;
    std::string text_;
};

}  // namespace tallycard::test
