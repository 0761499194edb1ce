// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include <tallycard/witness_policy.hpp>

#include "issuer/add_checkpoint.hpp"
#include "issuer/files.hpp"
#include "support/log_tree.hpp"
#include "support/witness_keys.hpp"
#include "witness/serving.hpp"
#include "witness/witness.hpp"

using namespace tallycard;
using namespace tallycard::test;
using tallycard::witness::Answer;
using tallycard::witness::State;
using tallycard::witness::Verdict;
using tallycard::witness::Witness;

namespace {

constexpr std::uint64_t noon = 1800000000;

// A witness of "log.test", in a folder that outlives it.
class Stand {
public:
    explicit Stand(Witness::Clock clock = [] { return noon; }) : clock_(std::move(clock)) {}

    Result<std::unique_ptr<Witness>> open() const
    {
        auto state = State::open(state_folder());
        if (!state) return state.error();
        return std::make_unique<Witness>(witness_key(1), std::vector{log.key()}, std::move(*state),
                                         clock_);
    }
    Answer ask(const std::string& request) const { return open().value()->add_checkpoint(request); }
    std::string state_folder() const { return folder_.file("state"); }
    std::optional<merkle::Head> known() const
    {
        return witness::newest_in(state_folder(), "log.test").value();
    }
    std::string state_file() const
    {
        for (const auto& entry : std::filesystem::directory_iterator(state_folder()))
            if (entry.path().filename() != "lock") return entry.path();
        throw std::runtime_error("no state");
    }

    LogTree log{"log.test", 40, "entry"};

private:
    TemporaryFolder folder_;
    Witness::Clock clock_;
};

bool is_cosigned_by_one(const std::string& note, const Answer& answer)
{
    const auto policy = WitnessPolicy::parse(policy_text(1, 1)).value();
    const auto found = policy.check(note + answer.lines);
    return found && found->size() == 1 && found->front().time == noon;
}

}  // namespace

TEST_CASE("a witness cosigns what continues what it knows, from nothing on")
{
    const Stand stand;
    for (const auto& [from, to] : {std::pair{0U, 0U}, {0U, 3U}, {3U, 3U}, {3U, 8U}, {8U, 40U}}) {
        const auto answer = stand.ask(stand.log.request(from, to));
        REQUIRE(answer.verdict == Verdict::cosigned);
        CHECK(answer.size == to);
        CHECK(is_cosigned_by_one(stand.log.note(to), answer));
        CHECK(stand.known() == stand.log.head(to));
    }
}

