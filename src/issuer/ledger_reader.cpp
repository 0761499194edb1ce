// SPDX-License-Identifier: Apache-2.0
#include "ledger_reader.hpp"

namespace tallycard {

void LedgerReader::advance()
{
    if (line_) {
        hash_.update(*line_);
        hash_.update("\n");
    }
    line_.reset();
    ++number_;
    if (!file_.getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()))) {
        at_end_ = file_.eof() && file_.gcount() == 0;
        return;
    }
    if (file_.eof()) return;  // a line that does not end
    line_ = std::string_view(buffer_.data(), static_cast<std::size_t>(file_.gcount()) - 1);
}

}  // namespace tallycard
