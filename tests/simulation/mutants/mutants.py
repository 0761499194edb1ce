# SPDX-License-Identifier: Apache-2.0
# Bugs that the simulation has to find: (name, file, what is there once, what the bug makes of it); where it
# takes more than one place, the last three go on.
EXECUTE = "virtual-card/applet/applet_value.cpp"
NVM = "virtual-card/nvm/slot_nvm.cpp"
SETTLE = "src/issuer/settle.cpp"
BOOKS = "src/issuer/books.cpp"
AUTHORISE = "src/issuer/authorise.cpp"
TREE = "src/issuer/ledger_tree.cpp"
CONTACT = "src/terminal/contact.cpp"
RESOLVE = "src/terminal/resolve.cpp"
PAYMENT = "src/terminal/payment.cpp"
JOURNAL = "src/terminal/journal_file.cpp"

MUTANTS = [
    # EXECUTE
    ("execute_any_later_sequence", EXECUTE,
     "if (operation.sequence != now.sequence + 1) return sw::wrong_sequence;",
     "if (operation.sequence <= now.sequence) return sw::wrong_sequence;"),
    ("execute_forgets_what_it_executed", EXECUTE,
     "if (operation.sequence <= now.sequence) {\n        const auto* const entry",
     "if (operation.sequence + 1 <= now.sequence) {\n        const auto* const entry"),
    ("execute_without_the_issuers_signature", EXECUTE,
     "        return sw::bad_signature;", "        static_cast<void>(0);"),
    ("execute_transfer_never_asked_for", EXECUTE,
     "if (needs_request(operation.kind) && now.request != bytes) return sw::no_such_request;", ""),
    ("execute_answers_again_for_another_operation", EXECUTE,
     "if (entry == nullptr || entry->operation != bytes) return sw::wrong_sequence;",
     "if (entry == nullptr) return sw::wrong_sequence;"),
    ("execute_in_any_state", EXECUTE,
     "if (!admits(now.state, operation.kind)) return sw::not_in_this_state;", ""),
    ("credit_above_the_maximum_balance", EXECUTE,
     "if (is_credit(kind) && (!after || *after > now.limits.maximum_balance))",
     "if (is_credit(kind) && !after)"),
    ("pin_stands_after_a_debit", EXECUTE,
     "if (is_debit(operation.kind) || operation.kind == Kind::open_pin) pin_verified_ = false;",
     "if (operation.kind == Kind::open_pin) pin_verified_ = false;"),
    ("log_without_the_issuers_signature", EXECUTE,
     ".issuer_signature = issuer_signature,", ".issuer_signature = {},"),
    ("chain_not_continued", EXECUTE,
     "    next.last_result = receipt.result.digest();\n", ""),
    ("request_survives_the_operation", EXECUTE, "    next.request = {};\n", ""),
    ("answer_before_the_commit", EXECUTE,
     "    if (!nvm_.commit()) return sw::memory_failure;\n    if (is_debit",
     "    static_cast<void>(nvm_.commit());\n    if (is_debit"),
    ("sequence_before_the_balance", EXECUTE,
     "    next.balance = entry.balance;\n    next.sequence = operation.sequence;",
     "    next.sequence = operation.sequence;\n    if (!nvm_.commit()) return sw::memory_failure;\n"
     "    nvm_.draft().balance = receipt.result.balance;"),
    ("balance_before_the_sequence", EXECUTE,
     "    auto& next = nvm_.draft();\n    auto& entry = next.slot(operation.sequence);",
     "    nvm_.draft().balance = receipt.result.balance;\n"
     "    if (!nvm_.commit()) return sw::memory_failure;\n"
     "    auto& next = nvm_.draft();\n    auto& entry = next.slot(operation.sequence);"),
    # PAY
    ("pay_twice_for_one_nonce", EXECUTE,
     "if (is_same_payment(last, *order)) return answer_receipt(*last, now.sequence, answer);",
     "static_cast<void>(last);"),
    ("pay_without_offline_limits", EXECUTE,
     "if (const auto status = check_offline(order->amount); !status.ok()) return status;", ""),
    ("offline_payments_not_counted", EXECUTE, "    ++memory.offline_payments;\n", ""),
    # NVM
    ("commit_without_sync", NVM,
     "return storage.write(offset_of(index), bytes) && storage.sync();",
     "return storage.write(offset_of(index), bytes);"),
    ("commit_in_place", NVM,
     "    if (!write_slot(storage_, index, generation, slot.memory)) {",
     "    if (!write_slot(storage_, current_, generation, slot.memory)) {"),
    ("failed_commit_left_to_count", NVM,
     "        if (!spoil(index)) readable_ = false;\n", ""),
    ("damaged_slot_not_spoiled", NVM,
     "    if (slot.torn && !spoil(index)) return false;\n", ""),
    ("generation_not_raised", NVM,
     "const auto generation = slots_[current_].generation + 1;",
     "const auto generation = slots_[current_].generation;"),
    ("checksum_not_compared", NVM,
     "    slot.intact = std::ranges::equal(checksum(bytes.first<slot_size - checksum_size>()),\n"
     "                                     bytes.last<checksum_size>()) &&\n                  slot",
     "    slot.intact = slot"),
    ("load_without_sync", NVM,
     "const bool is_read = storage_.sync() && load_slot(0) && load_slot(1);",
     "const bool is_read = load_slot(0) && load_slot(1);"),
    # settle
    ("settle_ahead_of_the_sequence", SETTLE,
     "    if (result.sequence > std::uint64_t{card.settled} + 1) return keep(card, receipt, **executed);\n",
     ""),
    ("settle_without_the_chain", SETTLE,
     "if (result.previous_result != card.last_result) return EvidenceReason::broken_chain;", ""),
    ("settle_any_signature", SETTLE,
     "if (const auto genuine = verify(receipt, (*card)->public_key); !genuine) return genuine.error();",
     ""),
    ("kept_results_never_settle", SETTLE,
     "    if (const auto done = settle_kept(card); !done) return done.error();\n", ""),
    ("second_result_taken_for_the_first", SETTLE,
     "if ((*record)->receipt.result == result) {", "if ((*record)->receipt.result.sequence == result.sequence) {"),
    ("evidence_and_no_denial", SETTLE, "    card.denied = true;\n", ""),
    ("reserve_not_released", SETTLE,
     "        if (const auto released = books.release(row.first.operation); !released)\n"
     "            return released.error();",
     "        if (const auto released = books.release(row.first.operation);\n"
     "            !released || row.as == SignedAs::beside)\n"
     "            continue;\n"
     "    for (const auto& row : *ended)\n"
     "        if (row.first.operation.digest() != result.operation)\n"
     "            if (const auto back = books.reserve(row.first.operation); !back) break;"),
    ("void_moves_the_reserve", BOOKS,
     "    account->reserved -= operation.amount.to_minor_units();\n",
     "    account->reserved -= operation.amount.to_minor_units();\n"
     "    account->balance -= operation.amount.to_minor_units() % 7 == 0 ? 1 : 0;\n"),
    # books and journal
    ("two_operations_in_flight", AUTHORISE,
     "if (busy->pending) return refusal(Errc::operation_pending);", "",
     "src/issuer/sql_schema.cpp",
     "    terminal NAME,\n    UNIQUE(card_id, sequence, signed_as)) ROWS;", "    terminal NAME) ROWS;"),
    ("transfer_of_a_stale_request", AUTHORISE,
     "    if (operation.sequence <= card->settled) return refusal(Errc::wrong_sequence);\n"
     "    if (operation.sequence > card->settled + 1) return refusal(Errc::unsettled);\n", ""),
    ("reserve_not_made", AUTHORISE,
     "    if (const auto done = Books(*store_).reserve(operation); !done) return done.error();\n", ""),
    ("pending_debit_shown_to_every_terminal", AUTHORISE,
     "return is_debit(row.first.operation.kind) && (!terminal || row.terminal != terminal);",
     "return is_debit(row.first.operation.kind) && !terminal;"),
    ("cash_of_another_terminal", AUTHORISE,
     "    if (operation.kind == Kind::cash_out && operation.account != request.terminal)\n"
     "        return Error{.code = Errc::not_permitted, .where = \"cash of another terminal\"};\n", ""),
    ("signed_what_the_card_refuses", AUTHORISE,
     "    if (const auto taken = check_value(card, operation); !taken) return taken.error();\n",
     "    static_cast<void>(check_value(card, operation));\n"),
    ("one_more_void_each_time", AUTHORISE,
     "    if (busy->voiding) return busy->voiding->first;\n", ""),
    ("posting_to_the_wrong_side", BOOKS,
     "    row->balance = *balance;\n    if (const auto put",
     "    row->balance = row->name.kind == AccountKind::cash ? row->balance : *balance;\n    if (const auto put"),
    # ledger
    ("leaf_at_the_wrong_level", TREE,
     "put_node(++level, index >> 1, hash)", "put_node(++level, index >> 1, leaf)"),
    ("commit_that_failed_is_certain", "src/issuer/platform_transaction.hpp",
     "        if (error.code != Errc::store_busy) error.effect = Effect::unknown;\n", ""),
    ("store_syncs_nothing", "src/issuer/sqlite_store.cpp",
     "PRAGMA synchronous = FULL; PRAGMA foreign_keys", "PRAGMA synchronous = OFF; PRAGMA foreign_keys"),
    ("old_store_is_opened", "src/issuer/platform.cpp",
     "    if (*size < known->head.size) return Error{.code = Errc::ledger_behind, .where = \"checkpoint\"};\n",
     "    if (*size < known->head.size) return {};\n"),
    # terminal
    ("refund_without_a_result", CONTACT,
     "    if (status && status->progress == Progress::voided) return NotApplied{reason};",
     "    if (status && status->progress != Progress::settled) return NotApplied{reason};"),
    ("log_read_from_the_wrong_end", RESOLVE,
     "    for (auto sequence = settled; sequence < reading.info.sequence;) {",
     "    for (auto sequence = settled + 1; sequence < reading.info.sequence;) {"),
    ("payment_not_looked_for", PAYMENT,
     "    if (before.asked == Asked::again) {", "    if (before.asked == Asked::again && false) {"),
    ("journal_line_without_end", JOURNAL,
     "if (is_torn(text)) return undo(size_);",
     "if (is_torn(text)) return {};"),
]
