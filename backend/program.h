// SPDX-License-Identifier: Apache-2.0
// volgrow-backend as a whole, from its options to its exit status.
#pragma once

#include "backend/options.h"
#include "core/error.h"

namespace volgrow::backend {

/// Runs until SIGTERM or SIGINT. Returns the exit status. Errors: what kept it from starting.
Result<int> run_program(const Options& options);

}  // namespace volgrow::backend
