// SPDX-License-Identifier: Apache-2.0
// What Cinder's connection_info says about a Fibre Channel volume: behind which ports of the
// storage, under which LUNs, and which of our ports were zoned to them. What of it is on this host
// is not known here.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "connectors/scsi_lun.h"
#include "core/connection_info.h"

namespace volgrow {

struct FcUnit {
  std::string target;  ///< WWN of a port of the storage, as parse_wwn() has it
  std::uint64_t lun = 0;

  bool operator==(const FcUnit&) const = default;
};

struct FcConnection {
  std::vector<FcUnit> units;  ///< never empty
  /// By the WWN of a host's port, the ports of the storage that it may use. Empty when the
  /// connection does not say.
  std::map<std::string, std::set<std::string>> targets_of_initiator;
  LunAddressing addressing = LunAddressing::as_given;

  bool operator==(const FcConnection&) const = default;
};

/// From target_wwn(s), target_lun(s), initiator_target_map and addressing_mode. A list counts
/// before its singular, and a singular stands for every entry of the list beside it. Errors:
/// BadConnectionInfo that names the key.
Result<FcConnection> parse_fc_connection(const ConnectionInfo& info);

}  // namespace volgrow
