// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faults.hpp"

namespace simulation {

enum class Action : std::uint8_t {
    top_up,
    cash_out,
    transfer_in,
    transfer_out,
    card_to_card,
    pay,
    administer,
    resolve,
    void_pending,
    ask_again,       // for an operation that did not end
    forward,         // a terminal settles the payments of its journal
    deliver_late,    // a call that was taken for lost arrives
    replay_to_card,  // a hostile terminal: what was said before, to any card
    made_up_to_card,
    replay_to_platform,
    made_up_to_platform,
    verify_pin,  // right or wrong
    deny,
    undeny,
    checkpoint,
    back_up,
    restore_backup,
    restart_platform,
    lose_power,
    kill_terminal,
    clone_card,
    keep_image,
    roll_back_card,
    issue_card,
    refund,
    order,    // of an account's owner
    operate,  // an order of the issuer's own
    misuse_consent,
    forge_order,
    spend_unseen,   // payments whose receipts come late, in any order, or never
    late_receipts,  // some of them come
    declare_lost,
    recover,
    write_off,
    wait,  // days go by, or the clock is wrong
    close_gaps,
    fetch_deny_list,
};
inline constexpr std::size_t actions = static_cast<std::size_t>(Action::fetch_deny_list) + 1;

const char* name(Action action);

// One thing that happens, and what goes wrong meanwhile. All choices are made when the plan is; the
// numbers are taken modulo what there is, so that a step means something in every plan.
struct Step {
    Action action{};
    std::uint64_t seed = 0;  // its ids, and the library's randomness during it
    std::uint32_t terminal = 0, card = 0, other = 0;
    std::int64_t amount = 0;
    std::vector<Fault> faults;
};

struct Plan {
    std::uint64_t seed = 0;
    std::vector<Step> steps;
    std::size_t faults() const;
};

// The same seed, the same plan.
Plan make_plan(std::uint64_t seed);
// What another terminal does at this moment.
Step make_intrusion(std::uint64_t seed);
std::string to_string(const Step& step);

}  // namespace simulation
