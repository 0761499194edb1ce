// SPDX-License-Identifier: Apache-2.0
#include "virtual_card.hpp"

#include <tallycard/contract.hpp>
#include <tallycard/verify.hpp>

#include <array>
#include <string_view>
#include <utility>

#include "applet/applet.hpp"
#include "applet/t0_framing.hpp"
#include "nvm/file_nvm.hpp"

namespace tallycard {
namespace {

using namespace std::string_view_literals;

// ISO/IEC 7816-3, 8: TS, T0 with 9 historical bytes, and under T=1 the protocol bytes TD1, TD2 and
// the check byte.
Atr make_atr(TransmissionProtocol protocol)
{
    constexpr auto historical = "TALLYCARD"sv;
    constexpr std::array<std::uint8_t, 2> t0 = {0x3B, 0x09};
    constexpr std::array<std::uint8_t, 4> t1 = {0x3B, 0x89, 0x80, 0x01};
    Atr atr;
    atr.append(protocol == TransmissionProtocol::t1 ? std::span<const std::uint8_t>(t1) : t0);
    atr.append({reinterpret_cast<const std::uint8_t*>(historical.data()), historical.size()});
    if (protocol == TransmissionProtocol::t0) return atr;
    std::uint8_t check = 0;
    for (const auto byte : atr.bytes().subspan(1)) check = static_cast<std::uint8_t>(check ^ byte);
    atr.append({&check, 1});
    return atr;
}

class ImageCard final : public VirtualCard {
public:
    ImageCard(std::unique_ptr<chip::FileNvm> file, TransmissionProtocol protocol)
        : file_(std::move(file)),
          applet_(file_->nvm()),
          protocol_(protocol),
          atr_(make_atr(protocol))
    {
    }

    const Atr& atr() const override { return atr_; }
    TransmissionProtocol protocol() const override { return protocol_; }
    bool memory_damaged() const override { return !file_->nvm().readable(); }

    void power_on() override { t0_.power_on(); }
    void power_off() override { t0_.power_on(); }
    void reset() override { t0_.power_on(); }

    std::size_t transmit(std::span<const std::uint8_t> command,
                         std::span<std::uint8_t> answer) override
    {
        TALLYCARD_EXPECTS(answer.size() >= max_answer);
        const auto out = answer.first<max_answer>();
        return protocol_ == TransmissionProtocol::t1 ? applet_.process(command, out)
                                                     : t0_.process(command, out);
    }

private:
    std::unique_ptr<chip::FileNvm> file_;
    chip::Applet applet_;
    chip::T0Framing t0_{applet_};
    TransmissionProtocol protocol_;
    Atr atr_;
};

Result<std::unique_ptr<chip::FileNvm>> open_or_create(const VirtualCardSettings& settings)
{
    auto file = chip::FileNvm::open(settings.image, settings.durable);
    if (file || file.error().code != Errc::file_missing || settings.transport_key == nullptr)
        return file;
    auto made = chip::FileNvm::create(settings.image, settings.durable, *settings.transport_key);
    if (made || made.error().code != Errc::file_exists) return made;
    return chip::FileNvm::open(settings.image, settings.durable);  // another process was quicker
}

}  // namespace

static_assert(VirtualCard::max_answer == chip::Applet::max_answer);

VirtualCard::~VirtualCard() = default;

Result<std::unique_ptr<VirtualCard>> VirtualCard::open(const VirtualCardSettings& settings)
{
    if (auto safe = self_test(); !safe) return safe.error();
    auto file = open_or_create(settings);
    if (!file) return file.error();
    return std::unique_ptr<VirtualCard>(
        std::make_unique<ImageCard>(std::move(*file), settings.protocol));
}

}  // namespace tallycard
