// SPDX-License-Identifier: Apache-2.0
// attachments, as Nova uses them since microversion 3.27: create, update with a connector, list,
// show, complete, delete.
#pragma once

#include "control/attaching.h"
#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

/// What is given must outlive the Api.
void add_attachments(Api& api, const Workplace& work, Attaching& attaching);

}  // namespace volgrow::control::rest
