// SPDX-License-Identifier: Apache-2.0
#include "chain_feed.hpp"

#include <string_view>
#include <utility>

namespace tallycard::service {

Result<std::unique_ptr<ChainFeed>> ChainFeed::open(Platform& platform,
                                                   const ChainSettings& settings, EventLog& log)
{
    auto node = evm::open_transport(settings.node);
    if (!node) return node.error();
    std::unique_ptr<evm::Transport> signer;
    if (!settings.signer_url.empty()) {
        auto signer_settings = settings.node;
        signer_settings.url = settings.signer_url;
        signer_settings.token_file.clear();  // that is the node's
        auto opened = evm::open_transport(signer_settings);
        if (!opened) return opened.error();
        signer = std::move(*opened);
    }
    return std::unique_ptr<ChainFeed>(
        new ChainFeed(platform, settings, log, std::move(*node), std::move(signer)));
}

ChainFeed::ChainFeed(Platform& platform, ChainSettings settings, EventLog& log,
                     std::unique_ptr<evm::Transport> node, std::unique_ptr<evm::Transport> signer)
    : settings_(std::move(settings)),
      log_(&log),
      transport_(std::move(node)),
      signer_transport_(std::move(signer)),
      rpc_(*transport_),
      signer_rpc_(signer_transport_ ? *signer_transport_ : *transport_),
      node_(rpc_, signer_transport_ ? signer_rpc_ : rpc_),
      feeder_(platform, node_, settings_.feeder,
              [this](const evm::FeederEvent& event) { tell(event); }),
      thread_([this] { run(); })
{
}

ChainFeed::~ChainFeed()
{
    stop();
    thread_.join();
}

void ChainFeed::stop()
{
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    wake_.notify_all();
    transport_->interrupt();
    if (signer_transport_) signer_transport_->interrupt();
}

bool ChainFeed::is_stopped() const
{
    const std::lock_guard lock(mutex_);
    return ends_;
}

ChainFeed::Status ChainFeed::status() const
{
    const std::lock_guard lock(mutex_);
    return status_;
}

void ChainFeed::run()
{
    const std::chrono::seconds poll(settings_.poll_seconds);
    for (;;) {
        step();
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, poll, [&] { return ends_; })) return;
    }
}

void ChainFeed::step()
{
    const auto report = feeder_.step();
    if (is_stopped()) return;  // what was broken off is no failure of the chain
    if (!report) tell_of(report.error());
    if (report && !std::exchange(last_error_, {}).empty())
        log_->write("chain works again", {{"chain", settings_.name}});
    const std::lock_guard lock(mutex_);
    status_.works = report.has_value();
    if (report) {
        status_.report = *report;
    } else {
        ++status_.errors;
    }
}

void ChainFeed::tell(const evm::FeederEvent& event)
{
    {
        const std::lock_guard lock(mutex_);
        if (std::string_view(event.what) == "sent") ++status_.sent;
        if (std::string_view(event.what) == "failed") ++status_.failed;
    }
    log_->write("chain", {{"chain", settings_.name},
                          {"what", event.what},
                          {"nonce", event.nonce},
                          {"first", event.first},
                          {"entries", event.entries}});
}

// Once, and not at every step.
void ChainFeed::tell_of(const Error& error)
{
    auto message = error.message();
    if (message == last_error_) return;
    EventLog::Json fields{
        {"chain", settings_.name}, {"code", tallycard::name(error.code)}, {"reason", message}};
    if (error.where == std::string_view("node")) fields["node"] = node_.said();
    log_->write("chain does not work", fields);
    last_error_ = std::move(message);
}

}  // namespace tallycard::service
