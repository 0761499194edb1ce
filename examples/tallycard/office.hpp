// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include <tallycard/card_registry.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/platform.hpp>

#ifdef TALLYCARD_WITH_HTTPS
#include <tallycard/https_issuer.hpp>
#endif

#include "workplace.hpp"

namespace workplace {

// Whether --issuer names a service.
bool is_remote(const Options& options);

// The issuer, in its folder or behind its service: what both can do. Its functions throw
// ResultError.
class Office {
public:
    Office(const Options& options, Signing signing);

    const tallycard::IssuerDescription& issuer() const { return issuer_; }
    tallycard::IssuerClient& client() { return *client_; }
    tallycard::CardRegistry& registry() { return *registry_; }

    std::vector<tallycard::AccountRow> accounts();
    std::vector<tallycard::CardRow> cards();
    void deny(const tallycard::CardId& card_id);
    void undeny(const tallycard::CardId& card_id);
    void declare_lost(const tallycard::CardId& card_id);
    tallycard::Recoverable recoverable(const tallycard::CardId& card_id);
    std::size_t close_gaps();
    // From that line on.
    tallycard::DenyListUpdate deny_list(std::uint64_t from, const Options& options);
    tallycard::StatementPage statement(const tallycard::StatementQuery& query);
    std::int64_t balance_at(const tallycard::AccountName& account, tallycard::Time time);

private:
    // Calls the one of the two that is there.
    template <class Call>
    auto either(Call&& call);

    std::unique_ptr<tallycard::Platform> platform_;
#ifdef TALLYCARD_WITH_HTTPS
    std::unique_ptr<tallycard::HttpsIssuer> remote_;
#endif
    tallycard::IssuerClient* client_ = nullptr;
    tallycard::CardRegistry* registry_ = nullptr;
    tallycard::IssuerDescription issuer_;
};

// What a service says of itself; with --pinned, it has to be that issuer.
tallycard::IssuerDescription remote_issuer(const Options& options);

}  // namespace workplace
