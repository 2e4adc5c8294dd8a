// SPDX-License-Identifier: Apache-2.0
// What there is to administrate: pools and their capabilities, services, hosts, zones, extensions
// and filters.
#pragma once

#include "control/rest/router.h"
#include "control/rest/workplace.h"

namespace volgrow::control::rest {

void add_pools(Api& api, const Workplace& work);
void add_services(Api& api, const Workplace& work);
void add_extensions(Api& api, const Workplace& work);

}  // namespace volgrow::control::rest
