// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <thread>

#include <tallycard/pkcs11_signer.hpp>
#include <tallycard/verify.hpp>

#include "support/soft_hsm.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

// SoftHSM loses some strings of OpenSSL's at each look at a key.
extern "C" const char* leaks_of_others() asm("__lsan_default_suppressions");
const char* leaks_of_others()
{
    return "leak:libcrypto.so\n";
}

namespace {

Operation top_up(std::uint32_t sequence)
{
    return {.kind = Kind::top_up,
            .card_id = id_of<CardId>(1),
            .sequence = sequence,
            .amount = Amount::minor_units(100),
            .unit = Unit::from_code(978).value(),
            .nonce = id_of<Nonce>(sequence),
            .account = account_id("T1"),
            .parameter = {}};
}

AccountOrder pay_out()
{
    return {.kind = OrderKind::pay_out,
            .account = account_id("SHOP"),
            .number = 1,
            .amount = Amount::minor_units(-100),
            .unit = Unit::from_code(978).value(),
            .id = id_of<OperationId>(1),
            .other = account_id("bank")};
}

}  // namespace

TEST_CASE("SoftHSM signs an operation, and pkcs11-tool sees the same public key")
{
    const SoftHsm hsm;
    SoftHsm::make_key("operation", "01");
    const auto signer =
        open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();

    const auto operation = top_up(1);
    const auto signature = signer->sign(operation).value();

    REQUIRE(verify(FirstInstruction{operation, signature}, signer->public_key()));
    REQUIRE(signer->sign(operation).value() == signature);
    const auto seen = SoftHsm::tool("--list-objects --type pubkey --id 01");
    REQUIRE(seen.find("0420" + signer->public_key().to_string()) != std::string::npos);
}

TEST_CASE("SoftHSM holds the key of an account, whose word the issuer's key in it takes up")
{
    const SoftHsm hsm;
    SoftHsm::make_key("shop", "06");
    SoftHsm::make_key("operation", "01");
    const auto owner = open_pkcs11_account_key(SoftHsm::uri("shop"), SoftHsm::pin()).value();
    const auto signer =
        open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();
    const auto root = SoftwareCardRoot(seed(2)).public_key();
    auto refund = top_up(1);
    refund.kind = Kind::transfer_in;
    refund.account = account_id("SHOP");

    const auto consent = owner->consent(root, refund).value();
    const auto word = owner->sign(root, pay_out()).value();
    const AccountRecord record{pay_out(), word, signer->sign(pay_out(), word).value()};
    Gap gap{.card_id = id_of<CardId>(1),
            .last = 2,
            .balance = {},
            .last_result = {},
            .issuer_signature = {}};
    gap.issuer_signature = signer->sign(gap).value();

    CHECK(verify_consent(refund, consent, root, owner->public_key()));
    CHECK(verify_owner(pay_out(), word, root, owner->public_key()));
    CHECK(verify(record, signer->public_key()));
    CHECK(verify(gap, signer->public_key()));
    const auto seen = SoftHsm::tool("--list-objects --type pubkey --id 06");
    CHECK(seen.find("0420" + owner->public_key().to_string()) != std::string::npos);
}

TEST_CASE("SoftHSM derives a card's key, the same each time, that an issued card signs with")
{
    const SoftHsm hsm;
    SoftHsm::make_key("card-root", "02");
    const auto root = open_pkcs11_card_root(SoftHsm::uri("card-root"), SoftHsm::pin()).value();
    const auto id = id_of<CardId>(77);

    const auto key = root->derive(id).value();

    CHECK(derive_card_public_key(root->public_key(), id, key.certificate).value() ==
          key.public_key);
    CHECK(equal(root->derive(id).value().scalar, key.scalar));
    SimulatedCard card(id, root->derive(id).value(), Unit::from_code(978).value());
    CHECK(card.public_key() == key.public_key);
    CHECK(verify(card.request(Kind::transfer_out, -5, "A"), key.public_key));
}

TEST_CASE("SoftHSM whose sessions all close, or that is finalised, signs on")
{
    const SoftHsm hsm;
    SoftHsm::make_key("operation", "01");
    const auto signer =
        open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();
    const auto& module = SoftHsm::functions();
    const auto signature = signer->sign(top_up(1)).value();
    std::array<CK_SLOT_ID, 8> slots{};
    CK_ULONG count = slots.size();
    REQUIRE(module.C_GetSlotList(CK_TRUE, slots.data(), &count) == CKR_OK);
    for (CK_ULONG i = 0; i < count; ++i) REQUIRE(module.C_CloseAllSessions(slots[i]) == CKR_OK);
    CHECK(signer->sign(top_up(1)).value() == signature);
    REQUIRE(module.C_Finalize(nullptr) == CKR_OK);
    CHECK(signer->sign(top_up(1)).value() == signature);
}

