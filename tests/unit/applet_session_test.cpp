// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <functional>
#include <map>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/digest.hpp"
#include "../../src/protocol/tlv.hpp"
#include "../../virtual-card/applet/t0_framing.hpp"
#include "support/test_card.hpp"

using namespace tallycard;
using testing::Bytes;
using testing::from_hex;
using testing::Json;
using testing::Reply;
using testing::TestCard;

namespace {

using Send = std::function<Reply(const Bytes& apdu)>;

// What tests/vectors/README.md says of session.json.
class Player {
public:
    Player(Send send, std::function<void()> reset)
        : send_(std::move(send)), reset_(std::move(reset))
    {
    }

    void play(const Json& step)
    {
        INFO(step.value("name", ""));
        if (step.contains("reset")) {
            reset_();
            return;
        }
        const auto apdu = command(step.at("command"));
        const auto reply = send_(apdu);
        REQUIRE(reply.sw == std::stoul(step.at("sw").get<std::string>(), nullptr, 16));
        if (step.contains("name")) {
            answers_[step.at("name").get<std::string>()] = reply.data;
            sent_[step.at("name").get<std::string>()] = apdu;
        }
        check(step.value("response", Json()), reply.data);
    }

    static Bytes object_of(const Bytes& answer)
    {
        tlv::Decoder in(answer);
        const auto object = in.element(answer.at(0));
        REQUIRE(in.ok());
        return testing::bytes_of(object);
    }

private:
    Bytes command(const Json& wanted) const
    {
        if (wanted.is_string()) return from_hex(wanted.get<std::string>());
        const auto object = object_of(answers_.at(wanted.at("execute_operation_of")));
        const auto signature = ed25519::sign(testing::secret<KeySeed>(wanted.at("signed_with")),
                                             wire::domain::operation, object);
        tlv::Encoder<255> data;
        data.raw(object);
        data.field(wire::tag::issuer_signature, signature.bytes());
        return testing::command_apdu(wire::command::execute, data.fields(), 0);
    }

    void check(const Json& wanted, const Bytes& answer) const
    {
        if (wanted.is_null()) {
            CHECK(answer.empty());
        } else if (wanted.contains("exact")) {
            CHECK(answer == from_hex(wanted.at("exact")));
        } else if (wanted.contains("length")) {
            CHECK(answer.size() == std::stoul(wanted.at("length").dump()));
        } else if (wanted.contains("same_as")) {
            CHECK(answer == answers_.at(wanted.at("same_as")));
        } else if (wanted.contains("data_of")) {
            const auto& apdu = sent_.at(wanted.at("data_of"));
            CHECK(answer == testing::bytes_of(std::span(apdu).subspan(5, apdu.at(4))));
        } else if (wanted.contains("fci")) {
            check_fci(wanted.at("fci"), answer);
        } else {
            check_signed(wanted, answer);
        }
    }

    void check_signed(const Json& wanted, const Bytes& answer) const
    {
        const auto object = object_of(answer);
        if (wanted.contains("object")) CHECK(object == from_hex(wanted.at("object")));
        if (wanted.contains("template")) check_fields(wanted, object);
        if (wanted.contains("signed_object_of")) {
            const auto& other = answers_.at(wanted.at("signed_object_of"));
            CHECK(object == object_of(other));
            CHECK(answer != other);
        }
        tlv::Decoder in(answer);
        in.element(answer.at(0));
        const Signature signature(in.field<64>(wire::tag::card_signature));
        REQUIRE(in.at_end());
        const auto domain = wanted.at("signature_tag").get<std::string>() + '\0';
        CHECK(ed25519::verify(signature, domain, object,
                              testing::value<PublicKey>(wanted.at("public_key"))));
    }

    void check_fields(const Json& wanted, const Bytes& object) const
    {
        CHECK(object.at(0) == from_hex(to_lower(wanted.at("template"))).at(0));
        tlv::Decoder outer(object);
        check_fields(outer.inside(object.at(0)), wanted.at("fields"));
    }

    void check_fci(const Json& fields, const Bytes& answer) const
    {
        tlv::Decoder outer(answer);
        auto fci = outer.inside(wire::tag::fci);
        CHECK(testing::bytes_of(fci.field<wire::aid.size()>(wire::tag::aid)) ==
              testing::bytes_of(wire::aid));
        check_fields(fci.inside(wire::tag::fci_proprietary), fields);
        CHECK(fci.at_end());
    }

