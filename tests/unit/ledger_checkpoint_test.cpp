// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <fstream>
#include <functional>

#include "issuer/files.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

Errc code_of(const Result<std::unique_ptr<Platform>>& answer)
{
    REQUIRE(!answer);
    return answer.error().code;
}

// A store before whose n-th writing transaction something else happens.
class InterruptedStore final : public Store {
public:
    InterruptedStore(std::unique_ptr<Store> store, int writes, std::function<void()> interruption)
        : store_(std::move(store)), writes_left_(writes), interruption_(std::move(interruption))
    {
    }
    Result<std::unique_ptr<StoreTransaction>> write() override
    {
        if (--writes_left_ == 0) interruption_();
        return store_->write();
    }
    Result<std::unique_ptr<StoreTransaction>> read() override { return store_->read(); }

private:
    std::unique_ptr<Store> store_;
    int writes_left_;
    std::function<void()> interruption_;
};

void copy_store(const TestIssuer& issuer, const char* name)
{
    std::filesystem::copy_file(issuer.store_file(), issuer.folder().file(name));
}

}  // namespace

TEST_CASE("a checkpoint reads back, and every flipped bit of it is refused")
{
    const CheckpointKey key(seed(3));
    const Checkpoint checkpoint{"issuer.test", {.size = 42, .root = sha256({})}};
    const auto note = checkpoint.sign(key).value();
    REQUIRE(Checkpoint::open(note, "issuer.test", key.public_key()).value() == checkpoint);
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * note.size(); ++bit) {
        auto flipped = note;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        if (!Checkpoint::open(flipped, "issuer.test", key.public_key())) ++refused;
    }
    REQUIRE(refused == 8 * note.size());
    REQUIRE(!Checkpoint::open(note, "other.test", key.public_key()));
    REQUIRE(!Checkpoint::open(note, "issuer.test", CheckpointKey(seed(4)).public_key()));
    REQUIRE(!Checkpoint::open(note + note, "issuer.test", key.public_key()));
    REQUIRE(!Checkpoint::open("", "issuer.test", key.public_key()));
    const auto name = note.find("issuer.test ", note.find("\n\n"));
    REQUIRE(name != std::string::npos);
    const auto unsigned_note = note.substr(0, name) + "issuer.test \n";
    REQUIRE(!Checkpoint::open(unsigned_note, "issuer.test", key.public_key()));
}

TEST_CASE("a note is laid out as C2SP's signed-note says")
{
    const CheckpointKey key(seed(3));
    const auto note = Checkpoint{"issuer.test", {.size = 1, .root = Digest{}}}.sign(key).value();
    const std::string text = "issuer.test\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    REQUIRE(note.substr(0, text.size()) == text);
    const std::string opening = "\n\xE2\x80\x94 issuer.test ";
    REQUIRE(note.substr(text.size(), opening.size()) == opening);
    REQUIRE(note.size() == text.size() + opening.size() + 92 + 1);
    REQUIRE(note.back() == '\n');
}

TEST_CASE("a checkpoint is stored, and written outside, before it is shown")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto note = issuer->checkpoint(issuer.checkpoint_key()).value();
    REQUIRE(files::read(issuer.checkpoint_file(), 4096).value() == note);
    const auto head = issuer->ledger_head().value();
    REQUIRE(
        Checkpoint::open(note, "issuer.test", issuer.checkpoint_key().public_key()).value().head ==
        head);
    REQUIRE(issuer->checkpoint(CheckpointKey(seed(9))).error().code == Errc::conflict);
    issuer.run(card, Kind::top_up, 1);
    issuer.reopen();
    const auto proof = issuer->prove_consistency(1).value();
    REQUIRE(merkle::verify_consistency(head, issuer->ledger_head().value(), proof));
}

