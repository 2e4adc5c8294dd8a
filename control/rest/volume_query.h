// SPDX-License-Identifier: Apache-2.0
// Which volumes a list is to have: its query parameters, as cinder/api/v3/volumes.py and
// cinder/db/sqlalchemy/api.py (_process_volume_filters) read them.
#pragma once

#include <optional>

#include "control/rest/call.h"
#include "control/rest/workplace.h"
#include "control/store.h"

namespace volgrow::control::rest {

struct VolumeQuery {
  /// Absent when nothing can match: Cinder answers an empty list to a filter it does not know.
  std::optional<VolumePage> page;
  bool with_count = false;
};

/// Faults: 400.
Outcome<VolumeQuery> volumes_asked(const Workplace& work, const Call& call);

/// A project's own, or all, as all_tenants says. Faults: 400.
Outcome<std::optional<std::string>> project_asked(const Call& call);

}  // namespace volgrow::control::rest
