// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tallycard/card_registry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store_rows.hpp>

namespace tallycard {

struct HttpsIssuerSettings {
    std::string url;      // "https://issuer.example:8443"; nothing behind the port
    std::string ca_file;  // PEM: who vouches for the service; empty: whom the system trusts
    // Who we are: a file with the token, mode 0600; or a certificate and its key, PEM; or nobody.
    std::string token_file;
    std::string certificate_file, key_file;
    std::chrono::milliseconds connect_within{5000};
    std::chrono::milliseconds answer_within{10000};
};

// The issuer's platform behind tallycard-issuerd (docs/service.md). Thread-safe: one request at a
// time, over one connection that is kept; a client for each thread is faster.
//
// Errc::issuer_unreachable when the service cannot be reached, or is not who it should be;
// with Effect::unknown when the request went out and no answer came: ask again. A request whose
// connection broke is sent a second time, since each is safe to repeat; one that was refused with
// Errc::overloaded is sent again when the service said, within answer_within.
class TALLYCARD_EXPORT HttpsIssuer : public IssuerClient, public CardRegistry {
public:
    ~HttpsIssuer() override;

    // For operators: see Platform.
    virtual Result<void> deny(const CardId& card_id) = 0;
    virtual Result<void> undeny(const CardId& card_id) = 0;
    virtual Result<void> declare_lost(const CardId& card_id) = 0;
    virtual Result<std::size_t> close_gaps() = 0;

    // For operators and auditors.
    virtual Result<std::vector<CardRow>> cards() = 0;
    virtual Result<std::vector<AccountRow>> accounts() = 0;  // without the keys that were replaced
    virtual Result<Recoverable> recoverable(const CardId& card_id) = 0;
    virtual Result<std::vector<KeptRow>> kept() = 0;  // of all cards, by card and sequence
    virtual Result<std::vector<GapRow>> gaps(const CardId& card_id) = 0;
    // A signed note on the ledger, with cosignatures where the service has witnesses:
    // Checkpoint::open_cosigned() reads it.
    virtual Result<std::string> checkpoint() = 0;

    // For every client. DenyListHead::open() reads the note: it is on all lines, those that came
    // and those before `from`.
    virtual Result<DenyListUpdate> deny_list(std::uint64_t from) = 0;
    // Also for merchants, of their own accounts: see Platform.
    virtual Result<StatementPage> statement(const StatementQuery& query) = 0;
    virtual Result<std::int64_t> balance_at(const AccountName& account, Time time) = 0;
};

// Talks to nobody yet. Errc::malformed for what is no such URL; Errc::file_missing,
// Errc::file_rejected for the files, Errc::file_damaged where they do not hold what they should.
TALLYCARD_EXPORT Result<std::unique_ptr<HttpsIssuer>> open_https_issuer(
    const HttpsIssuerSettings& settings);

}  // namespace tallycard
