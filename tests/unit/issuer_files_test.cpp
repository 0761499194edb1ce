// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <fstream>

#include <tallycard/key_file.hpp>
#include <tallycard/verify.hpp>

#include "issuer/files.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr KeyFileCost cheap{.passes = 1, .memory_kib = 8};

Passphrase passphrase(std::string text)
{
    return Passphrase::take(text).value();
}

}  // namespace

TEST_CASE("a key file opens with its passphrase, in its role, and is nobody else's to read")
{
    const TemporaryFolder folder;
    const auto path = folder.file("operation.key");
    const auto key = create_key_file(path, KeyRole::operation, passphrase("tally"), cheap).value();

    const auto signer = open_operation_key(path, passphrase("tally")).value();

    REQUIRE(signer->public_key() == key);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    REQUIRE((status.st_mode & 0777) == 0600);
    REQUIRE(status.st_size == 107);
    REQUIRE(open_card_root(path, passphrase("tally")).error().code == Errc::file_damaged);
    REQUIRE(open_checkpoint_key(path, passphrase("tally")).error().code == Errc::file_damaged);
    REQUIRE(open_operation_key(path, passphrase("Tally")).error().code == Errc::wrong_passphrase);
    REQUIRE(open_operation_key(path + "x", passphrase("x")).error().code == Errc::file_missing);
}

TEST_CASE("a key that exists is sealed as it is, and a key file is never overwritten")
{
    const TemporaryFolder folder;
    const auto path = folder.file("root.key");
    const auto key =
        create_key_file(path, KeyRole::card_root, seed(2), passphrase("a"), cheap).value();
    REQUIRE(key == SoftwareCardRoot(seed(2)).public_key());
    REQUIRE(open_card_root(path, passphrase("a")).value()->public_key() == key);
    REQUIRE(create_key_file(path, KeyRole::card_root, passphrase("a"), cheap).error().code ==
            Errc::file_exists);
    REQUIRE(open_card_root(path, passphrase("a")).value()->public_key() == key);
    REQUIRE(create_key_file(folder.file("none/x"), KeyRole::card_root, passphrase("a"), cheap)
                .error()
                .code == Errc::file_missing);
}

TEST_CASE("a key file in another role does not open, though its role was changed in the file")
{
    const TemporaryFolder folder;
    const auto path = folder.file("key");
    create_key_file(path, KeyRole::operation, passphrase("a"), cheap).value();
    auto bytes = files::read(path, 200).value();
    bytes[10] = static_cast<char>(KeyRole::checkpoint);
    files::replace(path, bytes).value();
    REQUIRE(open_checkpoint_key(path, passphrase("a")).error().code == Errc::wrong_passphrase);
}

TEST_CASE("an account's key opens from its file, and from a file of another role never")
{
    const TemporaryFolder folder;
    const auto path = folder.file("account.key"), other = folder.file("operation.key");
    const auto key =
        create_key_file(path, KeyRole::account, seed(3), passphrase("a"), cheap).value();
    create_key_file(other, KeyRole::operation, seed(3), passphrase("a"), cheap).value();
    const auto order = AccountOrder{.kind = OrderKind::close,
                                    .account = account_id("SHOP"),
                                    .number = 1,
                                    .amount = {},
                                    .unit = Unit::from_code(978).value(),
                                    .id = id_of<OperationId>(1)};
    const auto root = SoftwareCardRoot(seed(2)).public_key();

    const auto owner = open_account_key(path, passphrase("a")).value();

    CHECK(owner->public_key() == key);
    CHECK(verify_owner(order, owner->sign(root, order).value(), root, key));
    CHECK(open_account_key(path, passphrase("b")).error().code == Errc::wrong_passphrase);
    CHECK(open_operation_key(path, passphrase("a")).error().code == Errc::file_damaged);
    CHECK(open_witness_key(path, "w", passphrase("a")).error().code == Errc::file_damaged);
    CHECK(open_account_key(other, passphrase("a")).error().code == Errc::file_damaged);
    auto bytes = files::read(other, 200).value();
    bytes[10] = static_cast<char>(KeyRole::account);
    files::replace(other, bytes).value();
    CHECK(open_account_key(other, passphrase("a")).error().code == Errc::wrong_passphrase);
}

