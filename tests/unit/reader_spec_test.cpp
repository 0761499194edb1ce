// SPDX-License-Identifier: Apache-2.0
// Readers named by a text.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include <tallycard/reader_spec.hpp>

#include "support/secrets.hpp"
#include "support/temporary_folder.hpp"

using namespace tallycard;
using namespace testing;

namespace {

struct Files {
    Files()
    {
        std::ofstream(plan) << "tallycard-faults 1\nat 1 lose-answer\n";
        std::ofstream(bad_plan) << "tallycard-faults 1\nat 1 lose\n";
    }
    Result<ReaderSource> open(const std::string& spec) const
    {
        ReaderSpecOptions options;
        options.transport_key = secret_of<TransportKey>(7);
        return open_reader_driver(spec, std::move(options));
    }
    test::TemporaryFolder folder;
    std::string plan = folder.file("plan"), bad_plan = folder.file("bad-plan");
    std::string loopback = "loopback:" + (folder.file("card, with a comma"));
};

}  // namespace

TEST_CASE("a specification opens readers in readers", "[spec]")
{
    const Files files;
    const auto record = files.folder.file("record");
    const auto second = files.folder.file("second");
    constexpr std::array<std::uint8_t, 5> challenge = {0x00, 0x84, 0x00, 0x00, 0x08};
    std::array<std::uint8_t, 258> answer{};
    {
        auto source =
            files.open("trace:" + record + ",fault:" + files.plan + ',' + files.loopback).value();
        CHECK(source.reader.empty());
        const auto reader = open_reader(source).value();
        CHECK(reader->name() == files.loopback);
        const auto link = reader->connect(Sharing::shared).value();
        CHECK(link->transmit(challenge, answer).error().code == Errc::link_failed);
        CHECK(link->transmit(challenge, answer).value() == 10);
    }
    auto source = files.open("trace:" + second + ",replay:" + record).value();
    const auto link = open_reader(source).value()->connect(Sharing::shared).value();
    CHECK(link->transmit(challenge, answer).error().code == Errc::link_failed);
    CHECK(link->transmit(challenge, answer).value() == 10);
}

TEST_CASE("a source names a reader by name or index, or else any", "[spec]")
{
    const Files files;
    auto source = files.open(files.loopback).value();
    for (const auto& name : {std::string("0"), files.loopback, std::string()}) {
        source.reader = name;
        CHECK(open_reader(source).value()->name() == files.loopback);
    }
    for (const auto* const name : {"1", "99999999999999999999999", "other"}) {
        source.reader = name;
        CHECK(open_reader(source).error().code == Errc::reader_unavailable);
    }
}

TEST_CASE("a specification that is none says what one looks like", "[spec]")
{
    const Files files;
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += "fault:" + files.plan + ',';
    const std::string wrong[] = {"bogus:x",
                                 "loopback:",
                                 "fault:",
                                 "fault:x",
                                 "fault:,x",
                                 "fault:" + files.plan + ",",
                                 "trace:x",
                                 "trace:,x",
                                 "replay:",
                                 "fault:" + files.plan + ",bogus:x",
                                 deep + files.loopback};
    for (const auto& spec : wrong) {
        const auto source = files.open(spec);
        CAPTURE(spec);
        REQUIRE(!source);
        CHECK(source.error().code == Errc::malformed);
        CHECK(std::string(source.error().where).starts_with("reader: "));
    }
    const auto plan = files.open("fault:" + files.bad_plan + ',' + files.loopback);
    CHECK(plan.error().code == Errc::file_malformed);
    CHECK(plan.error().detail == 2);
    CHECK(files.open("fault:/nowhere,x").error().code == Errc::file_missing);
    CHECK(files.open("replay:/nowhere").error().code == Errc::file_missing);
    CHECK_FALSE(std::filesystem::exists(files.folder.file("card, with a comma")));
    // Where the reader does not open no record is begun.
    const auto record = files.folder.file("record");
    CHECK_FALSE(files.open("trace:" + record + ",replay:/nowhere"));
    CHECK_FALSE(std::filesystem::exists(record));
}
