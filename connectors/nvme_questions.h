// SPDX-License-Identifier: Apache-2.0
// The two questions that are put to one NVMe controller about a namespace: how big, and whose.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connectors/host.h"
#include "connectors/nvme.h"

namespace volgrow::nvme {

/// `controller`: its open character device. `device`: what the sentence of an error is about.
/// Blocks until the controller answers or the kernel gives it up. Errors: NoUsablePath,
/// NoSuchDevice when the controller has no such namespace.
Result<Capacity> ask_capacity(OpenNode& controller, std::uint32_t nsid, std::string_view device);

/// As the controller says it now; nullopt when the namespace has no identifier. Errors as
/// ask_capacity().
Result<std::optional<Wwid>> ask_identity(OpenNode& controller, std::uint32_t nsid,
                                         std::string_view device);

}  // namespace volgrow::nvme
