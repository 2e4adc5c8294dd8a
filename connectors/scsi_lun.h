// SPDX-License-Identifier: Apache-2.0
// A LUN as Cinder writes it, and the numbers the kernel may show for it. Whether the logical unit
// found is the right one, its identity says, not its number.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/value.h"

namespace volgrow {

/// os-brick's `addressing_mode` of connection_info.
enum class LunAddressing : std::uint8_t {
  as_given,   ///< SAM, transparent, or no mode at all: the number is what the kernel shows
  sam2,       ///< flat space addressing from 256 on
  sam3_flat,  ///< flat space addressing always
};

/// Errors: BadConnectionInfo.
Result<LunAddressing> parse_lun_addressing(const Value& mode);

/// A number, a decimal text, a hexadecimal text, or the eight bytes of SAM as by-path names have
/// them ("0x4101000000000000"). The number as the kernel counts it (scsilun_to_int). Errors:
/// BadConnectionInfo.
Result<std::uint64_t> parse_lun(const Value& lun);

/// The last number of H:C:T:L under which the kernel may show `lun`, the likeliest first. A target
/// that reports flat addresses shows them whatever its driver in Cinder says of it.
std::vector<std::uint64_t> kernel_luns(std::uint64_t lun, LunAddressing mode);

}  // namespace volgrow
