// SPDX-License-Identifier: Apache-2.0
// SCSI as bytes: the two commands that are sent and what their answers mean (SBC-3 5.16, SPC-4 6.4,
// 7.8.6, 4.5). Pure; who sends them is not known here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/error.h"
#include "core/identity.h"

namespace volgrow::scsi {

inline constexpr std::uint8_t good = 0x00;
inline constexpr std::uint8_t check_condition = 0x02;

inline constexpr std::size_t capacity_reply_size = 32;
std::array<std::uint8_t, 16> read_capacity_16();

struct Capacity {
  Bytes size;
  Bytes block_length;
  bool operator==(const Capacity&) const = default;
};

/// Of a READ CAPACITY(16) reply. Errors: NoUsablePath (short, or no size at all).
Result<Capacity> parse_capacity(std::string_view reply);

/// INQUIRY for VPD page 0x83 with room for `allocation` bytes.
std::array<std::uint8_t, 6> inquire_identification(std::uint16_t allocation);
/// How long the page is that this reply is the beginning of.
std::size_t identification_size(std::string_view reply);
/// The best designator of the logical unit itself: NAA (16 bytes before 8), then EUI-64, then T10;
/// nullopt when there is none. Errors: NoUsablePath (no such page, cut off), NoSuchDevice (the
/// target says that it has no logical unit here).
Result<std::optional<Wwid>> parse_identification(std::string_view page);

struct Sense {
  std::uint8_t key = 0;
  std::uint8_t asc = 0;
  std::uint8_t ascq = 0;
  bool operator==(const Sense&) const = default;
};

/// Fixed or descriptor format; nullopt for anything else.
std::optional<Sense> parse_sense(std::string_view bytes);

/// The target has something to say before it does anything (reset, capacity or inventory changed):
/// the command was not executed and is to be sent again.
bool is_unit_attention(const Sense& sense);
/// The page or command does not exist there.
bool is_unsupported(const Sense& sense);

/// "05/25/00, the target has no such logical unit".
std::string to_string(const Sense& sense);

/// Why a command that did not end GOOD says the path, or the volume, is of no use. Errors by
/// design: NoSuchDevice for 05/25, NoUsablePath for all else.
Error refusal(std::uint8_t status, std::string_view sense_bytes, std::string_view device);

}  // namespace volgrow::scsi
