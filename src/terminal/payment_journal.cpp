// SPDX-License-Identifier: Apache-2.0
// Lines: "intent <id> <card> <minor units> <payee>", "paid <id> <operation> <receipt>", "closed
// <id>"; the objects in hex. Docs: docs/operations.md.
#include <tallycard/payment_journal.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tallycard {
namespace {

Error system_error(const char* where)
{
    return {.code = errno == EWOULDBLOCK ? Errc::file_in_use : Errc::file_rejected,
            .detail = static_cast<std::uint32_t>(errno),
            .where = where};
}

// A file that was made just now has a durable name only when its folder is synced.
Result<void> sync_folder_of(const std::string& path)
{
    const auto folder = std::filesystem::absolute(path).parent_path().string();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_error("payment journal");
    const bool synced = ::fsync(descriptor) == 0;
    const auto error = system_error("payment journal");
    ::close(descriptor);
    if (!synced) return error;
    return {};
}

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(descriptor_); }

    Result<std::string> read_all() const
    {
        std::string text;
        char block[4096];
        for (;;) {
            const auto n = ::read(descriptor_, block, sizeof block);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return system_error("payment journal");
            if (n == 0) return text;
            text.append(block, static_cast<std::size_t>(n));
        }
    }

    // The whole text at the end of the file, or nothing of it.
    Result<void> append(std::string_view text)
    {
        const auto end = ::lseek(descriptor_, 0, SEEK_END);
        if (end < 0) return system_error("payment journal");
        for (auto rest = text; !rest.empty();) {
            const auto n = ::write(descriptor_, rest.data(), rest.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return undo(end);
            rest.remove_prefix(static_cast<std::size_t>(n));
        }
        if (::fdatasync(descriptor_) != 0) return undo(end);
        return {};
    }

    Result<void> truncate(std::size_t size)
    {
        if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0 || ::fsync(descriptor_) != 0)
            return system_error("payment journal");
        return {};
    }

private:
    Result<void> undo(off_t end)
    {
        const auto error = system_error("payment journal");
        if (::ftruncate(descriptor_, end) != 0) return system_error("payment journal");
        return error;
    }

    int descriptor_;
};

std::vector<std::string_view> words_of(std::string_view line)
{
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at <= line.size();) {
        const auto end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

template <class T>
std::optional<T> decode_hex(std::string_view hex)
{
    std::vector<std::uint8_t> bytes(hex.size() / 2);
    if (!detail::from_hex(hex, bytes)) return std::nullopt;
    const auto object = T::decode(bytes);
    if (!object) return std::nullopt;
    return *object;
}

std::optional<Amount> parse_units(std::string_view text)
{
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n <= 0) return std::nullopt;
    return Amount::minor_units(n);
}

class FileJournal final : public PaymentJournal {
public:
    explicit FileJournal(int descriptor) : file_(descriptor) {}

    Result<void> load()
    {
        const auto text = file_.read_all();
        if (!text) return text.error();
        std::size_t at = 0;
        while (at < text->size()) {
            const auto end = text->find('\n', at);
            if (end == std::string::npos) return file_.truncate(at);
            if (!take(words_of(std::string_view(*text).substr(at, end - at)))) {
                return Error{.code = Errc::file_damaged,
                             .detail = static_cast<std::uint32_t>(at),
                             .where = "payment journal"};
            }
            at = end + 1;
        }
        return {};
    }

    Result<void> intend(const PaymentIntent& intent) override
    {
        if (const auto* known = find(intent.id)) {
            if (known->intent == intent) return {};
            return Error{.code = Errc::conflict, .where = "payment journal"};
        }
        const auto units = std::to_string(intent.amount.to_minor_units());
        return write({"intent", intent.id.to_string(), intent.card_id.to_string(), units,
                      std::string(intent.payee.text())});
    }

    Result<void> paid(const OperationId& id, const Operation& operation,
                      const Receipt& receipt) override
    {
        const auto* known = find(id);
        TALLYCARD_EXPECTS(known != nullptr);
        if (known->receipt && *known->receipt != receipt)
            return Error{.code = Errc::conflict, .where = "payment journal"};
        return write(
            {"paid", id.to_string(), to_hex(operation.encode()), to_hex(receipt.encode())});
    }

    Result<void> close(const OperationId& id) override
    {
        TALLYCARD_EXPECTS(find(id) != nullptr);
        return write({"closed", id.to_string()});
    }

    const std::vector<JournalPayment>& payments() const override { return payments_; }

private:
    JournalPayment* find(const OperationId& id)
    {
        const auto at =
            std::ranges::find(payments_, id, [](const JournalPayment& p) { return p.intent.id; });
        return at == payments_.end() ? nullptr : &*at;
    }

    Result<void> write(const std::vector<std::string>& words)
    {
        std::string line;
        for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
        if (auto written = file_.append(line + '\n'); !written) return written;
        TALLYCARD_EXPECTS(take(words_of(line)));
        return {};
    }

    bool take(const std::vector<std::string_view>& words)
    {
        if (words.size() < 2) return false;
        const auto id = OperationId::parse(words[1]);
        if (!id) return false;
        auto* known = find(*id);
        if (words[0] == "intent" && words.size() == 5 && known == nullptr) {
            const auto card_id = CardId::parse(words[2]);
            const auto amount = parse_units(words[3]);
            const auto payee = AccountId::parse(words[4]);
            if (!card_id || !amount || !payee) return false;
            payments_.push_back({{*id, *card_id, *amount, *payee}, {}, {}, false});
            return true;
        }
        if (known == nullptr) return false;
        if (words[0] == "paid" && words.size() == 4) {
            known->operation = decode_hex<Operation>(words[2]);
            known->receipt = decode_hex<Receipt>(words[3]);
            known->closed = false;  // it had been taken for refused
            return known->operation && known->receipt;
        }
        known->closed = words[0] == "closed" && words.size() == 2;
        return known->closed;
    }

    File file_;
    std::vector<JournalPayment> payments_;
};

}  // namespace

PaymentJournal::~PaymentJournal() = default;

Result<std::unique_ptr<PaymentJournal>> PaymentJournal::open(const std::string& path)
{
    const int descriptor =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return system_error("payment journal");
    auto journal = std::make_unique<FileJournal>(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return system_error("payment journal");
    if (auto loaded = journal->load(); !loaded) return loaded.error();
    if (auto named = sync_folder_of(path); !named) return named.error();
    return std::unique_ptr<PaymentJournal>(std::move(journal));
}

}  // namespace tallycard
