// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/platform.hpp>

#include "../../src/crypto/software_keys.hpp"
#include "environment.hpp"
#include "memory_disk.hpp"

namespace simulation {

using namespace tallycard;

KeySeed key_seed(std::uint8_t n);
// The issuer's, in every world.
const CheckpointKey& checkpoint_key();

// The operator's settings.
inline constexpr std::chrono::milliseconds quarantine = std::chrono::days(30);
inline constexpr std::chrono::milliseconds gap_after = std::chrono::days(20);
inline constexpr std::chrono::milliseconds longest_silence = std::chrono::days(400);

// Notes which operations it signs.
class WatchedSigner final : public OperationSigner {
public:
    WatchedSigner(Environment& environment, std::uint8_t key)
        : environment_(environment), signer_(key_seed(key))
    {
    }
    PublicKey public_key() const override { return signer_.public_key(); }
    Result<Signature> sign(const Operation& operation) override
    {
        environment_.signed_operations.insert(operation.digest());
        environment_.signed_for[{operation.card_id, operation.sequence}].push_back(operation);
        return signer_.sign(operation);
    }
    Result<Signature> sign(const AccountOrder& order,
                           const std::optional<Signature>& owner) override
    {
        return signer_.sign(order, owner);
    }
    Result<Signature> sign(const Gap& gap) override { return signer_.sign(gap); }

private:
    Environment& environment_;
    SoftwareOperationSigner signer_;
};

// The machine that the platform runs on: it stops anywhere and is started again.
class PlatformHost {
public:
    // Folder for the one file that is a real one, the newest checkpoint.
    PlatformHost(Environment& environment, const std::string& folder);

    Platform& platform() { return *platform_; }
    const IssuerDescription& issuer() const { return settings_.issuer; }
    SoftwareCardRoot& root() { return root_; }
    Checkpoint placed_checkpoint() const;  // the one in the file, which must be there

    // Calls the platform. Where its machine stops meanwhile it is started again, and the answer is
    // lost.
    template <class Call>
    auto call(Call&& call) -> std::invoke_result_t<Call, Platform&>
    {
        auto reply = call(*platform_);
        if (!disk_.stopped()) return reply;
        environment_.probes.reach("platform crashed during a call");
        start_again();
        return Error{
            .code = Errc::issuer_unreachable, .effect = Effect::unknown, .where = "simulation"};
    }
    void recover_disk() { disk_.recover(); }

    // Stops the program in an orderly way, and starts it again.
    void restart();
    // A backup, and what a restored one answers when it is opened. The present state is back after.
    MemoryDisk::Copy backup();
    Result<void> open_backup(const MemoryDisk::Copy& files);

private:
    Result<void> open();
    void start_again();

    Environment& environment_;
    SoftwareCardRoot root_;
    PlatformSettings settings_;
    std::string path_;
    MemoryDisk disk_;
    std::unique_ptr<Platform> platform_;
    std::uint64_t crashes_ = 0;
};

}  // namespace simulation