    void check_fields(tlv::Decoder in, const Json& fields) const
    {
        for (const auto& [tag, value] : fields.items()) {
            const auto got = in.field(from_hex(to_lower(tag)).at(0), 0, 255);
            if (value.is_string()) CHECK(testing::bytes_of(got) == from_hex(value));
            if (value.is_object()) {
                const auto other = object_of(answers_.at(value.at("digest_of_object_of")));
                CHECK(testing::bytes_of(got) == testing::bytes_of(sha256(other).bytes()));
            }
        }
        CHECK(in.at_end());
    }

    static std::string to_lower(std::string hex)
    {
        for (auto& c : hex) c = static_cast<char>(std::tolower(c));
        return hex;
    }

    Send send_;
    std::function<void()> reset_;
    std::map<std::string, Bytes> answers_, sent_;
};

// As a T=0 reader does: no Le beside data, GET RESPONSE after 61xx, again after 6Cxx.
Reply transmit_t0(chip::T0Framing& card, Bytes apdu)
{
    if (apdu.size() > 5 && apdu.size() == 6u + apdu[4]) apdu.pop_back();
    std::array<std::uint8_t, chip::Applet::max_answer> answer{};
    const auto tpdu = [&](std::span<const std::uint8_t> bytes) {
        return testing::reply_of(std::span(answer).first(card.process(bytes, answer)));
    };
    auto reply = tpdu(apdu);
    if (reply.sw >> 8 == 0x61) {
        CHECK(reply.data.empty());
        return tpdu(Bytes{0x00, 0xC0, 0x00, 0x00, static_cast<std::uint8_t>(reply.sw)});
    }
    if (reply.sw >> 8 == 0x6C && apdu.back() == 0) {
        CHECK(reply.data.empty());
        apdu.back() = static_cast<std::uint8_t>(reply.sw);
        return tpdu(apdu);
    }
    return reply;
}

}  // namespace

TEST_CASE("a card lives the whole life of session.json", "[applet]")
{
    const auto session = testing::load_vectors("session.json");
    TestCard card(TestCard::blank(session.at("transport_key")));
    Player player([&](const Bytes& apdu) { return card.send(apdu); },
                  [&] { card.applet.power_on(); });
    for (const auto& step : session.at("steps")) player.play(step);
    CHECK(session.at("steps").size() == 142);
}

TEST_CASE("under T=0 a card lives the same life", "[applet]")
{
    const auto session = testing::load_vectors("session.json");
    TestCard card(TestCard::blank(session.at("transport_key")));
    chip::T0Framing t0(card.applet);
    Player player([&](const Bytes& apdu) { return transmit_t0(t0, apdu); }, [&] { t0.power_on(); });
    int left_out = 0;
    for (const auto& step : session.at("steps")) {
        // a wrong Le beside command data: T=0 has no Le there
        const auto sw = step.value("sw", "");
        const bool about_le = sw == "6CB0" || (sw == "6700" && !step.at("command").is_null() &&
                                               step.value("name", "").ends_with("without Le"));
        if (about_le) {
            ++left_out;
        } else {
            player.play(step);
        }
    }
    CHECK(left_out == 3);
}

TEST_CASE("PERSONALISE answers every case of personalise.json", "[applet]")
{
    int accepted = 0, refused = 0;
    for (const auto& c : testing::load_vectors("personalise.json", "cases")) {
        INFO(c.value("why", "accepted"));
        TestCard card(TestCard::blank(c.at("transport_key")));
        card.select();
        const auto before = card.memory();
        const auto reply = card.send(from_hex(c.at("command")));
        REQUIRE(reply.sw == std::stoul(c.at("sw").get<std::string>(), nullptr, 16));
        if (reply.sw != 0x9000) {
            CHECK(card.memory() == before);
            ++refused;
            continue;
        }
        ++accepted;
        const auto& now = card.nvm.current();
        const CardSigner signer(chip::clone(now.secrets.scalar),
                                chip::clone(now.secrets.nonce_secret));
        CHECK(signer.public_key() == testing::value<PublicKey>(c.at("card_public_key")));
        CHECK(std::ranges::all_of(now.secrets.transport_key.reveal(),
                                  [](std::uint8_t b) { return b == 0; }));
        CHECK(std::ranges::any_of(now.secrets.nonce_secret.reveal(),
                                  [](std::uint8_t b) { return b != 0; }));
        CHECK(card.send(from_hex(c.at("command"))).sw == 0x6985);
    }
    CHECK(accepted == 4);
    CHECK(refused == 18);
}
