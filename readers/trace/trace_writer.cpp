// SPDX-License-Identifier: Apache-2.0
#include "trace_writer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <tallycard/fixed_bytes.hpp>

#include "../text_scanner.hpp"
#include "masking.hpp"

namespace tallycard::trace {

std::string failure(const Error& error)
{
    std::array<char, 16> detail;
    std::snprintf(detail.data(), detail.size(), "%08x", static_cast<unsigned>(error.detail));
    const auto* const effect = error.effect == Effect::none ? "none" : "unknown";
    return std::string("! ") + name(error.code) + ' ' + effect + ' ' + detail.data();
}

std::string atr_text(const Atr& atr)
{
    return atr.size() == 0 ? "-" : to_hex(atr.bytes());
}

Result<std::shared_ptr<Writer>> Writer::create(const std::string& path)
{
    auto file = TextWriter::create(path, "trace file");
    if (!file) return file.error();
    return std::make_shared<Writer>(*std::move(file));
}

Writer::Writer(TextWriter file) : file_(std::move(file))
{
    file_.append("tallycard-trace 1\n");
}

void Writer::write_line(std::string_view text)
{
    const auto passed = std::chrono::steady_clock::now() - start_;
    auto line =
        std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
    line += ' ';
    line += text;
    line += '\n';
    file_.append(line);
}

std::uint32_t Writer::number_of_locked(const std::string& reader)
{
    const auto next = static_cast<std::uint32_t>(readers_.size() + 1);
    const auto [entry, is_new] = readers_.try_emplace(reader, next);
    if (is_new) write_line("reader " + std::to_string(next) + ' ' + quote(reader));
    return entry->second;
}

std::uint32_t Writer::number_of(const std::string& reader)
{
    const std::lock_guard lock(mutex_);
    return number_of_locked(reader);
}

std::uint32_t Writer::next_link()
{
    const std::lock_guard lock(mutex_);
    return ++links_;
}

void Writer::put(std::string_view call, std::string_view result)
{
    std::string line(call);
    if (!result.empty()) line.append(" > ").append(result);
    const std::lock_guard lock(mutex_);
    write_line(line);
}

void Writer::put(std::string_view call, const Result<void>& result)
{
    put(call, result ? std::string("ok") : failure(result.error()));
}

void Writer::put(std::string_view call, const Result<Atr>& result)
{
    put(call, result ? atr_text(*result) : failure(result.error()));
}

void Writer::put_event(const ReaderEvent& event)
{
    const std::lock_guard lock(mutex_);
    auto line = std::string("event ") + name(event.kind);
    if (!event.reader.empty()) line += ' ' + std::to_string(number_of_locked(event.reader));
    if (event.kind == ReaderEvent::Kind::card_in) line += ' ' + atr_text(event.atr);
    write_line(line);
}

void Writer::put_exchange(std::string_view call, std::uint32_t reader,
                          std::span<const std::uint8_t> command,
                          std::span<const std::uint8_t> answer, const Result<std::size_t>& size)
{
    const std::lock_guard lock(mutex_);
    const bool shown = is_public(command);
    auto& last_was_public = last_was_public_[reader];
    const bool answer_shown = shown && (last_was_public || !is_get_response(command));
    last_was_public = answer_shown;
    auto line = std::string(call) + ' ' + command_text(command, shown) + " > ";
    line += size ? answer_text(answer.first(std::min(*size, answer.size())), answer_shown)
                 : failure(size.error());
    write_line(line);
}

}  // namespace tallycard::trace
