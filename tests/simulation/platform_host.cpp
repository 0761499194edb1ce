// SPDX-License-Identifier: Apache-2.0
#include "platform_host.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "faulty_store.hpp"

namespace simulation {
namespace {

// An empty store as the library makes it, on the real disk: its bytes, made once.
const MemoryDisk::Bytes& empty_store(const std::string& path)
{
    static const MemoryDisk::Bytes bytes = [&] {
        std::filesystem::remove(path);
        static_cast<void>(create_sqlite_store(path).value());
        std::ifstream file(path, std::ios::binary);
        return MemoryDisk::Bytes(std::istreambuf_iterator<char>(file), {});
    }();
    return bytes;
}

}  // namespace

KeySeed key_seed(std::uint8_t n)
{
    std::array<std::uint8_t, KeySeed::size> bytes{};
    bytes.fill(n);
    return KeySeed(bytes);
}

const CheckpointKey& checkpoint_key()
{
    static const CheckpointKey key(key_seed(3));
    return key;
}

PlatformHost::PlatformHost(Environment& environment, const std::string& folder)
    : environment_(environment),
      root_(key_seed(2)),
      path_(folder + "/store"),
      disk_((static_cast<void>(empty_store(path_)), environment.injector))
{
    settings_.signers = {std::make_shared<WatchedSigner>(environment, std::uint8_t{1}),
                         std::make_shared<WatchedSigner>(environment, std::uint8_t{4})};
    settings_.issuer.origin = "issuer.test";
    settings_.issuer.currency = {.unit = *Unit::from_code(978), .exponent = 2};
    settings_.issuer.card_root = root_.public_key();
    settings_.issuer.checkpoint_key = checkpoint_key().public_key();
    for (const auto& signer : settings_.signers)
        settings_.issuer.operation_keys.push_back(signer->public_key());
    settings_.checkpoint_file = folder + "/checkpoint";
    settings_.clock = [this] { return environment_.clock; };
    settings_.quarantine = quarantine;
    settings_.gap_after = gap_after;
    settings_.longest_silence = longest_silence;
    std::filesystem::remove(settings_.checkpoint_file);
    disk_.put(path_, empty_store(path_));
    // Whether there is a store at all the library asks the real disk.
    const std::ofstream place(path_, std::ios::app);
    open().value();
}

Result<void> PlatformHost::open()
{
    auto store = open_sqlite_store(path_);
    if (!store) return store.error();
    auto opened =
        Platform::open(make_faulty(std::move(*store), environment_.injector, disk_), settings_);
    if (!opened) return opened.error();
    platform_ = std::move(*opened);
    return {};
}

// I15: whatever a crash left behind opens again.
void PlatformHost::start_again()
{
    platform_.reset();
    disk_.restart(environment_.trace + ++crashes_);
    if (open()) return;
    if (disk_.stopped()) environment_.probes.reach("platform crashed while it started");
    platform_.reset();
    disk_.restart(environment_.trace + ++crashes_);
    const Injector::Pause pause(environment_.injector);
    const auto opened = open();
    check(opened.has_value(), "I15",
          "the platform does not start after a crash: " +
              (opened ? std::string() : opened.error().message()));
}

void PlatformHost::restart()
{
    platform_.reset();
    if (disk_.stopped()) {
        start_again();
        return;
    }
    disk_.recover();
    const auto opened = open();
    if (opened) return;
    start_again();
}

MemoryDisk::Copy PlatformHost::backup()
{
    const Injector::Pause pause(environment_.injector);
    platform_.reset();
    auto files = disk_.copy();
    open().value();
    return files;
}

Checkpoint PlatformHost::placed_checkpoint() const
{
    std::ifstream file(settings_.checkpoint_file, std::ios::binary);
    const std::string note(std::istreambuf_iterator<char>(file), {});
    return Checkpoint::open(note, issuer().origin, issuer().checkpoint_key).value();
}

Result<void> PlatformHost::open_backup(const MemoryDisk::Copy& files)
{
    const auto present = backup();
    const Injector::Pause pause(environment_.injector);
    platform_.reset();
    disk_.restore(files);
    const auto opened = open();
    platform_.reset();
    disk_.restore(present);
    open().value();
    return opened;
}

}  // namespace simulation