TEST_CASE("SoftHSM whose token is taken away is missing, and signs when it is back")
{
    const SoftHsm hsm;
    SoftHsm::make_key("operation", "01");
    const auto signer =
        open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();
    const auto away = hsm.folder().file("away");
    std::filesystem::rename(hsm.tokens(), away);
    std::filesystem::create_directory(hsm.tokens());
    REQUIRE(SoftHsm::functions().C_Finalize(nullptr) == CKR_OK);
    CHECK(signer->sign(top_up(1)).error().code == Errc::token_missing);
    std::filesystem::remove(hsm.tokens());
    std::filesystem::rename(away, hsm.tokens());
    CHECK(
        verify(FirstInstruction{top_up(1), signer->sign(top_up(1)).value()}, signer->public_key()));
}

TEST_CASE("SoftHSM refuses a wrong PIN, another token's name, another key's name and P-256")
{
    const SoftHsm hsm;
    SoftHsm::make_key("operation", "01");
    SoftHsm::make_key("p256", "03", "EC:prime256v1");
    SoftHsm::make_key("twin", "04");
    SoftHsm::make_key("twin", "05");
    const auto code_of = [](const Pkcs11Uri& uri, std::optional<Passphrase> pin) {
        return open_pkcs11_operation_key(uri, std::move(pin)).error().code;
    };
    CHECK(code_of(SoftHsm::uri("operation"), SoftHsm::pin("00000000")) == Errc::token_pin_wrong);
    CHECK(code_of(SoftHsm::uri("operation"), SoftHsm::pin("1")) == Errc::token_pin_wrong);
    CHECK(code_of(SoftHsm::uri("operation"), std::nullopt) == Errc::pin_needed);
    CHECK(code_of(SoftHsm::uri("operation", "other"), SoftHsm::pin()) == Errc::token_missing);
    CHECK(code_of(SoftHsm::uri("other"), SoftHsm::pin()) == Errc::token_key_missing);
    CHECK(code_of(SoftHsm::uri("p256"), SoftHsm::pin()) == Errc::token_key_unfit);
    CHECK(code_of(SoftHsm::uri("twin"), SoftHsm::pin()) == Errc::token_key_missing);
    auto one_twin = SoftHsm::uri("twin");
    one_twin.id = std::vector<std::uint8_t>{5};
    CHECK(open_pkcs11_operation_key(one_twin, SoftHsm::pin()));
    CHECK(open_pkcs11_account_key(SoftHsm::uri("p256"), SoftHsm::pin()).error().code ==
          Errc::token_key_unfit);
    CHECK(open_pkcs11_account_key(SoftHsm::uri("operation"), std::nullopt).error().code ==
          Errc::pin_needed);
}

TEST_CASE("several keys of SoftHSM sign at once, and any may be closed first")
{
    const SoftHsm hsm;
    SoftHsm::make_key("operation", "01");
    SoftHsm::make_key("card-root", "02");
    auto root = open_pkcs11_card_root(SoftHsm::uri("card-root"), SoftHsm::pin()).value();
    auto signer = open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();
    std::thread deriving([&] {
        for (std::uint32_t i = 0; i < 50; ++i) REQUIRE(root->derive(id_of<CardId>(i)));
    });
    for (std::uint32_t i = 1; i < 50; ++i) REQUIRE(signer->sign(top_up(i)));
    deriving.join();
    signer.reset();
    CHECK(root->derive(id_of<CardId>(1)));
    root.reset();
    signer = open_pkcs11_operation_key(SoftHsm::uri("operation"), SoftHsm::pin()).value();
    CHECK(signer->sign(top_up(1)));
}

TEST_CASE("SoftHSM signs a checkpoint of the ledger")
{
    const SoftHsm hsm;
    SoftHsm::make_key("checkpoint", "03");
    const auto key = open_pkcs11_checkpoint_key(SoftHsm::uri("checkpoint"), SoftHsm::pin()).value();
    const Checkpoint checkpoint{"issuer.test", {.size = 3, .root = id_of<Digest>(9)}};
    const auto note = checkpoint.sign(key).value();
    CHECK(Checkpoint::open(note, "issuer.test", key.public_key()).value() == checkpoint);
}
