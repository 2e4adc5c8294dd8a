// SPDX-License-Identifier: Apache-2.0
// What Cinder's connection_info says about an iSCSI volume: on which targets, behind which portals,
// under which LUNs. What of it is on this host is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connectors/iscsi_portal.h"
#include "connectors/scsi_lun.h"
#include "core/connection_info.h"

namespace volgrow {

struct IscsiUnit {
  /// None when the connection lists no portals: a volume that Cinder describes by one portal may be
  /// attached through all portals that its target named when it was discovered.
  std::optional<IscsiPortal> portal;
  std::string target;  ///< in lower case: iSCSI names do not differ by case (RFC 3722)
  std::uint64_t lun = 0;

  bool operator==(const IscsiUnit&) const = default;
};

struct IscsiConnection {
  std::vector<IscsiUnit> units;  ///< never empty
  LunAddressing addressing = LunAddressing::as_given;

  bool operator==(const IscsiConnection&) const = default;
};

/// From target_portal(s), target_iqn(s), target_lun(s) and addressing_mode. A list counts before
/// its singular, and a singular stands for every entry of the lists beside it. Errors:
/// BadConnectionInfo that names the key.
Result<IscsiConnection> parse_iscsi_connection(const ConnectionInfo& info);

/// An iSCSI name as it is compared.
std::string comparable_iscsi_name(std::string_view name);

}  // namespace volgrow
