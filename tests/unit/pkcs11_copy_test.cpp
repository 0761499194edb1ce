// SPDX-License-Identifier: Apache-2.0
// Copies of keys, as docs/operations.md has them.
#include <catch2/catch.hpp>

#include <tallycard/pkcs11_signer.hpp>

#include "support/soft_hsm.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::unique_ptr<CardRoot> root_in(const std::string& token)
{
    return open_pkcs11_card_root(SoftHsm::uri("root", token), SoftHsm::pin()).value();
}

}  // namespace

TEST_CASE("a key that was made outside and put into two tokens derives the same card keys in both")
{
    const SoftHsm hsm;
    SoftHsm::make_token("copy");
    const auto pem = hsm.folder().file("root.pem");
    run_program("openssl genpkey -algorithm ed25519 -out " + pem);
    for (const std::string token : {"issuer", "copy"})
        run_program("softhsm2-util --import " + pem + " --token " + token +
                    " --label root --id 02 --pin " + SoftHsm::pin_text);
    const auto first = root_in("issuer"), second = root_in("copy");
    // Imported, SoftHSM shows the point raw; made in it, in an OCTET STRING.
    const auto seen = SoftHsm::tool("--token-label copy --list-objects --type pubkey");
    CHECK(seen.find("EC_POINT:   " + first->public_key().to_string()) != std::string::npos);
    CHECK(first->public_key() == second->public_key());
    CHECK(equal(first->derive(id_of<CardId>(1)).value().scalar,
                second->derive(id_of<CardId>(1)).value().scalar));
}

TEST_CASE("a copy of SoftHSM's token folder derives the same card keys with the same PIN")
{
    const SoftHsm hsm;
    SoftHsm::make_key("root", "02");
    const auto before = root_in("issuer")->derive(id_of<CardId>(1)).value();
    const auto archive = hsm.folder().file("vault.tar"), folder = hsm.folder().path().string();
    run_program("tar cf " + archive + " -C " + folder + " tokens");
    std::filesystem::remove_all(hsm.tokens());
    run_program("tar xf " + archive + " -C " + folder);
    const auto after = root_in("issuer")->derive(id_of<CardId>(1)).value();
    CHECK(equal(after.scalar, before.scalar));
    CHECK(after.public_key == before.public_key);
}
