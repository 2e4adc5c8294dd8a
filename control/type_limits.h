// SPDX-License-Identifier: Apache-2.0
// What a volume type says of its volumes' sizes: provisioning:min_vol_size and
// provisioning:max_vol_size of its extra specs.
#pragma once

#include "control/fault.h"
#include "control/model.h"

namespace volgrow::control {

/// In Cinder's order and words. Faults: 400; also where a limit that matters is no number, which
/// to Cinder is a 500 without a reason.
Outcome<void> check_type_limits(const VolumeType& type, Gib size);

}  // namespace volgrow::control
