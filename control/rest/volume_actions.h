// SPDX-License-Identifier: Apache-2.0
// The actions on a volume that attach, detach and extend it, or change a flag or a status of it;
// and refusals of those that Cinder has besides.
#pragma once

#include "control/attaching.h"
#include "control/extends.h"
#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

/// What is given must outlive the Api.
void add_volume_actions(Api& api, const Workplace& work, Attaching& attaching, Extends& extends);

}  // namespace volgrow::control::rest
