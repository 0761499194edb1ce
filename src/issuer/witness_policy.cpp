// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <tallycard/witness_policy.hpp>

#include "files.hpp"
#include "signed_note.hpp"

namespace tallycard {
namespace {

constexpr std::size_t most_of_each = 64, longest_file = 65536;

using Words = std::vector<std::string_view>;

// Between spaces and tabs.
Words words_of(std::string_view line)
{
    Words words;
    for (;;) {
        const auto begin = line.find_first_not_of(" \t");
        if (begin == std::string_view::npos) return words;
        line.remove_prefix(begin);
        const auto end = std::min(line.find_first_of(" \t"), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_control(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

// How many of `members`, in the file's words; nullopt: none of them.
std::optional<std::size_t> threshold(std::string_view word, std::size_t members)
{
    if (word == "any") return 1;
    if (word == "all") return members;
    std::size_t number = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (code != std::errc{} || end != word.data() + word.size() || word.starts_with('0') ||
        number > members)
        return std::nullopt;
    return number;
}

}  // namespace

// Takes the lines of a policy, one after the other. Each function returns why a line is refused;
// null: it is not.
class PolicyReader {
public:
    const char* take(std::string_view line)
    {
        if (std::ranges::any_of(line, is_control)) return "a control character";
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with('#')) return nullptr;
        if (words[0] == "log") return log(words);
        if (words[0] == "witness") return witness(words);
        if (words[0] == "group") return group(words);
        if (words[0] == "quorum") return quorum(words);
        return "log, witness, group or quorum is wanted";
    }
    bool has_quorum() const { return has_quorum_; }
    WitnessPolicy finish()
    {
        // Behind all groups: where there is one, nothing else may be put there any more.
        if (is_none_) policy_.quorum_ = policy_.groups_.size();
        return std::move(policy_);
    }

private:
    // What a name stands for.
    struct Place {
        bool is_group = false;
        std::size_t index = 0;
        bool used = false;  // as a member of a group
    };

    const char* log(const Words& words)
    {
        if (words.size() < 2 || words.size() > 3) return "log VKEY [URL] is wanted";
        auto key = NoteKey::parse(words[1]);
        if (!key || key->type != NoteKeyType::log) return "this is no key of a log (type 01)";
        for (const auto& before : policy_.logs_)
            if (before.key.key == key->key) return "this log's key is there already";
        if (policy_.logs_.size() == most_of_each) return "too many logs";
        policy_.logs_.push_back({std::move(*key), url(words, 2)});
        return nullptr;
    }

    const char* witness(const Words& words)
    {
        if (words.size() < 3 || words.size() > 4) return "witness NAME VKEY [URL] is wanted";
        auto key = NoteKey::parse(words[2]);
        if (!key || key->type != NoteKeyType::witness)
            return "this is no key of a witness (type 04)";
        for (const auto& before : policy_.witnesses_)
            if (before.key.key == key->key) return "this witness's key is there already";
        if (policy_.witnesses_.size() == most_of_each) return "too many witnesses";
        if (const auto* why = define(words[1], {false, policy_.witnesses_.size()})) return why;
        policy_.witnesses_.push_back({std::string(words[1]), std::move(*key), url(words, 3)});
        return nullptr;
    }

    const char* group(const Words& words)
    {
        if (words.size() < 4) return "group NAME all|any|NUMBER NAME... is wanted";
        const auto wanted = threshold(words[2], words.size() - 3);
        if (!wanted) return "all, any, or a number from 1 to that of the members is wanted";
        WitnessPolicy::Group group{.wanted = *wanted, .witnesses = {}, .groups = {}};
        for (auto word = words.begin() + 3; word != words.end(); ++word) {
            const auto found = names_.find(*word);
            if (found == names_.end()) return "a member that no line before names";
            if (std::exchange(found->second.used, true)) return "a member of two groups";
            auto& members = found->second.is_group ? group.groups : group.witnesses;
            members.push_back(found->second.index);
        }
        if (policy_.groups_.size() == most_of_each) return "too many groups";
        if (const auto* why = define(words[1], {true, policy_.groups_.size()})) return why;
        policy_.groups_.push_back(std::move(group));
        return nullptr;
    }

    const char* quorum(const Words& words)
    {
        if (words.size() != 2) return "quorum NAME is wanted";
        if (std::exchange(has_quorum_, true)) return "a second quorum";
        is_none_ = words[1] == none;
        if (is_none_) return nullptr;
        const auto found = names_.find(words[1]);
        if (found == names_.end()) return "a quorum that no line before names";
        policy_.quorum_ = found->second.index;
        if (found->second.is_group) return nullptr;
        policy_.groups_.push_back({.wanted = 1, .witnesses = {found->second.index}, .groups = {}});
        policy_.quorum_ = policy_.groups_.size() - 1;
        return nullptr;
    }

    const char* define(std::string_view name, const Place& place)
    {
        if (name == none) return "none is no name";
        if (!names_.emplace(std::string(name), place).second) return "this name is there already";
        return nullptr;
    }

    static std::string url(const Words& words, std::size_t at)
    {
        return at < words.size() ? std::string(words[at]) : std::string();
    }

    static constexpr std::string_view none = "none";
    WitnessPolicy policy_;
    std::map<std::string, Place, std::less<>> names_;
    bool has_quorum_ = false, is_none_ = false;
};

Result<WitnessPolicy> WitnessPolicy::parse(std::string_view text)
{
    PolicyReader reader;
    std::uint32_t number = 0;
    const auto refused = [&](const char* why) {
        return Error{.code = Errc::file_malformed, .detail = number, .column = 1, .where = why};
    };
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        ++number;
        if (const auto* why = reader.take(text.substr(0, end))) return refused(why);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!reader.has_quorum()) return refused("there is no quorum");
    return reader.finish();
}

Result<WitnessPolicy> WitnessPolicy::read(const std::string& path)
{
    const auto text = files::read(path, longest_file);
    if (text) return parse(*text);
    auto error = text.error();
    error.where = "witness policy";
    return error;
}

bool WitnessPolicy::is_met_by(const std::vector<std::size_t>& witnesses) const
{
    // A group's members stand before it.
    std::vector<bool> met;
    for (const auto& group : groups_) {
        const auto signed_it = [&](std::size_t witness) {
            return std::ranges::find(witnesses, witness) != witnesses.end();
        };
        const auto have = std::ranges::count_if(group.witnesses, signed_it) +
                          std::ranges::count_if(group.groups, [&](auto g) { return met[g]; });
        met.push_back(static_cast<std::size_t>(have) >= group.wanted);
    }
    return quorum_ >= groups_.size() || met[quorum_];
}

Result<std::vector<WitnessPolicy::Cosignature>> WitnessPolicy::cosignatures(
    std::string_view note) const
{
    const auto parsed = SignedNote::parse(note);
    if (!parsed) return parsed.error();
    std::vector<Cosignature> found;
    for (std::size_t i = 0; i < witnesses_.size(); ++i) {
        std::optional<std::uint64_t> newest;
        for (const auto& signature : parsed->signatures) {
            if (!signature.is_of(witnesses_[i].key)) continue;
            const auto opened = open_cosignature(signature, witnesses_[i].key, parsed->text);
            if (!opened.valid)
                return Error{.code = Errc::bad_signature, .where = "cosignature of a witness"};
            newest = std::max(newest.value_or(0), opened.time);
        }
        if (newest) found.push_back({.witness = i, .time = *newest});
    }
    return found;
}

Result<std::vector<WitnessPolicy::Cosignature>> WitnessPolicy::check(std::string_view note) const
{
    auto found = cosignatures(note);
    if (!found) return found;
    std::vector<std::size_t> witnesses;
    for (const auto& cosignature : *found) witnesses.push_back(cosignature.witness);
    if (!is_met_by(witnesses)) return Error{.code = Errc::witnesses_missing, .where = "checkpoint"};
    return found;
}

}  // namespace tallycard
