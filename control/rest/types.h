// SPDX-License-Identifier: Apache-2.0
// types, their extra_specs, and who may use private ones: cinder/api/v3/types.py and contrib.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_types(Api& api, const Workplace& work);
void add_extra_specs(Api& api, const Workplace& work);

/// Makes the type that volumes without one get, if it is not there: before the first request.
/// Errors: Internal, from the database.
Result<void> ensure_default_type(Store& store, WallTime now);

/// What the caller may see of a type's extra specs.
Value visible_specs(const Workplace& work, const Call& call, const VolumeType& type);
/// By id alone. Faults: 404.
Outcome<VolumeType> type_with_id(const Workplace& work, const Call& call, const std::string& id);

}  // namespace volgrow::control::rest
