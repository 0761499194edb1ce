// SPDX-License-Identifier: Apache-2.0
#include <tallycard/trace_reader.hpp>

#include <utility>

#include "trace_writer.hpp"

namespace tallycard {

namespace trace {
namespace {

using Shared = std::shared_ptr<Writer>;

std::string call(const char* name, std::uint32_t number)
{
    return std::string(name) + ' ' + std::to_string(number);
}

class TracedLink final : public CardLink {
public:
    TracedLink(std::unique_ptr<CardLink> inner, Shared out, std::uint32_t reader,
               std::uint32_t number)
        : inner_(std::move(inner)), out_(std::move(out)), reader_(reader), number_(number)
    {
    }
    TracedLink(const TracedLink&) = delete;
    TracedLink& operator=(const TracedLink&) = delete;
    ~TracedLink() override
    {
        inner_.reset();
        out_->put(call("close", number_), std::string_view());
    }

    const Atr& atr() const override { return inner_->atr(); }
    TransmissionProtocol protocol() const override { return inner_->protocol(); }
    bool has_pin_pad() override { return inner_->has_pin_pad(); }
    Result<void> begin() override { return told("begin", inner_->begin()); }
    Result<void> end() override { return told("end", inner_->end()); }
    Result<void> reconnect() override { return told("reconnect", inner_->reconnect()); }

    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        auto size = inner_->transmit(command, answer);
        out_->put_exchange(call("transmit", number_), reader_, command, answer, size);
        return size;
    }
    Result<std::size_t> transmit_with_pin(PinEntry entry, std::span<const std::uint8_t> command,
                                          std::span<std::uint8_t> answer) override
    {
        auto size = inner_->transmit_with_pin(entry, command, answer);
        const auto* const name = entry == PinEntry::verify ? "type_pin" : "type_new_pin";
        out_->put_exchange(call(name, number_), reader_, command, answer, size);
        return size;
    }

private:
    Result<void> told(const char* name, Result<void> result)
    {
        out_->put(call(name, number_), result);
        return result;
    }

    std::unique_ptr<CardLink> inner_;
    Shared out_;
    std::uint32_t reader_, number_;
};

class TracedReader final : public Reader {
public:
    TracedReader(std::unique_ptr<Reader> inner, Shared out)
        : inner_(std::move(inner)), out_(std::move(out)), number_(out_->number_of(inner_->name()))
    {
    }

    const std::string& name() const override { return inner_->name(); }
    Result<ReaderIdentity> identity() override { return inner_->identity(); }
    void cancel() noexcept override { inner_->cancel(); }
    Result<Atr> card() override { return told("card", inner_->card()); }
    Result<Atr> wait_for_card(std::chrono::milliseconds deadline) override
    {
        return told("wait_for_card", inner_->wait_for_card(deadline));
    }
    Result<void> wait_for_removal(std::chrono::milliseconds deadline) override
    {
        return told("wait_for_removal", inner_->wait_for_removal(deadline));
    }

    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override
    {
        auto words = call("connect", number_);
        words += sharing == Sharing::shared ? " shared" : " exclusive";
        auto link = inner_->connect(sharing);
        if (!link) {
            out_->put(words, failure(link.error()));
            return link;
        }
        const auto link_number = out_->next_link();
        auto result = std::to_string(link_number);
        result += (*link)->protocol() == TransmissionProtocol::t0 ? " t0 " : " t1 ";
        result += atr_text((*link)->atr());
        if ((*link)->has_pin_pad()) result += " pin_pad";
        out_->put(words, result);
        return std::unique_ptr<CardLink>(
            std::make_unique<TracedLink>(*std::move(link), out_, number_, link_number));
    }

private:
    template <class T>
    Result<T> told(const char* name, Result<T> result)
    {
        out_->put(call(name, number_), result);
        return result;
    }

    std::unique_ptr<Reader> inner_;
    Shared out_;
    std::uint32_t number_;
};

// Events are written when they are told: by the callback, or when they are taken.
class TracedMonitor final : public ReaderMonitor {
public:
    TracedMonitor(std::unique_ptr<ReaderMonitor> inner, Shared out)
        : inner_(std::move(inner)), out_(std::move(out))
    {
    }
    int descriptor() const override { return inner_->descriptor(); }
    std::optional<ReaderEvent> next() override
    {
        auto event = inner_->next();
        if (event) out_->put_event(*event);
        return event;
    }
    Result<ReaderEvent> wait(std::chrono::milliseconds deadline) override
    {
        auto event = inner_->wait(deadline);
        if (event) out_->put_event(*event);
        return event;
    }
    void stop() noexcept override { inner_->stop(); }

private:
    std::unique_ptr<ReaderMonitor> inner_;
    Shared out_;
};

class Driver final : public ReaderDriver {
public:
    Driver(std::unique_ptr<ReaderDriver> inner, Shared out)
        : inner_(std::move(inner)), out_(std::move(out))
    {
    }

    Result<std::vector<std::string>> list() override
    {
        auto names = inner_->list();
        if (!names) {
            out_->put("list", failure(names.error()));
            return names;
        }
        std::string numbers;
        for (const auto& name : *names) {
            if (!numbers.empty()) numbers += ' ';
            numbers += std::to_string(out_->number_of(name));
        }
        out_->put("list", numbers.empty() ? std::string("-") : numbers);
        return names;
    }

    // "serial:S" and "usb:PATH" are introduced as names of their own where nothing is found.
    Result<std::unique_ptr<Reader>> open(const std::string& name) override
    {
        auto reader = inner_->open(name);
        const auto number = out_->number_of(reader ? (*reader)->name() : name);
        out_->put(call("open", number), reader ? std::string("ok") : failure(reader.error()));
        if (!reader) return reader;
        return std::unique_ptr<Reader>(std::make_unique<TracedReader>(*std::move(reader), out_));
    }

    Result<std::unique_ptr<ReaderMonitor>> monitor(ReaderEventCallback callback) override
    {
        const bool is_queue = !callback;
        auto traced = [callback = std::move(callback), out = out_](const ReaderEvent& event) {
            out->put_event(event);
            callback(event);
        };
        auto monitor = inner_->monitor(is_queue ? ReaderEventCallback() : std::move(traced));
        if (!monitor || !is_queue) return monitor;
        return std::unique_ptr<ReaderMonitor>(
            std::make_unique<TracedMonitor>(*std::move(monitor), out_));
    }

private:
    std::unique_ptr<ReaderDriver> inner_;
    Shared out_;
};

}  // namespace
}  // namespace trace

Result<std::unique_ptr<ReaderDriver>> open_traced(std::unique_ptr<ReaderDriver> inner,
                                                  const std::string& path)
{
    auto out = trace::Writer::create(path);
    if (!out) return out.error();
    return std::unique_ptr<ReaderDriver>(
        std::make_unique<trace::Driver>(std::move(inner), *std::move(out)));
}

}  // namespace tallycard
