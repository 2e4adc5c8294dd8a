// SPDX-License-Identifier: Apache-2.0
// What Cinder's connection_info says about an NVMe-oF volume, in any of os-brick's forms: which
// subsystem, for which host, which namespace. What of it is on this host is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/connection_info.h"

namespace volgrow {

struct NvmeConnection {
  std::string subsystem;            ///< NQN
  std::optional<std::string> host;  ///< NQN that the controllers were connected with
  /// Of the namespace, as 32 lower-case hex digits; a driver may give either under either key.
  std::optional<std::string> uuid;
  std::optional<std::string> nguid;
  std::optional<std::uint32_t> nsid;

  bool operator==(const NvmeConnection&) const = default;
};

/// New form: target_nqn, portals, vol_uuid, volume_nguid, ns_id, host_nqn. Old form: nqn,
/// target_portal, target_port, transport_type. Replicated form: the new one inside
/// `volume_replicas`. Errors: BadConnectionInfo that names the key; NotSupported for replicas that
/// an md array joins.
Result<NvmeConnection> parse_nvme_connection(const ConnectionInfo& info);

}  // namespace volgrow
