// SPDX-License-Identifier: Apache-2.0
// All of Cinder's API that this folder serves, put onto an Api. Volume actions and attachments are
// added by whoever has them.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

/// What `work` refers to must outlive the Api.
void add_face(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
