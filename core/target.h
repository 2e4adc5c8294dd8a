// SPDX-License-Identifier: Apache-2.0
// TARGET: what an operator or caller types to name a volume (contracts §1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace volgrow {

enum class TargetKind : std::uint8_t {
  path,  ///< begins with "/": a device node or an image file
  volume_id,
  dm_name,
  wwid,
  device,  ///< kernel name, "sda"
  any,     ///< no prefix: exactly one of the above must match
};

struct Target {
  TargetKind kind = TargetKind::any;
  std::string text;  ///< without its prefix

  bool operator==(const Target&) const = default;
};

/// Errors: InvalidArgs (empty, too long, not printable, a path with a NUL or a ".." component, an
/// id that does not match the pattern).
Result<Target> parse_target(std::string_view text);

/// The text `parse_target` reads back: "id:x", "/dev/sda", "x".
std::string to_text(const Target& target);

/// ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$
bool is_volume_id(std::string_view text);

}  // namespace volgrow
