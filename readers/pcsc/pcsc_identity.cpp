// SPDX-License-Identifier: Apache-2.0
#include "pcsc_identity.hpp"

#include <reader.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "pcsc_connection.hpp"

namespace tallycard::pcsc {

namespace {

using std::chrono::milliseconds;

// PC/SC part 3, channel id: the upper half is the kind of channel, the lower one its number; for
// USB the bus and the address on it.
constexpr std::uint32_t usb_channel = 0x0020;

// A connection to the reader and not to a card.
class DirectLink {
public:
    DirectLink(Context context, milliseconds longest)
        : connection_(std::move(context)), longest_(longest)
    {
    }
    DirectLink(const DirectLink&) = delete;
    DirectLink& operator=(const DirectLink&) = delete;
    ~DirectLink()
    {
        if (card_ == 0 || connection_.was_given_up()) return;
        const auto disconnect = [this] { return SCardDisconnect(card_, SCARD_LEAVE_CARD); };
        (void)connection_.within(longest_, disconnect);
    }

    Result<void> open(const std::string& reader)
    {
        const auto code = connection_.within(longest_, [&] {
            DWORD protocol = 0;
            return SCardConnect(connection_.context().handle(), reader.c_str(), SCARD_SHARE_DIRECT,
                                0, &card_, &protocol);
        });
        if (!code) return code.error();
        if (*code == SCARD_S_SUCCESS) return {};
        card_ = 0;
        return to_error(*code, "SCardConnect");
    }

    // Empty: the driver does not say.
    std::string attribute(DWORD tag)
    {
        std::array<std::uint8_t, MAX_BUFFER_SIZE> bytes{};
        DWORD size = bytes.size();
        const auto code = connection_.within(
            longest_, [&] { return SCardGetAttrib(card_, tag, bytes.data(), &size); });
        if (!code || *code != SCARD_S_SUCCESS || size > bytes.size()) return {};
        return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
    }

private:
    Connection connection_;
    milliseconds longest_;
    SCARDHANDLE card_ = 0;
};

std::optional<unsigned> number_in(const std::filesystem::path& file)
{
    unsigned number = 0;
    if (std::ifstream(file) >> number) return number;
    return std::nullopt;
}

// The kernel numbers devices anew whenever they are plugged in; the name of its folder is the way
// from the bus through the hubs.
std::string usb_path(unsigned bus, unsigned address)
{
    std::error_code none;
    for (const auto& device : std::filesystem::directory_iterator("/sys/bus/usb/devices", none)) {
        if (number_in(device.path() / "busnum") == bus &&
            number_in(device.path() / "devnum") == address) {
            return device.path().filename();
        }
    }
    return {};
}

}  // namespace

Result<ReaderIdentity> identify(const std::string& reader, milliseconds longest)
{
    auto context = Context::establish();
    if (!context) return context.error();
    DirectLink link(*std::move(context), longest);
    if (const auto opened = link.open(reader); !opened) return opened.error();

    ReaderIdentity identity;
    identity.serial = link.attribute(SCARD_ATTR_VENDOR_IFD_SERIAL_NO);
    while (!identity.serial.empty() && identity.serial.back() == '\0') identity.serial.pop_back();
    std::uint32_t channel = 0;
    const auto bytes = link.attribute(SCARD_ATTR_CHANNEL_ID);
    if (bytes.size() == sizeof channel) std::memcpy(&channel, bytes.data(), sizeof channel);
    if (channel >> 16 == usb_channel)
        identity.usb_path = usb_path(channel >> 8 & 0xFF, channel & 0xFF);
    return identity;
}

}  // namespace tallycard::pcsc
