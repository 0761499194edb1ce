// SPDX-License-Identifier: Apache-2.0
#include <tallycard/store_rows.hpp>

namespace tallycard {

std::string AccountName::to_string() const
{
    std::string text;
    switch (kind) {
    case AccountKind::cash: text = "cash/"; break;
    case AccountKind::associated: text = "account/"; break;
    case AccountKind::card: text = "card/"; break;
    }
    text += id.text();
    return text;
}

const char* name(EvidenceReason reason) noexcept
{
    switch (reason) {
    case EvidenceReason::second_result: return "second_result";
    case EvidenceReason::foreign_operation: return "foreign_operation";
    case EvidenceReason::broken_chain: return "broken_chain";
    case EvidenceReason::wrong_balance: return "wrong_balance";
    case EvidenceReason::wrong_state: return "wrong_state";
    }
    return "?";
}

}  // namespace tallycard
