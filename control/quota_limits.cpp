// SPDX-License-Identifier: Apache-2.0
// Cinder's defaults under the same names.
#include "control/quota_limits.h"

namespace volgrow::control {

Result<std::map<std::string, Gib>> limits_of(Store& store, const Config& config,
                                             const std::string& project_id) {
  auto limits = store.quota_limits(project_id);
  if (!limits) return limits;
  limits->try_emplace("volumes", config.quota_volumes);
  limits->try_emplace("gigabytes", config.quota_gigabytes);
  limits->try_emplace("per_volume_gigabytes", config.quota_per_volume_gigabytes);
  return limits;
}

}  // namespace volgrow::control
