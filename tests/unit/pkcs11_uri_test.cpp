// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/pkcs11_uri.hpp>

using namespace tallycard;

TEST_CASE("a PKCS#11 URI names a token, a key and a module")
{
    const auto uri =
        Pkcs11Uri::parse(
            "pkcs11:token=the%20issuer;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;"
            "serial=4f18f23e1aefc1c9;slot-id=451920329;object=operation;id=%01%aB%00;type=private"
            "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/tally/pin")
            .value();
    CHECK(uri.token == "the issuer");
    CHECK(uri.manufacturer == "SoftHSM project");
    CHECK(uri.model == "SoftHSM v2");
    CHECK(uri.serial == "4f18f23e1aefc1c9");
    CHECK(uri.slot_id == 451920329);
    CHECK(uri.object == "operation");
    CHECK(uri.id == std::vector<std::uint8_t>{0x01, 0xAB, 0x00});
    CHECK(uri.module_path == "/usr/lib/softhsm/libsofthsm2.so");
    CHECK(uri.pin_source == "/run/tally/pin");
}

TEST_CASE("what a PKCS#11 URI does not say, anything may be")
{
    const auto uri = Pkcs11Uri::parse("pkcs11:id=%01?module-path=/m.so").value();
    CHECK(!uri.token);
    CHECK(!uri.object);
    CHECK(!uri.slot_id);
    CHECK(uri.pin_source.empty());
    CHECK(Pkcs11Uri::parse("pkcs11:object=a&b?pin-source=/p&module-path=/m").value().object ==
          "a&b");
}

TEST_CASE("a PKCS#11 URI in any other form is refused, with the place and the reason")
{
    struct Row {
        const char* text;
        std::uint32_t at;
        const char* why;
    };
    const std::string module = "?module-path=/m";
    for (const auto& [text, at, why] : {
             Row{"", 0, "begins with"},
             {"PKCS11:object=a?module-path=/m", 0, "begins with"},
             {"file:/x", 0, "begins with"},
             {"pkcs11:", 7, "name=value"},
             {"pkcs11:?module-path=/m", 7, "name=value"},
             {"pkcs11:object=a", 15, "module-path is missing"},
             {"pkcs11:token=a?module-path=/m", 29, "object or id is missing"},
             {"pkcs11:object=?module-path=/m", 14, "value is missing"},
             {"pkcs11:object=a;?module-path=/m", 16, "name=value"},
             {"pkcs11:object=a;object=b?module-path=/m", 24, "twice"},
             {"pkcs11:id=a;id=b?module-path=/m", 16, "twice"},
             {"pkcs11:object=a;slot-id=1;slot-id=1?module-path=/m", 35, "twice"},
             {"pkcs11:object=a?module-path=/m&module-path=/m", 45, "twice"},
             {"pkcs11:object=a;type=public?module-path=/m", 27, "type"},
             {"pkcs11:object=a;type=private;type=private?module-path=/m", 41, "twice"},
             {"pkcs11:object=a;x-vendor=b?module-path=/m", 26, "known here"},
             {"pkcs11:object=a;library-version=1?module-path=/m", 33, "known here"},
             {"pkcs11:object=a?module-name=m", 29, "known here"},
             {"pkcs11:object=a?module-path=m.so", 32, "begin with /"},
             {"pkcs11:object=a?module-path=/m&pin-source=pin", 45, "begin with /"},
             {"pkcs11:object=a?module-path=/m&pin-source=%7Ccat%20pin", 54, "begin with /"},
             {"pkcs11:object=a?module-path=/m&pin-value=1234", 40, "pin-value"},
             {"pkcs11:object=a?pin-value=1234", 25, "pin-value"},
             {"pkcs11:object=a%?module-path=/m", 15, "hex digits"},
             {"pkcs11:object=a%2?module-path=/m", 15, "hex digits"},
             {"pkcs11:object=a%2g?module-path=/m", 15, "hex digits"},
             {"pkcs11:object=a?module-path=/m%4", 30, "hex digits"},
             {"pkcs11:object=%00?module-path=/m", 17, "control"},
             {"pkcs11:object=%0A?module-path=/m", 17, "control"},
             {"pkcs11:token=123456789012345678901234567890123;object=a?module-path=/m", 46,
              "too long"},
             {"pkcs11:object=a;slot-id=x?module-path=/m", 25, "number"},
             {"pkcs11:object=a;slot-id=-1?module-path=/m", 26, "number"},
             {"pkcs11:object=a;slot-id=18446744073709551616?module-path=/m", 44, "number"},
             {"pkcs11:object=a b?module-path=/m", 15, "does not belong"},
             {"pkcs11:object=a?module-path=/m#x", 30, "does not belong"},
             {"pkcs11:object=a?module-path=/m\n", 30, "does not belong"},
             {"pkcs11:object=\xC3\xA4?module-path=/m", 14, "value is missing"},
         }) {
        CAPTURE(text);
        const auto uri = Pkcs11Uri::parse(text);
        REQUIRE(!uri);
        CHECK(uri.error().code == Errc::malformed);
        CHECK(uri.error().detail == at);
        CHECK_THAT(uri.error().where, Catch::Contains(why));
        CHECK(uri.error().message().find("1234") == std::string::npos);
    }
    CHECK(!Pkcs11Uri::parse("pkcs11:object=" + std::string(3000, 'a') + module));
    CHECK(!Pkcs11Uri::parse("pkcs11:object=" + std::string(257, 'a') + module));
    CHECK(Pkcs11Uri::parse("pkcs11:object=" + std::string(256, 'a') + module));
}
