// SPDX-License-Identifier: Apache-2.0
// What explain says of a stack: the first thing that is wrong, and what mends it. Pure.
#pragma once

#include <optional>

#include "core/result.h"
#include "stack/job.h"

namespace volgrow {

/// The first layer, from the target up, that is not as it should be.
std::optional<Diagnosis> diagnose(const Job& job);

}  // namespace volgrow
