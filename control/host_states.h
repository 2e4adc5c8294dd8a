// SPDX-License-Identifier: Apache-2.0
// What the control plane believes of a host, step by step: told, heard, or silent. Pure.
#pragma once

#include "control/config.h"
#include "control/model.h"
#include "control/receivers.h"
#include "core/result.h"

namespace volgrow::control {

/// The volume grew: an event is on its way.
HostView after_growth(WallTime now);
/// The receiver took the event, or did not. A host that has reported already stays as it is. Behind
/// Nova there need be no agent, so no report is due from there.
HostView after_answer(const HostView& before, const EventAnswer& answer, bool again,
                      bool behind_nova, const Config& config, WallTime now);
/// A report came. Only one that measured the volume at its size, or tells of a failure, changes
/// anything: an older job's says nothing about this growth.
HostView after_report(const HostView& before, const JobResult& result, Bytes volume_size,
                      WallTime now);

/// A report is due and did not come: told again (pending, and `renotified` is one more), or after
/// most_renotifies given up (unconfirmed).
HostView after_silence(const HostView& before, const Config& config, WallTime now);

}  // namespace volgrow::control
