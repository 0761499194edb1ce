// SPDX-License-Identifier: Apache-2.0
// Whatever is where a file should be, and whichever call of the system fails: each file that the
// library reads or writes is there and right, or an error says what is wrong with it, and what was
// there is there still. A journal that could not be written to goes on as it was.
#include "failing_calls.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <tallycard/fault_plan.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/operation_journal.hpp>
#include <tallycard/replay_reader.hpp>
#include <tallycard/transport_key_file.hpp>

#include "../../readers/ifd/ifd_config.hpp"
#include "../../src/issuer/files.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Input;

namespace {

std::string path()
{
    return fuzz::scratch().file("place");
}

bool is_file(const std::string& place)
{
    std::error_code none;
    return std::filesystem::is_regular_file(place, none);
}

std::string content(const std::string& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void clean()
{
    for (const char* name : {"place", "place.new", "place.lock", "other"})
        std::filesystem::remove_all(fuzz::scratch().file(name));
}

// A pipe that nobody writes to is refused where it matters, and waited for elsewhere: `<(program)`
// is a pipe as well.
enum class Pipes : bool { wait, are_refused };

// What is at the place, and where the reader is told to look.
std::string prepare(Input& input, std::string_view text, Pipes pipes = Pipes::are_refused)
{
    clean();
    const auto place = path();
    const auto how = input.below(12);
    if (how == 0) return place;  // nothing there
    if (how == 1) return fuzz::scratch().file("no folder/place");
    if (how == 2) return path() + std::string(300, 'x');
    if (how == 3) {
        std::filesystem::create_directory(place);
        return place;
    }
    if (how == 4 && pipes == Pipes::are_refused) {
        ::mkfifo(place.c_str(), 0600);
        return place;
    }
    const auto file = fuzz::file_with("place", fuzz::Bytes(text.begin(), text.end()));
    if (how == 6) ::chmod(file.c_str(), 0666);
    if (how == 7) std::filesystem::resize_file(file, (std::size_t{1} << 20) + input.byte());
    if (how == 8) {
        std::filesystem::rename(file, fuzz::scratch().file("other"));
        std::filesystem::create_symlink(fuzz::scratch().file("other"), file);
    }
    return file;
}

template <class T>
void named(const Result<T>& result)
{
    if (!result) FUZZ_CHECK(result.error().where[0] != '\0' && !result.error().message().empty());
}

constexpr std::string_view config = "directory = /run/x\nslots = 1\n";
constexpr std::string_view plan = "tallycard-faults 1\nat 2 lose-answer\n";
constexpr std::string_view record = "tallycard-trace 1\n1 reader 1 \"one\"\n2 list > 1\n";

template <auto read, Pipes pipes>
void read_only(Input& input, std::string_view text)
{
    // A device is for reading alone: nobody is to replace it.
    const auto place = input.one_in(16) ? "/dev/null" : prepare(input, text, pipes);
    const auto before = is_file(place) ? content(place) : "";
    const auto nth = input.byte() % 12u;
    const int error = input.one_in(4) ? EINTR : EIO;
    {
        const fuzz::FailingCalls failing(nth, error);
        named(read(place));
    }
    if (is_file(place)) FUZZ_CHECK(content(place) == before);
}

Result<std::string> read_some(const std::string& place)
{
    return files::read(place, 4096);
}

// A file that is replaced is the old one or the new one, whole.
void write_file(Input& input)
{
    const auto place = prepare(input, "old");
    const bool is_new = input.one_in(2);
    const auto nth = input.byte() % 16u;
    const int error = input.one_in(4) ? EINTR : ENOSPC;
    const bool was_there = is_file(place);
    const auto before = was_there ? content(place) : "";
    Result<void> done;
    {
        const fuzz::FailingCalls failing(nth, error);
        done = is_new ? files::create(place, "new") : files::replace(place, "new");
        named(done);
    }
    if (!is_file(place)) return;
    const auto after = content(place);
    FUZZ_CHECK(after == "new" || (was_there && after == before));
    if (done) FUZZ_CHECK(after == "new");
    if (was_there && is_new) FUZZ_CHECK(!done && after == before);
}

OperationId id_of(Input& input)
{
    std::array<std::uint8_t, OperationId::size> bytes{};
    bytes[0] = input.byte() % 4u;
    return OperationId(bytes);
}

void change(OperationJournal& journal, Input& input)
{
    const auto id = id_of(input);
    const auto stage = [&] {
        const auto* entry = journal.find(id);
        return entry == nullptr ? std::optional<JournalStage>() : entry->stage;
    };
    const auto before = stage();
    const auto count = journal.entries().size();
    const auto nth = input.byte() % 10u;
    const int error = input.one_in(4) ? EINTR : ENOSPC;
    const fuzz::FailingCalls failing(nth, error);
    Result<void> done;
    switch (input.below(3)) {
    case 0:
        done = journal.intend({.id = id,
                               .card_id = {},
                               .kind = Kind::top_up,
                               .amount = Amount::minor_units(1),
                               .account = AccountId::parse(std::string_view("T1"))});
        break;
    case 1:
        if (!before) return;
        done = journal.not_applied(id);
        break;
    default: done = journal.compact(input.below(3));
    }
    named(done);
    // Compacting puts a new file in the old one's place: it may have, though its folder fails.
    if (!done && done.error().code != Errc::file_rejected)
        FUZZ_CHECK(stage() == before && journal.entries().size() == count);
}

// What the journal holds after calls that failed is what its next program finds.
void journal(Input& input)
{
    const auto place = prepare(input, "");
    const auto nth = input.byte() % 12u;
    const int error = input.one_in(4) ? EINTR : EIO;
    std::vector<OperationId> known;
    {
        Result<std::unique_ptr<OperationJournal>> opened = [&] {
            const fuzz::FailingCalls failing(nth, error);
            return OperationJournal::open(place);
        }();
        named(opened);
        if (!opened) return;
        FUZZ_CHECK(!OperationJournal::open(place, std::chrono::milliseconds(1)));
        for (int i = 0; i < 6 && !input.empty(); ++i) change(**opened, input);
        for (const auto& entry : (*opened)->entries()) known.push_back(entry.intent.id);
    }
    const auto again = OperationJournal::open(place);
    FUZZ_CHECK(again);
    for (const auto& id : known) FUZZ_CHECK((*again)->find(id) != nullptr);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    switch (input.below(8)) {
    case 0: read_only<ifd::read_config, Pipes::are_refused>(input, config); break;
    case 1: read_only<FaultPlan::read, Pipes::wait>(input, plan); break;
    case 2: read_only<open_replay, Pipes::wait>(input, record); break;
    case 3: read_only<read_issuer_file, Pipes::wait>(input, fuzz::text(input.counted())); break;
    case 4: read_only<read_transport_key, Pipes::are_refused>(input, std::string(64, '7')); break;
    case 5: read_only<read_some, Pipes::wait>(input, "some"); break;
    case 6: write_file(input); break;
    default: journal(input);
    }
    clean();
    return 0;
}
