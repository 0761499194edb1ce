// SPDX-License-Identifier: Apache-2.0
// The constants of docs/protocol.md: tags, templates, the application's name, command headers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tallycard/apdu.hpp>

namespace tallycard::wire {

inline constexpr std::array<std::uint8_t, 11> aid = {0xF0, 'T', 'A', 'L', 'L', 'Y',
                                                     'C',  'A', 'R', 'D', 0x01};

namespace tag {
inline constexpr std::uint8_t fci = 0x6F, fci_proprietary = 0xA5, aid = 0x84;
inline constexpr std::uint8_t operation = 0xE1, result = 0xE2, state_statement = 0xE3,
                              personalisation = 0xE4, account_order = 0xE5, record = 0xE6,
                              entry = 0xE7, account_record = 0xE8, gap = 0xE9;
inline constexpr std::uint8_t version = 0x80, kind = 0x81, card_id = 0x82, sequence = 0x83,
                              amount = 0x84, unit = 0x85, nonce = 0x86, account = 0x87,
                              unit_exponent = 0x88, parameter = 0x89, operation_digest = 0x8A,
                              balance = 0x8B, result_digest = 0x8C, state = 0x8D,
                              certificate = 0x8E, challenge = 0x8F, card_scalar = 0x90,
                              operation_key = 0x91, limits = 0x92, pin_block = 0x93, flags = 0x94,
                              account_key = 0x95, time = 0x96, terminal = 0x97, other_side = 0x98,
                              reference = 0x99, owner_signature = 0x9C, issuer_signature = 0x9D,
                              card_signature = 0x9E;
}  // namespace tag

inline constexpr std::uint8_t version = 1;

// What is signed is the tag, one zero byte, and the object (section 4). The zero is part of these.
namespace domain {
using namespace std::string_view_literals;
inline constexpr auto operation = "tallycard/1/operation\0"sv;
inline constexpr auto request = "tallycard/1/request\0"sv;
inline constexpr auto result = "tallycard/1/result\0"sv;
inline constexpr auto state = "tallycard/1/state\0"sv;
inline constexpr auto card_key = "tallycard/1/card-key\0"sv;
inline constexpr auto key_check = "tallycard/1/key-check\0"sv;
inline constexpr auto consent = "tallycard/1/consent\0"sv;
inline constexpr auto account_order = "tallycard/1/account-order\0"sv;
inline constexpr auto account_record = "tallycard/1/account-record\0"sv;
inline constexpr auto gap = "tallycard/1/gap\0"sv;
}  // namespace domain

// Section 5, in its order.
namespace command {
using apdu::Header;
inline constexpr Header select{.cla = 0x00, .ins = 0xA4, .p1 = 0x04, .p2 = 0x00};
inline constexpr Header get_challenge{.cla = 0x00, .ins = 0x84, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header verify{.cla = 0x00, .ins = 0x20, .p1 = 0x00, .p2 = 0x01};
inline constexpr Header change_reference_data{.cla = 0x00, .ins = 0x24, .p1 = 0x00, .p2 = 0x01};
// CHANGE REFERENCE DATA after kind 16: the new PIN alone.
inline constexpr Header set_pin{.cla = 0x00, .ins = 0x24, .p1 = 0x01, .p2 = 0x01};
inline constexpr Header internal_authenticate{.cla = 0x00, .ins = 0x88, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header get_response{.cla = 0x00, .ins = 0xC0, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header get_data{.cla = 0x80, .ins = 0xCA, .p1 = 0x00, .p2 = 0x92};
inline constexpr Header request{.cla = 0x80, .ins = 0x30, .p1 = 0x00, .p2 = 0x00};  // P1: kind
inline constexpr Header execute{.cla = 0x80, .ins = 0x32, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header pay{.cla = 0x80, .ins = 0x34, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header get_result{.cla = 0x80, .ins = 0x36, .p1 = 0x00, .p2 = 0x00};
inline constexpr Header get_operation{.cla = 0x80, .ins = 0x36, .p1 = 0x01, .p2 = 0x00};
inline constexpr Header personalise{.cla = 0x80, .ins = 0xE2, .p1 = 0x00, .p2 = 0x00};
}  // namespace command

}  // namespace tallycard::wire
