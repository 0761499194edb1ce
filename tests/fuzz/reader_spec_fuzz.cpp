// SPDX-License-Identifier: Apache-2.0
// What a user may write for a reader: whatever it is, readers that can be asked or an error that
// says what is wrong. Files are in a folder of the process, and the service is a made-up one.
#include <tallycard/reader_spec.hpp>

#include <filesystem>
#include <string>

#include "fake_service.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "same_random.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::FakeService;
using fuzz::Input;

namespace {

// No file elsewhere, no socket that others may have.
bool stays_here(std::string_view spec)
{
    return spec.find('/') == std::string_view::npos && spec.find('\0') == std::string_view::npos &&
           spec.find("vpcd:") == std::string_view::npos && spec.size() < 200;
}

void put(const std::string& name, std::string_view text)
{
    std::ofstream(name, std::ios::binary | std::ios::trunc) << text;
}

// The program is in the folder of the files, as long as one lives: a fuzzer knows its own by names
// that mean something where it was started.
class InFolder {
public:
    InFolder() : before_(std::filesystem::current_path())
    {
        std::filesystem::current_path(fuzz::scratch().path());
    }
    InFolder(const InFolder&) = delete;
    InFolder& operator=(const InFolder&) = delete;
    ~InFolder() { std::filesystem::current_path(before_); }

private:
    std::filesystem::path before_;
};

void make_files()
{
    put("p", "tallycard-faults 1\nat 2 lose-answer\n");
    put("r", "tallycard-trace 1\n1 reader 1 \"one\"\n2 list > 1\n3 open 1 > ok\n");
    put("q", "no plan");
    std::filesystem::remove("t");
}

void look(ReaderSource& source)
{
    const auto reader = open_reader(source);
    if (!reader) {
        FUZZ_CHECK(!reader.error().message().empty());
        return;
    }
    FUZZ_CHECK(!(*reader)->name().empty());
    (void)(*reader)->card();
    (void)(*reader)->identity();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::SameRandom random;
    Input input(data, size);
    const auto how = input.byte();
    const std::string spec(fuzz::text(input.rest()));
    if (!stays_here(spec)) return 0;
    const InFolder folder;
    make_files();
    FakeService::begin(1, 0, 20);
    for (int i = 0; i < how % 3; ++i) FakeService::plug(i == 0 ? "one" : "two");
    if ((how & 8) != 0) FakeService::insert("two");
    if ((how & 16) != 0) FakeService::stop();
    ReaderSpecOptions options;
    if ((how & 32) != 0) {
        std::array<std::uint8_t, TransportKey::size> key{7};
        options.transport_key.emplace(key);
    }
    {
        auto source = open_reader_driver(spec, std::move(options));
        if (source)
            look(*source);
        else
            FUZZ_CHECK(source.error().where[0] != '\0' && !source.error().message().empty());
    }
    FakeService::end();
    return 0;
}
