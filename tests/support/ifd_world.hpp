// SPDX-License-Identifier: Apache-2.0
// pcscd with our driver, configured as a test wants it.
#pragma once

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include <tallycard/pcsc.hpp>

#include "paper_issuer.hpp"
#include "pcscd_process.hpp"
#include "plain_card.hpp"
#include "temporary_folder.hpp"
#include "vpcd_card.hpp"

namespace testing {

inline std::string slot_name(int slot)
{
    return "tallycard virtual reader 00 0" + std::to_string(slot);
}

// The driver's configuration file, with these lines after the usual ones.
inline std::string configure_driver(const std::string& lines = {})
{
    const std::string path = std::getenv("TALLYCARD_IFD_CONFIG");
    const std::string slots = std::getenv("TALLYCARD_SLOTS");
    std::ofstream(path) << "directory = " << slots << "\nserial = TEST\n" << lines;
    ::chmod(path.c_str(), 0600);
    return path;
}

// 32 bytes of 07, as hex, in a file of its own.
inline std::string make_key_file(const test::TemporaryFolder& folder)
{
    const auto path = folder.file("key");
    std::string hex;
    for (int i = 0; i < 32; ++i) hex += "07";
    std::ofstream(path) << hex;
    ::chmod(path.c_str(), 0600);
    return path;
}

class IfdWorld {
public:
    explicit IfdWorld(const std::string& lines = {}, int slot = 0, const std::string& log = {})
        : config_(configure_driver(lines)), pcscd(PcscdProcess::Readers::tallycard, log)
    {
        wait_until("the reader is there", [&] { return open(slot); });
    }

    std::string config_;
    PcscdProcess pcscd;
    std::unique_ptr<Reader> reader;

private:
    bool open(int slot)
    {
        auto driver = open_pcsc();
        if (!driver) return false;
        auto opened = (*driver)->open(slot_name(slot));
        if (opened) reader = *std::move(opened);
        return reader != nullptr;
    }
};

// Answers every command with itself and 9000.
inline std::optional<Bytes> echo(std::span<const std::uint8_t> command)
{
    Bytes answer(command.begin(), command.end());
    answer.insert(answer.end(), {0x90, 0x00});
    return answer;
}

}  // namespace testing
