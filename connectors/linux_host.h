// SPDX-License-Identifier: Apache-2.0
// The Host of a real machine.
#pragma once

#include <memory>
#include <string>

#include "connectors/host.h"

namespace volgrow {

/// Opens `sysfs_root` as a directory descriptor; `clock` must outlive the host. Errors: Internal
/// with errno.
Result<std::unique_ptr<Host>> open_linux_host(const Clock& clock,
                                              const std::string& sysfs_root = "/sys");

}  // namespace volgrow
