// SPDX-License-Identifier: Apache-2.0
// SAM-5 4.7: the first two bits of a LUN are its addressing method; 01b is flat space, which the
// kernel's number shows as 16384 more than the LUN.
#include "connectors/scsi_lun.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/names.h"
#include "core/text.h"

namespace volgrow {
namespace {

constexpr std::uint64_t flat_space = 16384;
/// Peripheral device addressing has one byte for the LUN.
constexpr std::uint64_t first_flat_of_sam2 = 256;

constexpr std::array modes{
    Named{LunAddressing::as_given, "SAM"},
    Named{LunAddressing::as_given, "transparent"},
    Named{LunAddressing::sam2, "SAM2"},
    Named{LunAddressing::sam3_flat, "SAM3-flat"},
};

std::unexpected<Error> bad(std::string message) {
  return failure(ErrorCode::bad_connection_info, std::move(message));
}

std::optional<std::uint64_t> number(std::string_view text, int radix) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value, radix);
  return failed == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

/// Four levels of two bytes each, the first level in the lowest sixteen bits (scsi_common.c,
/// scsilun_to_int).
std::uint64_t from_eight_bytes(std::uint64_t bytes) {
  std::uint64_t lun = 0;
  for (int level = 0; level < 4; ++level)
    lun |= (bytes >> (48 - 16 * level) & 0xffff) << (16 * level);
  return lun;
}

std::optional<std::uint64_t> lun_in(std::string_view text) {
  constexpr std::size_t eight_bytes = 16;
  if (!text.starts_with("0x") && !text.starts_with("0X")) return number(text, 10);
  const auto digits = text.substr(2);
  const auto value = number(digits, 16);
  return value && digits.size() == eight_bytes ? std::optional(from_eight_bytes(*value)) : value;
}

std::uint64_t addressed(std::uint64_t lun, LunAddressing mode) {
  const bool flat = mode == LunAddressing::sam3_flat ||
                    (mode == LunAddressing::sam2 && lun >= first_flat_of_sam2);
  return flat && lun < flat_space ? lun + flat_space : lun;
}

}  // namespace

Result<LunAddressing> parse_lun_addressing(const Value& mode) {
  if (mode.is_null()) return LunAddressing::as_given;
  const auto* text = mode.text();
  if (text != nullptr)
    if (const auto known = value_in(modes, *text)) return *known;
  return bad(fmt::format("is {}, expected \"SAM\", \"transparent\", \"SAM2\" or \"SAM3-flat\"",
                         text == nullptr ? "no text" : cited(*text)));
}

Result<std::uint64_t> parse_lun(const Value& lun) {
  if (const auto* whole = std::get_if<std::uint64_t>(&lun.data)) return *whole;
  if (const auto* whole = std::get_if<std::int64_t>(&lun.data); whole != nullptr && *whole >= 0)
    return static_cast<std::uint64_t>(*whole);
  const auto* text = lun.text();
  if (text != nullptr)
    if (const auto value = lun_in(trimmed(*text))) return *value;
  return bad(fmt::format("is {}, expected a LUN such as 1, \"1\" or \"0x4101000000000000\"",
                         text == nullptr ? "no number" : cited(*text)));
}

std::vector<std::uint64_t> kernel_luns(std::uint64_t lun, LunAddressing mode) {
  std::vector<std::uint64_t> luns{addressed(lun, mode)};
  const auto add = [&](std::uint64_t other) {
    if (std::ranges::find(luns, other) == luns.end()) luns.push_back(other);
  };
  add(lun);
  if (lun < flat_space) add(lun + flat_space);
  if (lun >= flat_space && lun < 2 * flat_space) add(lun - flat_space);
  return luns;
}

}  // namespace volgrow
