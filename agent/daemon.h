// SPDX-License-Identifier: Apache-2.0
// The daemon as a whole, from its options to its exit status.
#pragma once

#include "agent/options.h"
#include "core/error.h"

namespace volgrow::agent {

/// Runs until SIGTERM or SIGINT. Returns the exit status. Errors: what kept it from starting.
Result<int> run_daemon(const Options& options);

}  // namespace volgrow::agent
