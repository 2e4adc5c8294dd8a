// SPDX-License-Identifier: Apache-2.0
// Who a volume is: a designator its target reports. Names can be reused, this cannot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace volgrow {

/// Ordered by preference within a protocol: NAA before EUI-64 before T10 for SCSI, UUID before
/// NGUID before EUI-64 for NVMe. `file` is ours: st_dev, st_ino and offset of a file that backs a
/// device.
enum class WwidType : std::uint8_t { naa, eui, t10, uuid, nguid, file };

struct Wwid {
  WwidType type = WwidType::naa;
  std::string hex;  ///< lower-case hex digits; for t10 the designator text in hex

  bool operator==(const Wwid&) const = default;
};

/// "naa.6001405…": how a WWID is written everywhere.
std::string to_string(const Wwid& wwid);

/// Reads the written form, and udev's (3|2 + 16 or 32 hex digits: the leading digit is a type only
/// then). Errors: InvalidArgs.
Result<Wwid> parse_wwid(std::string_view text);

}  // namespace volgrow
