// SPDX-License-Identifier: Apache-2.0
// The two questions that are put to a SCSI target, whoever carries them there: how big, and whose.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "connectors/host.h"
#include "connectors/scsi.h"

namespace volgrow::scsi {

using Cdb = std::span<const std::uint8_t>;
/// READ CAPACITY(16). `device`: what the sentence of an error is about. Errors: those of `send`,
/// NoUsablePath, NoSuchDevice when the target has no such logical unit.
Result<Capacity> ask_capacity(const ScsiSender& send, std::string_view device);

/// VPD page 0x83 as it is now; nullopt when the target has no such page, or no designator of the
/// logical unit in it. Errors as ask_capacity().
Result<std::optional<Wwid>> ask_identity(const ScsiSender& send, std::string_view device);

}  // namespace volgrow::scsi
