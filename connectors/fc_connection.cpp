// SPDX-License-Identifier: Apache-2.0
// The keys of a Fibre Channel connection, made one list of units and one map of ports.
#include "connectors/fc_connection.h"

#include <fmt/format.h>

#include <utility>

#include "connectors/path_keys.h"
#include "connectors/wwn.h"
#include "core/text.h"

namespace volgrow {
namespace {

constexpr std::string_view map_key = "initiator_target_map";

Result<std::string> wwn_in(const Value& value, std::string_view place) {
  const auto* text = value.text();
  if (text == nullptr) return bad_key(place, "is no text; expected a WWN");
  auto wwn = parse_wwn(*text);
  if (wwn) return wwn;
  return bad_key(place, wwn.error().message);
}

Result<FcUnit> unit_at(const PathKey& names, const PathKey& luns, std::size_t index) {
  auto target = wwn_in(names.at(index), names.place(index));
  if (!target) return std::unexpected(std::move(target.error()));
  auto lun = lun_at(luns, index);
  if (!lun) return std::unexpected(std::move(lun.error()));
  return FcUnit{*std::move(target), *lun};
}

Result<std::vector<FcUnit>> units_in(const ConnectionInfo& info) {
  const auto names = path_key(info, "target_wwn");
  if (!names) return std::unexpected(names.error());
  const auto luns = path_key(info, "target_lun");
  if (!luns) return std::unexpected(luns.error());
  const auto count = count_of_paths({&*names, &*luns});
  if (!count) return std::unexpected(count.error());
  std::vector<FcUnit> units;
  for (std::size_t index = 0; index < *count; ++index) {
    auto unit = unit_at(*names, *luns, index);
    if (!unit) return std::unexpected(std::move(unit.error()));
    units.push_back(*std::move(unit));
  }
  return units;
}

/// A list, or the only one by itself, as some drivers write it.
Result<std::set<std::string>> targets_in(const Value& value, const std::string& place) {
  std::set<std::string> targets;
  const auto single = Value::Array{value};
  const auto* list = value.array();
  for (const auto& each : list == nullptr ? single : *list) {
    auto target = wwn_in(each, place);
    if (!target) return std::unexpected(std::move(target.error()));
    targets.insert(*std::move(target));
  }
  return targets;
}

Result<std::map<std::string, std::set<std::string>>> map_in(const ConnectionInfo& info) {
  std::map<std::string, std::set<std::string>> map;
  const auto* given = member_of(info.data, map_key);
  if (given == nullptr) return map;
  const auto* members = given->object();
  if (members == nullptr) return bad_key(map_key, "is no object; expected WWNs by WWN");
  for (const auto& [name, value] : *members) {
    const auto initiator = parse_wwn(name);
    if (!initiator)
      return bad_key(map_key, fmt::format("has a key that {}", initiator.error().message));
    auto targets = targets_in(value, fmt::format("{}.{}", map_key, *initiator));
    if (!targets) return std::unexpected(std::move(targets.error()));
    map[*initiator].merge(*std::move(targets));
  }
  return map;
}

}  // namespace

Result<FcConnection> parse_fc_connection(const ConnectionInfo& info) {
  auto units = units_in(info);
  if (!units) return std::unexpected(std::move(units.error()));
  auto map = map_in(info);
  if (!map) return std::unexpected(std::move(map.error()));
  const auto addressing = lun_addressing_of(info);
  if (!addressing) return std::unexpected(addressing.error());
  return FcConnection{*std::move(units), *std::move(map), *addressing};
}

}  // namespace volgrow
