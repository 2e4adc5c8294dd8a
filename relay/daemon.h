// SPDX-License-Identifier: Apache-2.0
// The relay as a whole, from its options to its exit status.
#pragma once

#include "core/error.h"
#include "relay/options.h"

namespace volgrow::relay {

/// Runs until SIGTERM or SIGINT. Returns the exit status. Errors: what kept it from starting.
Result<int> run_daemon(const Options& options);

}  // namespace volgrow::relay
