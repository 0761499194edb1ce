// SPDX-License-Identifier: Apache-2.0
#include "journal_lines.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace tallycard::journal {
namespace {

using Words = std::vector<std::string_view>;

Words words_of(std::string_view line)
{
    Words words;
    for (std::size_t at = 0; at <= line.size();) {
        const auto end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

// One word: "set-limits".
std::string word_of(Kind kind)
{
    std::string word = name(kind);
    std::ranges::replace(word, ' ', '-');
    return word;
}

std::optional<Kind> parse_kind(std::string_view word)
{
    for (unsigned byte = 0; byte < 0x20; ++byte) {
        const auto kind = kind_from_byte(static_cast<std::uint8_t>(byte));
        if (kind && word_of(*kind) == word) return kind;
    }
    return std::nullopt;
}

template <class N>
std::optional<N> parse_number(std::string_view text)
{
    N n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (std::to_string(n) != text) return std::nullopt;
    return n;
}

template <class T>
std::optional<T> decode_hex(std::string_view hex)
{
    std::vector<std::uint8_t> bytes(hex.size() / 2);
    if (!detail::from_hex(hex, bytes)) return std::nullopt;
    const auto object = T::decode(bytes);
    if (!object) return std::nullopt;
    return *object;
}

std::string word_of(const Parameter& parameter)
{
    if (const auto* key = std::get_if<PublicKey>(&parameter)) return key->to_string();
    const auto* limits = std::get_if<Limits>(&parameter);
    if (limits == nullptr) return "-";
    std::string word;
    for (const auto n :
         {limits->maximum_balance.to_minor_units(), limits->maximum_amount.to_minor_units(),
          limits->pin_above.to_minor_units(), std::uint64_t{limits->offline_payments},
          limits->offline_total.to_minor_units()})
        word += (word.empty() ? "" : ",") + std::to_string(n);
    return word;
}

std::optional<Parameter> parse_parameter(std::string_view word)
{
    if (word == "-") return Parameter();
    if (const auto key = PublicKey::parse(word)) return Parameter(*key);
    std::vector<std::uint64_t> numbers;
    for (std::size_t at = 0; at <= word.size();) {
        const auto end = std::min(word.find(',', at), word.size());
        const auto n = parse_number<std::uint64_t>(word.substr(at, end - at));
        if (!n || *n > Balance::largest) return std::nullopt;
        numbers.push_back(*n);
        at = end + 1;
    }
    if (numbers.size() != 5 || numbers[3] > Limits::most_offline_payments) return std::nullopt;
    return Parameter(Limits{.maximum_balance = Balance::minor_units(numbers[0]),
                            .maximum_amount = Balance::minor_units(numbers[1]),
                            .pin_above = Balance::minor_units(numbers[2]),
                            .offline_payments = static_cast<std::uint16_t>(numbers[3]),
                            .offline_total = Balance::minor_units(numbers[4])});
}

struct Line {
    std::string operator()(const JournalIntent& intent) const
    {
        return "intent " + id + ' ' + intent.card_id.to_string() + ' ' + word_of(intent.kind) +
               ' ' + std::to_string(intent.amount.to_minor_units()) + ' ' +
               (intent.account ? std::string(intent.account->text()) : std::string("-")) + ' ' +
               word_of(intent.parameter) +
               (intent.after ? " after " + intent.after->to_string() : "") +
               (intent.reference ? " reference " + to_hex(intent.reference->bytes()) : "");
    }
    std::string operator()(const JournalSent& sent) const
    {
        return "sent " + id + ' ' + std::to_string(sent.sequence) +
               (sent.first ? ' ' + to_hex(sent.first->encode()) : "");
    }
    std::string operator()(const Executed& executed) const
    {
        return "receipt " + id + ' ' + to_hex(executed.operation.encode()) + ' ' +
               to_hex(executed.receipt.encode());
    }
    std::string operator()(JournalStage end) const
    {
        return (end == JournalStage::acknowledged ? "acknowledged " : "not-applied ") + id;
    }
    std::string id;
};

// Reads what follows the seven words of an intent, which has one such thing at most.
bool parse_more(const Words& words, JournalIntent& intent)
{
    if (words.size() == 7) return true;
    if (words[7] == "after") {
        intent.after = OperationId::parse(words[8]);
        return intent.after.has_value();
    }
    std::array<std::uint8_t, Reference::max_size> bytes;
    const auto size = words[8].size() / 2;
    if (words[7] != "reference" || intent.kind != Kind::payment || size > bytes.size() ||
        !detail::from_hex(words[8], std::span(bytes).first(size)))
        return false;
    intent.reference = Reference::parse(std::span<const std::uint8_t>(bytes).first(size));
    return intent.reference.has_value();
}

std::optional<JournalIntent> parse_intent(const OperationId& id, const Words& words)
{
    if (words.size() != 7 && words.size() != 9) return std::nullopt;
    const auto card_id = CardId::parse(words[2]);
    const auto kind = parse_kind(words[3]);
    const auto units = parse_number<std::int64_t>(words[4]);
    const auto account = AccountId::parse(words[5]);
    const auto parameter = parse_parameter(words[6]);
    if (!card_id || !kind || !units || *units == std::numeric_limits<std::int64_t>::min() ||
        !account || !parameter)
        return std::nullopt;
    JournalIntent intent{.id = id,
                         .card_id = *card_id,
                         .kind = *kind,
                         .amount = Amount::minor_units(*units),
                         .account = std::nullopt,
                         .parameter = *parameter};
    if (moves_value(*kind)) {
        intent.account = *account;
    } else if (words[5] != "-") {
        return std::nullopt;
    }
    if (!parse_more(words, intent)) return std::nullopt;
    if (!sign_fits(*kind, intent.amount)) return std::nullopt;
    return intent;
}

std::optional<JournalSent> parse_sent(const Words& words)
{
    if (words.size() != 3 && words.size() != 4) return std::nullopt;
    const auto sequence = parse_number<std::uint32_t>(words[2]);
    if (!sequence) return std::nullopt;
    JournalSent sent{.sequence = *sequence, .first = std::nullopt};
    if (words.size() == 3) return sent;
    sent.first = decode_hex<FirstInstruction>(words[3]);
    if (!sent.first) return std::nullopt;
    return sent;
}

std::optional<Executed> parse_executed(const Words& words)
{
    if (words.size() != 4) return std::nullopt;
    const auto operation = decode_hex<Operation>(words[2]);
    const auto receipt = decode_hex<Receipt>(words[3]);
    if (!operation || !receipt) return std::nullopt;
    return Executed{*operation, *receipt};
}

template <class T>
std::optional<Event> event_of(const OperationId& id, const std::optional<T>& what)
{
    if (!what) return std::nullopt;
    return Event{id, *what};
}

}  // namespace

std::string to_line(const Event& event)
{
    return std::visit(Line{event.id.to_string()}, event.what);
}

std::optional<Event> parse(std::string_view line)
{
    const auto words = words_of(line);
    const auto id = words.size() < 2 ? std::nullopt : OperationId::parse(words[1]);
    if (!id) return std::nullopt;
    if (words[0] == "intent") return event_of(*id, parse_intent(*id, words));
    if (words[0] == "sent") return event_of(*id, parse_sent(words));
    if (words[0] == "receipt") return event_of(*id, parse_executed(words));
    if (words.size() != 2) return std::nullopt;
    if (words[0] == "acknowledged") return Event{*id, JournalStage::acknowledged};
    if (words[0] == "not-applied") return Event{*id, JournalStage::not_applied};
    return std::nullopt;
}

}  // namespace tallycard::journal
