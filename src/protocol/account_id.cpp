// SPDX-License-Identifier: Apache-2.0
#include <tallycard/account_id.hpp>

#include <algorithm>

namespace tallycard {

std::optional<AccountId> AccountId::parse(std::string_view text)
{
    const auto allowed = [](char c) { return c >= 0x21 && c <= 0x7E; };
    if (text.empty() || text.size() > max_size || !std::ranges::all_of(text, allowed))
        return std::nullopt;
    AccountId id;
    std::ranges::copy(text, id.chars_.begin());
    id.size_ = text.size();
    return id;
}

std::optional<AccountId> AccountId::parse(std::span<const std::uint8_t> bytes)
{
    return parse(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::span<const std::uint8_t> AccountId::bytes() const
{
    return {reinterpret_cast<const std::uint8_t*>(chars_.data()), size_};
}

AccountId holder_account(const CardId& card_id)
{
    return *AccountId::parse("H-" + card_id.to_string());
}

std::optional<CardId> card_of_holder_account(const AccountId& account)
{
    auto text = account.text();
    if (!text.starts_with("H-")) return std::nullopt;
    text.remove_prefix(2);
    return CardId::parse(text);
}

bool is_reserved(const AccountId& account)
{
    return account.text().starts_with("H-") || account == unaccounted();
}

AccountId unaccounted()
{
    return *AccountId::parse("unaccounted");
}

}  // namespace tallycard