TEST_CASE("the checkpoint file never goes back when two processes make one at once")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto size_of = [&](const std::string& note) {
        const auto key = issuer.checkpoint_key().public_key();
        return Checkpoint::open(note, "issuer.test", key).value().head.size;
    };
    std::string newer;
    const auto other_process = [&] {
        issuer.settle(card.pay(1, "shop")).value();
        newer = issuer->checkpoint(issuer.checkpoint_key()).value();
    };
    // Opening writes, then the note is stored; the third one is for the file.
    const auto slow = issuer
                          .open(std::make_unique<InterruptedStore>(issuer.store().open().value(), 3,
                                                                   other_process))
                          .value();

    const auto older = slow->checkpoint(issuer.checkpoint_key()).value();

    REQUIRE(size_of(older) == 1);
    REQUIRE(size_of(newer) == 2);
    REQUIRE(files::read(issuer.checkpoint_file(), 4096).value() == newer);
    issuer.reopen();
}

TEST_CASE("I16: restoring an old platform database is noticed and refused", "[sqlite]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.close();
    copy_store(issuer, "backup");
    issuer.reopen();
    auto rest = issuer.authorise(card, Kind::top_up, 1).value().first;
    issuer->settle(submission(card.execute(rest))).value();
    issuer->checkpoint(issuer.checkpoint_key()).value();
    issuer.close();
    const auto old = [&] { return open_sqlite_store(issuer.folder().file("backup")).value(); };

    REQUIRE(code_of(issuer.open(old())) == Errc::ledger_behind);
    std::filesystem::remove(issuer.checkpoint_file());
    REQUIRE(issuer.open(old()));  // nothing outside knows better
}

TEST_CASE("I16: a ledger as long as the checkpoint's but with other entries is refused", "[sqlite]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.close();
    copy_store(issuer, "backup");
    issuer.reopen();
    issuer.run(card, Kind::top_up, 1);
    issuer->checkpoint(issuer.checkpoint_key()).value();
    const auto note = files::read(issuer.checkpoint_file(), 4096).value();
    issuer.close();
    std::filesystem::remove(issuer.checkpoint_file());
    std::filesystem::remove(issuer.store_file());
    std::filesystem::rename(issuer.folder().file("backup"), issuer.store_file());
    issuer.reopen();
    auto other = issuer.make_card();
    issuer.run(other, Kind::top_up, 1);
    issuer.close();
    files::create(issuer.checkpoint_file(), note).value();
    REQUIRE(code_of(issuer.open_again()) == Errc::ledger_behind);
}

TEST_CASE("a checkpoint file that is not the issuer's is damage")
{
    TestIssuer issuer;
    issuer->checkpoint(issuer.checkpoint_key()).value();
    issuer.close();
    const auto other = Checkpoint{"issuer.test", {}}.sign(CheckpointKey(seed(9))).value();
    files::replace(issuer.checkpoint_file(), other).value();
    REQUIRE(code_of(issuer.open_again()) == Errc::file_damaged);
    files::replace(issuer.checkpoint_file(), "").value();
    REQUIRE(code_of(issuer.open_again()) == Errc::file_damaged);
}

TEST_CASE("an entry is proven to be in the ledger")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    for (int i = 0; i < 6; ++i) issuer.settle(card.pay(i + 1, "shop")).value();
    for (std::uint32_t sequence = 1; sequence <= 7; ++sequence) {
        const auto proof = issuer->prove(card.id(), sequence).value();
        REQUIRE(proof.entry.record()->receipt.result.sequence == sequence);
        REQUIRE(proof.head == issuer->ledger_head().value());
        REQUIRE(merkle::verify_inclusion(merkle::leaf_hash(proof.entry.encode()), proof.index,
                                         proof.head.size, proof.path, proof.head.root));
    }
    REQUIRE(issuer->prove(7).error().code == Errc::unknown_operation);
    REQUIRE(issuer->prove(card.id(), 8).error().code == Errc::unknown_operation);
    REQUIRE(issuer->prove_consistency(8).error().code == Errc::unknown_operation);
}
