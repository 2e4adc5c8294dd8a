// SPDX-License-Identifier: Apache-2.0
// The singular and the plural keys of an iSCSI connection, made one list of units.
#include "connectors/iscsi_connection.h"

#include <fmt/format.h>

#include "connectors/path_keys.h"
#include "core/text.h"

namespace volgrow {
namespace {

Result<IscsiPortal> portal_in(const PathKey& portals, std::size_t index) {
  const auto* text = portals.at(index).text();
  if (text == nullptr)
    return bad_key(portals.place(index), "is no text; expected \"ADDRESS:PORT\"");
  auto portal = parse_iscsi_portal(*text);
  if (portal) return portal;
  return bad_key(portals.place(index), fmt::format("is malformed: {}", portal.error().message));
}

Result<std::string> name_in(const PathKey& names, std::size_t index) {
  const auto* text = names.at(index).text();
  if (text == nullptr) return bad_key(names.place(index), "is no text; expected a target's name");
  if (text->empty() || printable(*text) != *text)
    return bad_key(names.place(index),
                   fmt::format("is {}, expected a target's name", cited(*text)));
  return comparable_iscsi_name(*text);
}

struct Paths {
  PathKey portals, names, luns;
};

Result<Paths> paths_in(const ConnectionInfo& info) {
  auto portals = path_key(info, "target_portal");
  if (!portals) return std::unexpected(std::move(portals.error()));
  auto names = path_key(info, "target_iqn");
  if (!names) return std::unexpected(std::move(names.error()));
  auto luns = path_key(info, "target_lun");
  if (!luns) return std::unexpected(std::move(luns.error()));
  return Paths{*std::move(portals), *std::move(names), *std::move(luns)};
}

Result<IscsiUnit> unit_at(const Paths& paths, std::size_t index) {
  auto portal = portal_in(paths.portals, index);
  if (!portal) return std::unexpected(std::move(portal.error()));
  auto name = name_in(paths.names, index);
  if (!name) return std::unexpected(std::move(name.error()));
  auto lun = lun_at(paths.luns, index);
  if (!lun) return std::unexpected(std::move(lun.error()));
  const bool listed = paths.portals.list != nullptr;
  return IscsiUnit{listed ? std::optional(*std::move(portal)) : std::nullopt, *std::move(name),
                   *lun};
}

}  // namespace

Result<IscsiConnection> parse_iscsi_connection(const ConnectionInfo& info) {
  const auto paths = paths_in(info);
  if (!paths) return std::unexpected(paths.error());
  const auto count = count_of_paths({&paths->portals, &paths->names, &paths->luns});
  if (!count) return std::unexpected(count.error());
  const auto addressing = lun_addressing_of(info);
  if (!addressing) return std::unexpected(addressing.error());
  IscsiConnection connection{{}, *addressing};
  for (std::size_t index = 0; index < *count; ++index) {
    auto unit = unit_at(*paths, index);
    if (!unit) return std::unexpected(std::move(unit.error()));
    connection.units.push_back(*std::move(unit));
  }
  return connection;
}

std::string comparable_iscsi_name(std::string_view name) {
  std::string lowered(name);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lowered;
}

}  // namespace volgrow
