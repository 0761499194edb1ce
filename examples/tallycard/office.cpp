// SPDX-License-Identifier: Apache-2.0
#include "office.hpp"

#include <tallycard/result_error.hpp>

#include "keys.hpp"

using namespace tallycard;

namespace workplace {

bool is_remote(const Options& options)
{
    return options.issuer.starts_with("https://");
}

#ifdef TALLYCARD_WITH_HTTPS

namespace {

std::unique_ptr<HttpsIssuer> remote(const Options& options)
{
    HttpsIssuerSettings settings;
    settings.url = options.issuer;
    settings.ca_file = options.ca_file;
    settings.token_file = options.token_file;
    settings.certificate_file = options.certificate_file;
    settings.key_file = options.key_file;
    return open_https_issuer(settings).value();
}

IssuerDescription description_of(HttpsIssuer& service, const Options& options)
{
    auto issuer = service.description().value();
    if (options.pinned.empty()) return issuer;
    const auto pinned = read_issuer_file(options.pinned).value();
    const bool same = issuer.origin == pinned.origin && issuer.card_root == pinned.card_root &&
                      issuer.checkpoint_key == pinned.checkpoint_key;
    if (!same) raise(Error{.code = Errc::conflict, .where = "--pinned: another issuer's service"});
    return issuer;
}

}  // namespace

IssuerDescription remote_issuer(const Options& options)
{
    return description_of(*remote(options), options);
}

Office::Office(const Options& options, Signing signing)
{
    if (is_remote(options)) {
        remote_ = remote(options);
        client_ = remote_.get();
        registry_ = remote_.get();
        issuer_ = description_of(*remote_, options);
        return;
    }
    platform_ = platform(options, signing);
    client_ = platform_.get();
    registry_ = platform_.get();
    issuer_ = platform_->issuer();
}

template <class Call>
auto Office::either(Call&& call)
{
    return platform_ ? call(*platform_).value() : call(*remote_).value();
}

#else

IssuerDescription remote_issuer(const Options&)
{
    raise(Error{.code = Errc::malformed, .where = "--issuer (built without HTTPS)"});
}

Office::Office(const Options& options, Signing signing)
    : platform_(platform(options, signing)),
      client_(platform_.get()),
      registry_(platform_.get()),
      issuer_(platform_->issuer())
{
}

template <class Call>
auto Office::either(Call&& call)
{
    return call(*platform_).value();
}

#endif

std::vector<AccountRow> Office::accounts()
{
    return either([](auto& issuer) { return issuer.accounts(); });
}

std::vector<CardRow> Office::cards()
{
    return either([](auto& issuer) { return issuer.cards(); });
}

void Office::deny(const CardId& card_id)
{
    either([&](auto& issuer) { return issuer.deny(card_id); });
}

void Office::undeny(const CardId& card_id)
{
    either([&](auto& issuer) { return issuer.undeny(card_id); });
}

void Office::declare_lost(const CardId& card_id)
{
    either([&](auto& issuer) { return issuer.declare_lost(card_id); });
}

Recoverable Office::recoverable(const CardId& card_id)
{
    return either([&](auto& issuer) { return issuer.recoverable(card_id); });
}

DenyListUpdate Office::deny_list(std::uint64_t from, const Options& options)
{
#ifdef TALLYCARD_WITH_HTTPS
    if (remote_) return remote_->deny_list(from).value();
#endif
    keys::Secrets secrets(options);
    const auto key = keys::open_checkpoint_key(
        key_or(options.checkpoint_key, IssuerFolder(options.issuer).checkpoint_key(),
               "checkpoint.key in the issuer's folder"),
        secrets);
    return platform_->deny_list(from, key).value();
}

StatementPage Office::statement(const StatementQuery& query)
{
    return either([&](auto& issuer) { return issuer.statement(query); });
}

std::int64_t Office::balance_at(const AccountName& account, Time time)
{
    return either([&](auto& issuer) { return issuer.balance_at(account, time); });
}

std::size_t Office::close_gaps()
{
    return either([](auto& issuer) { return issuer.close_gaps(); });
}

}  // namespace workplace
