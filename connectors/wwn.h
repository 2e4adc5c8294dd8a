// SPDX-License-Identifier: Apache-2.0
// The World Wide Name of a Fibre Channel port, which everybody spells otherwise: Cinder's drivers,
// switches, arrays and the kernel. What a volume is called is its Wwid, in core/.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace volgrow {

/// Sixteen lower-case hex digits, from "500A098100000001", "0x500a098100000001" or
/// "50:0A:09:81:00:00:00:01". Errors: BadConnectionInfo.
Result<std::string> parse_wwn(std::string_view text);

}  // namespace volgrow
