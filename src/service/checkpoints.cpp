// SPDX-License-Identifier: Apache-2.0
#include "checkpoints.hpp"

namespace tallycard::service {

Result<std::string> Checkpoints::newest()
{
    const std::lock_guard lock(mutex_);
    if (key_ == nullptr) return Error{.code = Errc::file_missing, .where = "checkpoint key"};
    const bool old_enough = note_.empty() || Clock::now() - made_ >= every_;
    if (!old_enough) return note_;
    const auto head = platform_->ledger_head();
    if (!head) return head.error();
    if (!note_.empty() && head->size == size_) return note_;
    auto note = platform_->checkpoint(*key_);
    if (!note) return note;
    const auto& issuer = platform_->issuer();
    const auto opened = Checkpoint::open(*note, issuer.origin, issuer.checkpoint_key);
    if (!opened) return opened.error();
    note_ = *note;
    size_ = opened->head.size;
    made_ = Clock::now();
    return note;
}

}  // namespace tallycard::service
