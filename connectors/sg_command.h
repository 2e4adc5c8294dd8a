// SPDX-License-Identifier: Apache-2.0
// One SCSI command through the kernel's SG v3 interface (linux/scsi/sg.h). Knows descriptors and
// deadlines, not what a CDB means or which node to open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "connectors/host.h"

namespace volgrow {

/// By write(), poll(), read() on an sg node opened O_RDWR|O_NONBLOCK: nothing sleeps longer than
/// the deadline. Errors as ScsiSender.
Result<ScsiAnswer> sg_command(int sg_node, std::string_view device,
                              std::span<const std::uint8_t> cdb, std::size_t reply_size,
                              Deadline deadline, const Clock& clock);

/// By SG_IO on a block node, where there is no sg driver: sleeps in the kernel until the command is
/// over, its time-out set to what is left.
Result<ScsiAnswer> sg_io_command(int block_node, std::string_view device,
                                 std::span<const std::uint8_t> cdb, std::size_t reply_size,
                                 Deadline deadline, const Clock& clock);

}  // namespace volgrow