TEST_CASE("a witness that knows another size says which, and signs nothing")
{
    const Stand stand;
    REQUIRE(stand.ask(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    for (const auto& [from, to] : {std::pair{0U, 8U}, {4U, 8U}, {6U, 8U}, {0U, 3U}, {3U, 3U}}) {
        const auto answer = stand.ask(stand.log.request(from, to));
        CHECK(answer.verdict == Verdict::other_size);
        CHECK(answer.size == 5);
        CHECK(answer.lines.empty());
    }
    CHECK(stand.known()->size == 5);
}

TEST_CASE("a fork is refused: as large as what was signed, larger, and after a restart")
{
    const Stand stand;
    const LogTree fork("log.test", 40, "another");
    REQUIRE(stand.ask(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    const auto same_size = stand.ask(fork.request(5, 5));
    CHECK(same_size.verdict == Verdict::forked);
    CHECK(same_size.note == fork.note(5));  // the proof of it
    CHECK(stand.ask(fork.request(5, 8)).verdict == Verdict::inconsistent);
    CHECK(stand.ask(stand.log.request(5, 8, fork.note(8))).verdict == Verdict::inconsistent);
    CHECK(stand.known() == stand.log.head(5));
    CHECK(stand.ask(stand.log.request(5, 8)).verdict == Verdict::cosigned);
}

TEST_CASE("a proof is as long as it has to be: empty from nothing, and to the same size")
{
    const Stand stand;
    const auto padded = [](std::string request) {
        const auto hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        return request.insert(request.find('\n') + 1, hash);
    };
    CHECK(stand.ask(padded(stand.log.request(0, 5))).verdict == Verdict::inconsistent);
    REQUIRE(stand.ask(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    CHECK(stand.ask(padded(stand.log.request(5, 5))).verdict == Verdict::inconsistent);
    CHECK(stand.ask(padded(stand.log.request(5, 8))).verdict == Verdict::inconsistent);
    REQUIRE(stand.known()->size == 5);
}

TEST_CASE("an empty tree has one root")
{
    const Stand stand;
    const Checkpoint odd{"log.test", {.size = 0, .root = Digest{}}};
    const auto note = odd.sign(stand.log.signer()).value();
    CHECK(stand.ask("old 0\n\n" + note).verdict == Verdict::inconsistent);
}

TEST_CASE("only logs that are known, under their own keys")
{
    const Stand stand;
    const LogTree stranger("stranger.test", 5, "entry");
    CHECK(stand.ask(stranger.request(0, 5)).verdict == Verdict::unknown_log);
    const Checkpoint checkpoint{"log.test", stand.log.head(5)};
    const auto forged = checkpoint.sign(CheckpointKey(seed(99))).value();
    CHECK(stand.ask(stand.log.request(0, 5, forged)).verdict == Verdict::not_signed);
    auto damaged = stand.log.note(5);
    damaged[damaged.size() - 9] = damaged[damaged.size() - 9] == 'A' ? 'B' : 'A';
    CHECK(stand.ask(stand.log.request(0, 5, damaged)).verdict == Verdict::not_signed);
    CHECK(!stand.known());

    // Others' signatures beside the log's own do not matter, and are not kept.
    const auto many = witness_key(9).cosign("x\n", 1);
    CHECK(stand.ask(stand.log.request(0, 5, stand.log.note(5) + many)).verdict ==
          Verdict::cosigned);
    CHECK(files::read(stand.state_file(), 4096).value() == stand.log.note(5));
}

TEST_CASE("what is no request is refused, and every cut one")
{
    const Stand stand;
    const auto whole = stand.log.request(0, 5);
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(stand.ask(whole.substr(0, size)).verdict == Verdict::malformed);
    const auto note = stand.log.note(5);
    for (const auto* first : {"old 00", "old -1", "old", "old 0 ", "Old 0", " old 0", "old 6",
                              "old 18446744073709551616", "old 0\r"})
        CHECK(stand.ask(std::string(first) + "\n\n" + note).verdict == Verdict::malformed);
    std::string hashes;
    for (int i = 0; i < 64; ++i) hashes += "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    CHECK(stand.ask("old 0\n" + hashes + "\n" + note).verdict == Verdict::malformed);
    CHECK(stand.ask("old 0\nAAAA\n\n" + note).verdict == Verdict::malformed);
    CHECK(!stand.known());
}

TEST_CASE("a witness that is killed between recording and signing goes on, and cannot be forked")
{
    const Stand stand([]() -> std::uint64_t { ::_exit(9); });  // the time is asked for last
    const auto child = ::fork();
    if (child == 0) {
        (void)stand.ask(stand.log.request(0, 5));
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WEXITSTATUS(status) == 9);
    REQUIRE(stand.known() == stand.log.head(5));  // recorded before it would have signed

    const auto again = [&](const std::string& request) {
        Witness after(witness_key(1), {stand.log.key()}, State::open(stand.state_folder()).value(),
                      [] { return noon; });
        return after.add_checkpoint(request);
    };
    CHECK(again(LogTree("log.test", 40, "another").request(5, 5)).verdict == Verdict::forked);
    CHECK(again(stand.log.request(0, 4)).verdict == Verdict::other_size);
    CHECK(is_cosigned_by_one(stand.log.note(5), again(stand.log.request(5, 5))));
}

TEST_CASE("what cannot be recorded is not signed")
{
    int asked = 0;
    const Stand stand([&] {
        ++asked;
        return noon;
    });
    const auto witness = stand.open().value();
    REQUIRE(witness->add_checkpoint(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    std::filesystem::rename(stand.state_folder(), stand.state_folder() + "-away");
    std::ofstream(stand.state_folder()) << "in the way";
    const auto answer = witness->add_checkpoint(stand.log.request(5, 8));
    CHECK(answer.verdict == Verdict::failed);
    CHECK(answer.lines.empty());
    CHECK(asked == 1);
}

TEST_CASE("a damaged record is never taken for none")
{
    const Stand stand;
    REQUIRE(stand.ask(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    const auto file = stand.state_file();
    const auto whole = files::read(file, 4096).value();
    std::size_t tried = 0;
    for (const auto size : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
        files::replace(file, std::string_view(whole).substr(0, size)).value();
        const auto answer = stand.ask(stand.log.request(0, 5));
        CHECK(answer.verdict == Verdict::failed);
        CHECK(answer.error.code == Errc::file_damaged);
        ++tried;
    }
    CHECK(tried == 4);
    files::replace(file, LogTree("other.test", 5, "entry").note(5)).value();
    CHECK(stand.ask(stand.log.request(0, 5)).verdict == Verdict::failed);
}

TEST_CASE("one process at a time has a witness's state")
{
    const Stand stand;
    auto first = stand.open().value();
    CHECK(stand.open().error().code == Errc::file_in_use);
    first.reset();
    CHECK(stand.open());
}

TEST_CASE("what a killed process had not put into place is cleared away")
{
    const Stand stand;
    REQUIRE(stand.ask(stand.log.request(0, 5)).verdict == Verdict::cosigned);
    const auto leftover = stand.state_file() + ".Ab12Cd";
    std::ofstream(leftover) << "half";
    REQUIRE(stand.ask(stand.log.request(5, 6)).verdict == Verdict::cosigned);
    CHECK(!std::filesystem::exists(leftover));
    CHECK(stand.known()->size == 6);
}

TEST_CASE("HTTP's statuses are those of C2SP's tlog-witness")
{
    const auto reply = [](Verdict verdict) {
        Answer answer;
        answer.verdict = verdict;
        answer.size = 7;
        return witness::to_http(answer);
    };
    const auto status = [&](Verdict verdict) { return reply(verdict).status; };
    CHECK(status(Verdict::cosigned) == 200);
    CHECK(status(Verdict::malformed) == 400);
    CHECK(status(Verdict::not_signed) == 403);
    CHECK(status(Verdict::unknown_log) == 404);
    CHECK(status(Verdict::other_size) == 409);
    CHECK(status(Verdict::forked) == 409);
    CHECK(status(Verdict::inconsistent) == 422);
    CHECK(status(Verdict::failed) == 500);
    const auto conflict = reply(Verdict::other_size);
    CHECK(conflict.body == "7\n");
    CHECK(conflict.type == "text/x.tlog.size");
}
