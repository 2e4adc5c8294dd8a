// SPDX-License-Identifier: Apache-2.0
// From a folder with targets in it to the disks of one LUN.
#include "connectors/scsi_disks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "connectors/block_device.h"
#include "connectors/scsi_path.h"

namespace volgrow {
namespace {

/// "…/target1:0:0/1:0:0:1" for each SCSI device.
Result<std::vector<std::string>> units_in(Host& host, const std::string& folder) {
  std::vector<std::string> folders;
  const auto targets = names_in(host, folder);
  if (!targets) return targets;
  for (const auto& target : *targets) {
    if (!target.starts_with("target")) continue;
    const auto units = names_in(host, fmt::format("{}/{}", folder, target));
    if (!units) return units;
    for (const auto& unit : *units)
      if (is_scsi_address(unit)) folders.push_back(fmt::format("{}/{}/{}", folder, target, unit));
  }
  return folders;
}

/// The disks that have one of these numbers in the end of their address, by it.
Result<std::multimap<std::uint64_t, std::string>> disks_in(Host& host, const std::string& folder,
                                                           const std::vector<std::uint64_t>& luns) {
  std::multimap<std::uint64_t, std::string> disks;
  const auto units = units_in(host, folder);
  if (!units) return std::unexpected(units.error());
  for (const auto& unit : *units) {
    const auto lun = parse_number(unit.substr(unit.rfind(':') + 1), unit);
    if (!lun) return std::unexpected(lun.error());
    if (std::ranges::find(luns, *lun) == luns.end()) continue;
    const auto names = names_in(host, unit + "/block");
    if (!names) return std::unexpected(names.error());
    for (const auto& name : *names)
      disks.emplace(*lun, name);
  }
  return disks;
}

}  // namespace

Result<std::vector<std::string>> names_in(Host& host, const std::string& folder) {
  auto names = host.list(folder);
  if (!names && names.error().code == ErrorCode::no_such_device) return std::vector<std::string>{};
  return names;
}

Result<void> add_disks(Host& host, const std::string& folder,
                       const std::vector<std::uint64_t>& luns, Devices& found) {
  const auto disks = disks_in(host, folder, luns);
  if (!disks) return std::unexpected(disks.error());
  const auto lun = std::ranges::find_if(luns, [&](auto one) { return disks->contains(one); });
  if (lun == luns.end()) return {};
  const auto [first, last] = disks->equal_range(*lun);
  for (auto disk = first; disk != last; ++disk)
    if (std::ranges::find(found, disk->second) == found.end()) found.push_back(disk->second);
  return {};
}

}  // namespace volgrow
