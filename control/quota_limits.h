// SPDX-License-Identifier: Apache-2.0
// What a project may use: what was set for it, else what the configuration says. -1 is unlimited.
#pragma once

#include <map>
#include <string>

#include "control/config.h"
#include "control/store.h"

namespace volgrow::control {

/// By resource: volumes, gigabytes, per_volume_gigabytes, and what was set for single types.
/// Errors: Internal, from the database.
Result<std::map<std::string, Gib>> limits_of(Store& store, const Config& config,
                                             const std::string& project_id);

}  // namespace volgrow::control
