// SPDX-License-Identifier: Apache-2.0
// WWIDs as text: our written form, the kernel's sysfs form and udev's.
#include "core/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/names.h"
#include "core/text.h"

namespace volgrow {
namespace {

constexpr std::array wwid_types{
    Named{WwidType::naa, "naa"},   Named{WwidType::eui, "eui"},     Named{WwidType::t10, "t10"},
    Named{WwidType::uuid, "uuid"}, Named{WwidType::nguid, "nguid"}, Named{WwidType::file, "file"},
};

/// A VPD 0x83 designator holds at most 255 bytes.
constexpr std::size_t longest_designator = 255;

char lower(char c) {
  return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_lower_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_lower_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_lower_hex_digit);
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

/// The hex digits that `text` stands for after "<type>."; empty when it stands for none.
std::string digits_of(WwidType type, std::string_view text) {
  // The kernel writes a T10 designator as its text: "t10.ATA     QEMU HARDDISK". Such text is never
  // all lower-case hex, because a vendor name padded to eight characters comes first.
  if (type == WwidType::t10)
    return is_lower_hex(text) && text.size() % 2 == 0 ? std::string(text) : to_hex(text);
  auto digits = lowered(text);
  if (type == WwidType::uuid) std::erase(digits, '-');
  return is_lower_hex(digits) ? digits : std::string();
}

std::optional<Wwid> written(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto type = value_in(wwid_types, text.substr(0, dot));
  if (!type) return std::nullopt;
  auto digits = digits_of(*type, text.substr(dot + 1));
  if (digits.empty() || digits.size() > 2 * longest_designator) return std::nullopt;
  return Wwid{*type, std::move(digits)};
}

/// udev's ID_SERIAL and multipath's WWID: "3" or "2" is a type only before 8 or 16 bytes of hex.
std::optional<Wwid> from_udev(std::string_view text) {
  if (text.size() != 1 + 16 && text.size() != 1 + 32) return std::nullopt;
  auto digits = lowered(text.substr(1));
  if (!is_lower_hex(digits)) return std::nullopt;
  if (text.front() == '3') return Wwid{WwidType::naa, std::move(digits)};
  if (text.front() == '2') return Wwid{WwidType::eui, std::move(digits)};
  return std::nullopt;
}

}  // namespace

std::string to_string(const Wwid& wwid) {
  return fmt::format("{}.{}", name_in(wwid_types, wwid.type), wwid.hex);
}

Result<Wwid> parse_wwid(std::string_view text) {
  constexpr std::size_t longest = std::string_view("nguid.").size() + 2 * longest_designator;
  const auto considered = text.size() <= longest ? text : std::string_view();
  if (auto wwid = written(considered)) return *std::move(wwid);
  if (auto wwid = from_udev(considered)) return *std::move(wwid);
  return failure(
      ErrorCode::invalid_args,
      fmt::format("{} is no WWID; write naa.HEX, eui.HEX, t10.TEXT, nguid.HEX, file.HEX or "
                  "uuid.HEX, or udev's 3 or 2 before 16 or 32 hex digits",
                  cited(text)));
}

}  // namespace volgrow
