// SPDX-License-Identifier: Apache-2.0
// volumes: create, list, show, update, delete; and os-force_delete. The other actions are not here.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_volumes(Api& api, const Workplace& work);

/// The volume of that id, where the caller may know that there is one. Faults: 404.
Outcome<Volume> find_volume(const Workplace& work, const Call& call, const std::string& id);

}  // namespace volgrow::control::rest