TEST_CASE("every flipped bit of a key file keeps it shut")
{
    const TemporaryFolder folder;
    const auto path = folder.file("key");
    create_key_file(path, KeyRole::checkpoint, passphrase("a"), cheap).value();
    const auto bytes = files::read(path, 200).value();
    std::size_t damaged = 0, wrong = 0, costly = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        auto flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        // The cost may now be gigabytes: allowed, and wrong; but not for a test.
        if (bit / 8 >= 11 && bit / 8 < 18) {
            ++costly;
            continue;
        }
        std::filesystem::remove(path);
        std::ofstream(path, std::ios::binary) << flipped;
        const auto code = open_checkpoint_key(path, passphrase("a")).error().code;
        if (code == Errc::file_damaged) ++damaged;
        if (code == Errc::wrong_passphrase) ++wrong;
    }
    REQUIRE(damaged + wrong + costly == 8 * bytes.size());
    REQUIRE(damaged >= 88);
    REQUIRE(wrong >= 8 * (48 + 24 + 16));
}

TEST_CASE("a key file that was cut, or asks for more memory than allowed, is damaged")
{
    const TemporaryFolder folder;
    const auto path = folder.file("key");
    create_key_file(path, KeyRole::checkpoint, passphrase("a"), cheap).value();
    const auto bytes = files::read(path, 200).value();
    const auto code_of = [&](const std::string& content) {
        files::replace(path, content).value();
        return open_checkpoint_key(path, passphrase("a")).error().code;
    };
    REQUIRE(code_of(bytes.substr(0, 106)) == Errc::file_damaged);
    REQUIRE(code_of(bytes + "x") == Errc::file_damaged);
    REQUIRE(code_of("") == Errc::file_damaged);
    auto greedy = bytes;
    greedy[15] = '\x7F';
    REQUIRE(code_of(greedy) == Errc::file_damaged);
    greedy = bytes;
    greedy[12] = '\x01';
    REQUIRE(code_of(greedy) == Errc::file_damaged);
}

TEST_CASE("a passphrase is erased where it was taken from")
{
    std::string text = "secret";
    REQUIRE(Passphrase::take(text));
    REQUIRE(text == std::string(6, '\0'));
    std::string longest(257, 'x');
    REQUIRE(Passphrase::take(longest).error().code == Errc::malformed);
    REQUIRE(longest == std::string(257, '\0'));
    REQUIRE(Passphrase::take({}).error().code == Errc::malformed);
}

TEST_CASE("an issuer's description reads back, and only in the form it was written")
{
    TestIssuer issuer;
    const auto& description = issuer.description();
    const auto text = description.to_text();
    REQUIRE(IssuerDescription::parse(text).value() == description);
    std::size_t refused = 0, other = 0;
    for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
        auto flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        const auto parsed = IssuerDescription::parse(flipped);
        if (!parsed)
            ++refused;
        else if (parsed->to_text() == flipped && *parsed != description)
            ++other;
    }
    REQUIRE(refused + other == 8 * text.size());
    REQUIRE(!IssuerDescription::parse(text + "x"));
    REQUIRE(!IssuerDescription::parse(text.substr(0, text.size() - 1)));
    REQUIRE(!IssuerDescription::parse(""));
}

TEST_CASE("an issuer's description as a file")
{
    TestIssuer issuer;
    const auto path = issuer.folder().file("issuer.pub");
    create_issuer_file(path, issuer.description()).value();
    REQUIRE(create_issuer_file(path, issuer.description()).error().code == Errc::file_exists);
    REQUIRE(read_issuer_file(path).value() == issuer.description());
    auto fewer = issuer.description();
    fewer.operation_keys.pop_back();
    replace_issuer_file(path, fewer).value();
    REQUIRE(read_issuer_file(path).value() == fewer);
    files::replace(path, "tallycard-issuer 2\n").value();
    REQUIRE(read_issuer_file(path).error().code == Errc::file_damaged);
    REQUIRE(read_issuer_file(path + "x").error().code == Errc::file_missing);
}
