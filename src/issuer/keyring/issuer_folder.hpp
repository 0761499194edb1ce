// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tallycard::keyring {

// The files of an issuer's folder.
struct IssuerFolder {
    explicit IssuerFolder(const std::string& folder) : folder_(folder) {}
    std::string description() const { return path("issuer.pub"); }
    std::string operation_key(unsigned number = 1) const
    {
        return path(number == 1 ? "operation.key" : "operation-" + std::to_string(number) + ".key");
    }
    // Those that are there, the oldest first.
    std::vector<std::string> operation_keys() const;
    std::string card_root_key() const { return path("card-root.key"); }
    std::string checkpoint_key() const { return path("checkpoint.key"); }
    std::string store() const { return path("store.db"); }
    std::string checkpoint() const { return path("checkpoint"); }
    // The newest one that enough witnesses have cosigned.
    std::string cosigned_checkpoint() const { return path("checkpoint.cosigned"); }

private:
    std::string path(const std::string& name) const { return folder_ + "/" + name; }
    std::string folder_;
};

}  // namespace tallycard::keyring
