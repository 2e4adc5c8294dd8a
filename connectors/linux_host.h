// SPDX-License-Identifier: Apache-2.0
// The Host of a real machine.
#pragma once

#include <memory>

#include "connectors/host.h"

namespace volgrow {

/// Opens /sys as a directory descriptor. Errors: Internal with errno.
Result<std::unique_ptr<Host>> open_linux_host(const Clock& clock);

}  // namespace volgrow
