// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <thread>

#include <tallycard/pkcs11_signer.hpp>
#include <tallycard/verify.hpp>

#include "support/soft_hsm.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

Operation top_up(std::uint32_t sequence)
{
    return {.kind = Kind::top_up,
            .card_id = id_of<CardId>(1),
            .sequence = sequence,
            .amount = Amount::minor_units(100),
            .unit = Unit::from_code(978).value(),
            .nonce = id_of<Nonce>(sequence),
            .account = std::nullopt,
            .parameter = {}};
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
