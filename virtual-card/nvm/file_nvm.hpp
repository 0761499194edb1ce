// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

#include "file_storage.hpp"
#include "slot_nvm.hpp"

namespace tallycard::chip {

// One card's memory in one image file, locked for as long as this lives.
class TALLYCARD_EXPORT FileNvm {
public:
    // Errc::file_missing, Errc::file_in_use, Errc::file_rejected; Errc::file_damaged when it is not
    // a card image. An image with both slots damaged opens: nvm().readable() is false.
    static Result<std::unique_ptr<FileNvm>> open(const std::string& path, bool durable);
    // A blank card's image. Errc::file_exists.
    static Result<std::unique_ptr<FileNvm>> create(const std::string& path, bool durable,
                                                   const TransportKey& transport_key);

    Nvm& nvm() { return nvm_; }

private:
    explicit FileNvm(std::unique_ptr<FileStorage> storage)
        : storage_(std::move(storage)), nvm_(*storage_)
    {
    }
    std::unique_ptr<FileStorage> storage_;
    SlotNvm nvm_;
};

}  // namespace tallycard::chip
