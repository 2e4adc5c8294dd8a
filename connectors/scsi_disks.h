// SPDX-License-Identifier: Apache-2.0
// The SCSI disks behind one way to a target, as sysfs has them: below an iSCSI session, or below a
// remote port of Fibre Channel. Which ways a connection_info means, its transport says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/host.h"

namespace volgrow {

using Devices = std::vector<std::string>;

/// The names in a folder of sysfs; none when it is not there: a session or a port may go away while
/// it is looked at. Errors: what else Host::list() says.
Result<std::vector<std::string>> names_in(Host& host, const std::string& folder);

/// Adds to `found`, each once, the disks in `folder`/targetH:C:T that have the first of these
/// numbers which any of them has at the end of its address.
Result<void> add_disks(Host& host, const std::string& folder,
                       const std::vector<std::uint64_t>& luns, Devices& found);

}  // namespace volgrow
