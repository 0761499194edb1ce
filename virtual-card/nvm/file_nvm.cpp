// SPDX-License-Identifier: Apache-2.0
#include "file_nvm.hpp"

#include <cerrno>

namespace tallycard::chip {
namespace {

constexpr const char* where = "card image";

}  // namespace

Result<std::unique_ptr<FileNvm>> FileNvm::open(const std::string& path, bool durable)
{
    auto storage = FileStorage::open(path, durable);
    if (!storage) return storage.error();
    if (!SlotNvm::is_image(**storage)) return Error{.code = Errc::file_damaged, .where = where};
    std::unique_ptr<FileNvm> file(new FileNvm(std::move(*storage)));
    file->nvm_.load();
    return file;
}

Result<std::unique_ptr<FileNvm>> FileNvm::create(const std::string& path, bool durable,
                                                 const TransportKey& transport_key)
{
    auto storage = FileStorage::create(path, durable);
    if (!storage) return storage.error();
    CardMemory blank;
    blank.secrets.transport_key = clone(transport_key);
    if (!SlotNvm::format(**storage, blank)) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(errno),
                     .where = where};
    }
    if (auto done = (*storage)->publish(); !done) return done.error();
    std::unique_ptr<FileNvm> file(new FileNvm(std::move(*storage)));
    file->nvm_.load();
    return file;
}

}  // namespace tallycard::chip
