// SPDX-License-Identifier: Apache-2.0
// What Cinder has and volgrow-control does not: snapshots, backups, groups and the like. Clients
// that look find that there are none, and who wants to make one is told that it cannot be done
// here.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_absent(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
