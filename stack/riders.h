// SPDX-License-Identifier: Apache-2.0
// What stands on a volume and is not volgrow's to grow: partitions, LVM, md, encryption, and what
// stands on those. Whoever reads a stack at night wants to see it, with the command that goes on.
#pragma once

#include <vector>

#include "connectors/host.h"
#include "connectors/layer.h"
#include "core/result.h"

namespace volgrow {

/// Bottom to top, each once. One that has to be grown before the consumer sees anything of a growth
/// (encryption of the whole volume) is `closed` with NotSupported; nothing is ever sent to any.
std::vector<Layer> riders_on(const Host& host, const std::vector<Layer>& volume);

/// How a rider is shown, with what grows it.
LayerResult shown_rider(const Layer& rider);

}  // namespace volgrow
