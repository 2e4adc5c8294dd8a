// SPDX-License-Identifier: Apache-2.0
// The bodies of actions on a volume, as cinder/api/schemas/volume_actions.py and admin_actions.py
// have them. Each is made once, when it is first needed.
#pragma once

#include "control/rest/schema.h"

namespace volgrow::control::rest::volume_action {

const Schema& extend();
const Schema& extend_volume_completion();
const Schema& attach();
const Schema& detach();
const Schema& initialize_connection();
const Schema& terminate_connection();
const Schema& set_bootable();
const Schema& update_readonly_flag();
const Schema& reset_status();
const Schema& force_detach();
/// Of os-reserve and the like: whatever stands behind the name.
const Schema& any();

}  // namespace volgrow::control::rest::volume_action
