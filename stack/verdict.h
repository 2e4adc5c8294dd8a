// SPDX-License-Identifier: Apache-2.0
// From what was measured to the state a job ends in, and to what explain says of a stack. Pure.
#pragma once

#include <optional>

#include "core/result.h"
#include "stack/job.h"

namespace volgrow {

/// The job's result as its layers stand now. Sets action and reason of layers nothing was decided
/// for.
JobResult conclude(Job& job, TimePoint now);

/// The first layer, from the target up, that is not as it should be.
std::optional<Diagnosis> diagnose(const Job& job);

}  // namespace volgrow
