// SPDX-License-Identifier: Apache-2.0
// A driver whose card is always there and answers at once: what is left is pcscd's own time.
#include <algorithm>
#include <array>
#include <cstdint>

extern "C" {
#include <ifdhandler.h>

RESPONSECODE IFDHCreateChannelByName(DWORD, LPSTR)
{
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD, DWORD)
{
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCloseChannel(DWORD)
{
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD, DWORD, PDWORD, PUCHAR)
{
    return IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetCapabilities(DWORD, DWORD, DWORD, PUCHAR)
{
    return IFD_ERROR_TAG;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR)
{
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD, DWORD, PUCHAR Atr, PDWORD AtrLength)
{
    constexpr std::array<UCHAR, 4> atr = {0x3B, 0x80, 0x01, 0x81};
    std::ranges::copy(atr, Atr);
    *AtrLength = atr.size();
    return IFD_SUCCESS;
}

RESPONSECODE IFDHTransmitToICC(DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR RxBuffer,
                               PDWORD RxLength, PSCARD_IO_HEADER)
{
    constexpr std::array<UCHAR, 10> answer = {1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00};
    std::ranges::copy(answer, RxBuffer);
    *RxLength = answer.size();
    return IFD_SUCCESS;
}

RESPONSECODE IFDHICCPresence(DWORD)
{
    return IFD_ICC_PRESENT;
}

RESPONSECODE IFDHControl(DWORD, DWORD, PUCHAR, DWORD, PUCHAR, DWORD, LPDWORD)
{
    return IFD_NOT_SUPPORTED;
}
}
