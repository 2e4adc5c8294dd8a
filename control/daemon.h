// SPDX-License-Identifier: Apache-2.0
// volgrow-control as a whole: everything it consists of, in the order in which it is made.
#pragma once

#include "control/options.h"
#include "core/error.h"

namespace volgrow::control {

/// Returns the exit status. Errors: what kept it from starting, or ended it.
Result<int> run(const Options& options);

}  // namespace volgrow::control
