// SPDX-License-Identifier: Apache-2.0
// os-quota-sets, os-quota-class-sets and limits: what projects may use, and do.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_quotas(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
