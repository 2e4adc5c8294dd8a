// SPDX-License-Identifier: Apache-2.0
// A host's name becomes addresses, within a deadline: the resolver's own time-outs add up to more
// than anybody wants to wait.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace volgrow {

/// Numeric addresses in the order in which they should be tried; an address is given back as it
/// is. Errors: Unreachable, TimedOut.
Result<std::vector<std::string>> addresses_of(const std::string& host, Deadline deadline,
                                              const Clock& clock);

}  // namespace volgrow
