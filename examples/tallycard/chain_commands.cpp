// SPDX-License-Identifier: Apache-2.0
// chain deploy, writer; ledger verify --chain.
#include <tallycard/result_error.hpp>

#include "chain.hpp"
#include "evm/administration.hpp"
#include "evm/chain_verifier.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

std::unique_ptr<evm::Transport> transport(const Options& options, const std::string& url)
{
    evm::NodeSettings settings;
    settings.url = url;
    settings.ca_file = options.chain_ca_file;
    settings.token_file = options.chain_token_file;
    return evm::open_transport(settings).value();
}

ChainAddress address(const std::string& text, const char* option)
{
    const auto parsed = evm::parse_bytes<ChainAddress>(text);
    if (!parsed) raise(Error{.code = Errc::malformed, .where = option});
    return *parsed;
}

// A transaction of the account: done, or in doubt where no block has it yet.
Report send(const Options& options, const std::optional<ChainAddress>& to, evm::Bytes content,
            const std::string& what)
{
    chain::Connection connection(options);
    const evm::AdministrationSettings settings{
        .chain_id = connection.chain_id(),
        .account = address(options.chain_account, "--account (0x and 40 digits)"),
        .wait = std::chrono::seconds(options.chain_wait_seconds)};
    const auto sent = evm::send_and_wait(connection.node(), settings, to, std::move(content));
    if (!sent && sent.error().where == std::string_view("node")) {
        auto report = report_of(sent.error());
        report.text += "\nthe node says: " + connection.node().said();
        return report;
    }
    if (!sent) raise(sent.error());
    const auto& [hash, receipt] = *sent;
    const auto transaction = evm::to_data(hash.bytes());
    Json json{{"transaction", transaction}, {"chain_id", settings.chain_id}};
    if (!receipt) {
        return {"no block has transaction " + transaction + " yet; look for it at the node", json,
                exit_code::in_doubt};
    }
    json["block"] = receipt->block;
    if (!receipt->success) {
        return {"transaction " + transaction + " failed in block " + std::to_string(receipt->block),
                json, exit_code::refused};
    }
    std::string text = what + "; block " + std::to_string(receipt->block) + " of chain " +
                       std::to_string(settings.chain_id);
    if (!to && receipt->created) {
        json["contract"] = evm::to_data(receipt->created->bytes());
        text += ", contract " + evm::to_data(receipt->created->bytes());
    }
    return {text, json, exit_code::done};
}

Report deploy(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    return send(options, std::nullopt, evm::abi::creation(issuer.card_root), "deployed");
}

Report writer(const Options& options)
{
    const auto account = address(options.chain_writer, "address of the writer");
    return send(options, address(options.contract, "--contract (0x and 40 digits)"),
                evm::abi::set_writer(account, !options.revoke),
                options.revoke ? "it may not write any more" : "it may write");
}

}  // namespace

namespace chain {

Connection::Connection(const Options& options)
    : transport_(transport(options, options.chain_url)),
      signer_(
          transport(options, options.signer_url.empty() ? options.chain_url : options.signer_url)),
      rpc_(*transport_),
      signer_rpc_(*signer_),
      node_(rpc_, signer_rpc_),
      chain_id_(options.chain_id ? *options.chain_id : node_.chain_id().value())
{
}

void declare(CLI::App& command, Options& options)
{
    command.add_option("--chain", options.chain_url,
                       "A node of the chain: http://HOST:PORT, https://HOST/PATH");
    command.add_option("--chain-id", options.chain_id, "The chain; default: what the node says");
    command.add_option("--chain-ca", options.chain_ca_file, "PEM: who vouches for the node");
    command.add_option("--chain-token-file", options.chain_token_file,
                       "A file with a token for the node");
    command.add_option("--contract", options.contract, "Address of the ledger's contract");
}

void verify(const Options& options, const PublicKey& issuer, const std::string& file,
            const LedgerReport& ledger, Report& report)
{
    Connection connection(options);
    evm::Contract contract(
        connection.node(),
        {.chain_id = connection.chain_id(),
         .contract = address(options.contract, "--contract (0x and 40 digits)")});
    const auto found =
        evm::verify_chain(connection.node(), contract, issuer, file, ledger, options.from_block)
            .value();
    report.json["chain"] = {{"chain_id", connection.chain_id()},
                            {"block", found.block},
                            {"leaves", found.leaves},
                            {"bodies", found.bodies},
                            {"anchors", found.anchors},
                            {"anchored", found.anchored}};
    if (found.fault) {
        report.json["valid"] = false;
        report.json["chain"]["fault"] = *found.fault;
        report.text += "\nthe chain is wrong: " + *found.fault;
        report.exit = exit_code::refused;
        return;
    }
    report.text += "\nthe chain agrees: " + std::to_string(found.leaves) +
                   " entries by their leaves, " + std::to_string(found.bodies) +
                   " of them in full; the newest of " + std::to_string(found.anchors) +
                   " anchors is on " + std::to_string(found.anchored) + " entries; chain " +
                   std::to_string(connection.chain_id()) + ", block " + std::to_string(found.block);
}

}  // namespace chain

void add_chain_commands(Program& program)
{
    auto& options = program.options;
    auto& parent =
        *program.app.add_subcommand("chain", "The contract that the ledger is written to");
    parent.require_subcommand(1);
    const auto command = [&](const char* name, const char* help,
                             std::function<Report(const Options&)> run) -> CLI::App& {
        auto& added = program.command(parent, name, help, std::move(run));
        chain::declare(added, options);
        added.get_option("--chain")->required();
        added.add_option("--account", options.chain_account, "Who signs, pays and owns it")
            ->required();
        added.add_option("--signer", options.signer_url,
                         "Who has the account's key; default: the node");
        added.add_option("--wait", options.chain_wait_seconds, "Seconds to wait for a block")
            ->capture_default_str();
        return added;
    };
    with::issuer(command("deploy", "Make a contract for this issuer", deploy), options);
    auto& writing = command("writer", "Let an account write to the contract", writer);
    writing.add_option("address", options.chain_writer, "The account")->required();
    writing.add_flag("--revoke", options.revoke, "Do not let it write any more");
    writing.get_option("--contract")->required();
}
