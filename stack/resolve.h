// SPDX-License-Identifier: Apache-2.0
// From what the caller names to the stack of layers on this host: a walk over sysfs, no guessing of
// names.
#pragma once

#include "connectors/connector.h"
#include "stack/step.h"

namespace volgrow {

/// Errors: NoSuchDevice, AmbiguousVolume, BadConnectionInfo, NotSupported (a layer no connector
/// knows how to grow lies between the volume and its consumer). A volume id is not known here:
/// whoever keeps registrations puts the registered subject in its place.
Result<Stack> resolve(const Subject& subject, const Connectors& connectors, Host& host,
                      Deadline deadline);

}  // namespace volgrow
