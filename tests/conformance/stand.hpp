// SPDX-License-Identifier: Apache-2.0
// Where the suite stands: two readers of the transport that the environment names, and cards for
// them that are functions. TALLYCARD_STAND is loopback, vpcd (vpcd-direct), pcsc-vpcd,
// pcsc-tallycard, or pcsc-usb: one reader only, of a pcscd that runs, whose cards connect as to
// vpcd (tests/qemu/). TALLYCARD_STAND_PROTOCOL is t1 or t0.
#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <tallycard/loopback.hpp>
#include <tallycard/pcsc.hpp>
#include <tallycard/vpcd.hpp>

#include "support/pcscd_process.hpp"
#include "support/temporary_folder.hpp"
#include "support/vpcd_card.hpp"
#include "virtual-card/virtual_card.hpp"

namespace testing {

using namespace tallycard;

inline std::string of_environment(const char* name, const char* otherwise)
{
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

inline const TransmissionProtocol stand_protocol =
    of_environment("TALLYCARD_STAND_PROTOCOL", "t1") == "t0" ? TransmissionProtocol::t0
                                                             : TransmissionProtocol::t1;
inline const Bytes stand_atr = stand_protocol == TransmissionProtocol::t0 ? t0_atr : t1_atr;

inline TransportKey stand_transport_key()
{
    std::array<std::uint8_t, TransportKey::size> bytes{};
    bytes.fill(7);
    return TransportKey(bytes);
}

// The applet, in a process or a thread of its own, where the transport has such cards.
class AppletCard {
public:
    explicit AppletCard(const std::string& image)
        : card_(VirtualCard::open({.image = image,
                                   .transport_key = &key_,
                                   .protocol = stand_protocol,
                                   .durable = false})
                    .value())
    {
        card_->power_on();
    }
    std::optional<Bytes> answer(std::span<const std::uint8_t> command)
    {
        Bytes answer(VirtualCard::max_answer);
        answer.resize(card_->transmit(command, answer));
        return answer;
    }

private:
    TransportKey key_ = stand_transport_key();
    std::unique_ptr<VirtualCard> card_;
};

class Stand {
public:
    enum class Readers { none, some, full };  // full: pcscd with our driver only

    explicit Stand(const Deadlines& deadlines = {}, Readers readers = Readers::some)
    {
        if (transport() == "loopback") {
            std::vector<LoopbackCard> cards(1);
            cards[0] = {.image = folder_.file("card"),
                        .transport_key = stand_transport_key(),
                        .protocol = stand_protocol,
                        .durable = false};
            driver_ = open_loopback(std::move(cards)).value();
        } else if (transport() == "vpcd") {
            driver_ =
                open_vpcd({folder_.file("slot-0"), folder_.file("slot-1")}, deadlines).value();
        } else {
            using Kind = PcscdProcess::Readers;
            const auto kind = transport() == "pcsc-vpcd" ? Kind::vpcd : Kind::tallycard;
            if (transport() != "pcsc-usb") {
                pcscd_ = std::make_unique<PcscdProcess>(readers == Readers::none   ? Kind::none
                                                        : readers == Readers::full ? Kind::full
                                                                                   : kind);
            }
            auto patient = deadlines;
            if (transport() == "pcsc-usb") patient.transmit = std::chrono::seconds(10);
            wait_until("the readers are there", [&] {
                auto opened = open_pcsc(patient);
                if (opened) driver_ = *std::move(opened);
                const std::size_t wanted = readers == Readers::none   ? 0
                                           : readers == Readers::full ? 16
                                                                      : readers_wanted();
                return driver_ && driver_->list().value().size() >= wanted;
            });
        }
        names_ = driver_->list().value();
        if (transport() == "pcsc-usb") {
            wait_until("the card of the case before has left", [&] {
                const auto card = reader()->card();
                return !card && card.error().code == Errc::no_card;
            });
        }
    }

    static std::string transport() { return of_environment("TALLYCARD_STAND", "loopback"); }
    static std::size_t readers_wanted() { return transport() == "pcsc-usb" ? 1 : 2; }
    // pcscd and a driver poll for cards, and see some quick taps as none at all.
    static bool sees_every_tap() { return transport() == "vpcd"; }

    // vpcd lets one card in, or out, every 400 ms, and all that came meanwhile one after the other.
    static bool takes_cards_at_once() { return transport() != "pcsc-vpcd"; }

    // QEMU drops what its reader has still to say when the card is taken out: the reader may fail
    // once, and is well again.
    static void require_removal(Reader& reader)
    {
        using namespace std::chrono_literals;
        auto removed = reader.wait_for_removal(10s);
        if (!removed && transport() == "pcsc-usb") removed = reader.wait_for_removal(10s);
        REQUIRE(removed);
    }

    ReaderDriver& driver() { return *driver_; }
    const std::vector<std::string>& names() const { return names_; }
    const std::string& name(std::size_t slot = 0) const { return names_.at(slot); }
    std::unique_ptr<Reader> reader(std::size_t slot = 0)
    {
        return driver_->open(name(slot)).value();
    }
    // Requires a transport through pcscd.
    PcscdProcess& service() { return *pcscd_; }

    // What a card does with a command it does not know.
    static std::optional<Bytes> nothing_known(std::span<const std::uint8_t>)
    {
        return from_hex("6d00");
    }
    // Not in loopback, where the cards are there from the start.
    std::unique_ptr<VpcdCard> insert(std::size_t slot = 0, VpcdCard::Card card = nothing_known,
                                     const Bytes& atr = stand_atr) const
    {
        if (transport() == "pcsc-vpcd" || transport() == "pcsc-usb")
            return std::make_unique<VpcdCard>(static_cast<int>(slot), atr, std::move(card));
        const auto socket = transport() == "vpcd"
                                ? folder_.file(("slot-" + std::to_string(slot)).c_str())
                                : slot_socket(static_cast<int>(slot));
        return std::make_unique<VpcdCard>(socket, atr, std::move(card));
    }
    // Called with the instruction byte before the applet has it; not in loopback.
    std::function<void(std::uint8_t)> on_command;
    // The first reader with a blank card in it, whatever the transport; it stays.
    std::unique_ptr<Reader> reader_with_applet()
    {
        if (transport() != "loopback") {
            applet_ = std::make_unique<AppletCard>(folder_.file("card"));
            inserted_ = insert(0, [this](auto command) {
                if (on_command) on_command(command[1]);
                return applet_->answer(command);
            });
        }
        auto opened = reader();
        REQUIRE(opened->wait_for_card(std::chrono::seconds(10)));
        return opened;
    }

private:
    test::TemporaryFolder folder_;
    std::unique_ptr<PcscdProcess> pcscd_;
    std::unique_ptr<ReaderDriver> driver_;
    std::vector<std::string> names_;
    std::unique_ptr<AppletCard> applet_;
    std::unique_ptr<VpcdCard> inserted_;
};

}  // namespace testing
