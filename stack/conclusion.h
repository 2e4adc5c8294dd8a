// SPDX-License-Identifier: Apache-2.0
// From what was measured to what became of each layer and the state a job ends in. Pure.
#pragma once

#include "core/clock.h"
#include "core/result.h"
#include "stack/job.h"

namespace volgrow {

/// The job's result as its layers stand now. Sets action and reason of layers nothing was decided
/// for.
JobResult conclude(Job& job, TimePoint now);

}  // namespace volgrow
