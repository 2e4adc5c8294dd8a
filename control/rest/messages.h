// SPDX-License-Identifier: Apache-2.0
// messages: what a project is told that a 202 could not say (cinder/api/v3/messages.py).
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_messages(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
