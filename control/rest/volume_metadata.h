// SPDX-License-Identifier: Apache-2.0
// What users note on their volumes, key by key.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_volume_metadata(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
