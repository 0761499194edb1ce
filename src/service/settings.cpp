// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <array>

#include "../issuer/keyring/issuer_folder.hpp"
#include "ini.hpp"

namespace tallycard::service {
namespace {

constexpr std::uint16_t usual_port = 8443;

using ini::Refusal;
using ini::set_number;

Refusal set_flag(std::string_view value, bool& target)
{
    const auto flag = ini::flag(value);
    if (!flag) return "yes or no is wanted";
    target = *flag;
    return nullptr;
}

Refusal set_listen(std::string_view value, ServerSettings& server)
{
    const auto colon = value.rfind(':');
    const auto port = colon == std::string_view::npos
                          ? std::nullopt
                          : ini::number(value.substr(colon + 1), 0, 0xFFFF);
    if (!port || colon == 0) return "ADDRESS:PORT is wanted";
    auto address = value.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    server.address = address;
    server.port = static_cast<std::uint16_t>(*port);
    return nullptr;
}

// Several, with spaces between them.
void set_words(std::string_view value, std::vector<std::string>& target)
{
    while (!value.empty()) {
        const auto end = std::min(value.find(' '), value.size());
        if (end > 0) target.emplace_back(value.substr(0, end));
        value.remove_prefix(std::min(end + 1, value.size()));
    }
}

Refusal set_path(Settings& settings, const std::string& name, const std::string& value)
{
    auto& service = settings.service;
    std::string* target = nullptr;
    if (name == "store") target = &settings.store;
    if (name == "checkpoint-key") target = &settings.checkpoint_key;
    if (name == "passphrase-file") target = &settings.passphrase_file;
    if (name == "hsm-pin-file") target = &settings.hsm_pin_file;
    if (name == "certificate") target = &service.tls.certificate;
    if (name == "key") target = &service.tls.key;
    if (name == "client-authority") target = &service.tls.client_authority;
    if (name == "clients") target = &service.clients_file;
    if (name == "witness-policy") target = &service.witnesses.policy_file;
    if (name == "witness-authority") target = &service.witnesses.authority;
    if (name == "usage") target = &service.usage_file;
    if (target == nullptr) return "no such setting";
    *target = value;
    return nullptr;
}

Refusal set(Settings& settings, const std::string& name, const std::string& value)
{
    auto& service = settings.service;
    auto& server = service.server;
    if (name == "folder") return nullptr;  // read before the others
    if (name == "operation-key") return set_words(value, settings.operation_keys), nullptr;
    if (name == "listen") return set_listen(value, server);
    if (name == "connections") return set_number(value, 1, 20000, server.most_connections);
    if (name == "handshake-seconds") return set_number(value, 1, 60, server.handshake_seconds);
    if (name == "request-seconds") return set_number(value, 1, 600, server.request_seconds);
    if (name == "idle-seconds") return set_number(value, 1, 86400, server.idle_seconds);
    if (name == "body-bytes") return set_number(value, 4096, 1U << 20, server.longest_body);
    if (name == "settle-queue") return set_number(value, 1, 100'000, service.settle_queue);
    if (name == "checkpoint-seconds")
        return set_number(value, 0, 86400, service.checkpoint_seconds);
    if (name == "quarantine-days") return set_number(value, 0, 3650, settings.quarantine_days);
    if (name == "gap-days") return set_number(value, 1, 3650, settings.gap_days);
    if (name == "ledger-public") return set_flag(value, service.ledger_public);
    if (name == "metrics-public") return set_flag(value, service.metrics_public);
    if (name == "log-requests") return set_flag(value, service.log_requests);
    return set_path(settings, name, value);
}

}  // namespace

Settings settings_of_folder(const std::string& folder)
{
    Settings settings;
    settings.folder = folder;
    settings.service.server.port = usual_port;
    settings.service.tls.certificate = folder + "/tls.crt";
    settings.service.tls.key = folder + "/tls.key";
    settings.service.clients_file = folder + "/clients";
    settings.service.usage_file = folder + "/usage.db";
    settings.service.witnesses.cosigned_file = keyring::IssuerFolder(folder).cosigned_checkpoint();
    settings.store = keyring::IssuerFolder(folder).store();
    settings.passphrase_file = folder + "/passphrase";
    return settings;
}

Result<Settings> parse_settings(std::string_view text)
{
    const auto sections = ini::parse(text);
    if (!sections) return sections.error();
    const auto& entries = sections->front().entries;
    Settings settings = settings_of_folder("issuer");
    for (const auto& entry : entries)
        if (entry.name == "folder") settings = settings_of_folder(entry.value);
    for (const auto& entry : entries) {
        if (const auto* why = set(settings, entry.name, entry.value))
            return ini::refused(entry.line, why);
    }
    for (auto section = sections->begin() + 1; section != sections->end(); ++section) {
        if (section->kind != "chain")
            return ini::refused(section->line, "[chain NAME] is the only section of this file");
        auto chain = read_chain(*section);
        if (!chain) return chain.error();
        const auto is_same = [&](const ChainSettings& other) {
            return other.feeder.name == chain->feeder.name;
        };
        if (std::ranges::any_of(settings.service.chains, is_same))
            return ini::refused(section->line, "this contract is in another section already");
        settings.service.chains.push_back(std::move(*chain));
    }
    return settings;
}

}  // namespace tallycard::service
