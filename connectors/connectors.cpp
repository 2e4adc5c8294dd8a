// SPDX-License-Identifier: Apache-2.0
// The registry: which connectors this build has, and in which order they are asked.
#include <fmt/format.h>

#include "connectors/all.h"
#include "connectors/connector.h"

namespace volgrow {

bool Connector::speaks(std::string_view) const {
  return false;
}

Result<std::vector<std::string>> Connector::discover(Host&, const ConnectionInfo& info) const {
  return failure(ErrorCode::not_supported,
                 fmt::format("connector '{}' does not understand driver_volume_type '{}'", name(),
                             info.driver_volume_type));
}

std::vector<std::string> Connector::above(const Host&, std::string_view) const {
  return {};
}

Result<Standing> Connector::standing(Host& host, std::string_view device) const {
  auto now = describe(host, device);
  if (!now) return std::unexpected(std::move(now.error()));
  return Standing{now->identity, std::move(now->closed)};
}

Result<Truth> Connector::probe(Host&, const Layer& layer, Deadline) const {
  return failure(
      ErrorCode::not_supported,
      fmt::format("{} has no target of its own to ask: its size follows from below", layer.device),
      layer.device);
}

Result<void> Connector::evict(Host&, const Layer& map, const std::string&, Deadline) const {
  return failure(ErrorCode::not_supported,
                 fmt::format("{} is no map whose members can change", map.device), map.device);
}

Result<void> Connector::adopt(Host& host, const Layer& map, const std::string& member,
                              Deadline deadline) const {
  return Connector::evict(host, map, member, deadline);
}

Connectors::Connectors(std::vector<std::unique_ptr<Connector>> all) : all_(std::move(all)) {}

const Connector* Connectors::speaking(std::string_view driver_volume_type) const {
  for (const auto& connector : all_)
    if (connector->speaks(driver_volume_type)) return connector.get();
  return nullptr;
}

const Connector* Connectors::claiming(const Host& host, std::string_view device) const {
  for (const auto& connector : all_)
    if (connector->claims(host, device)) return connector.get();
  return nullptr;
}

const Connector* Connectors::named(std::string_view name) const {
  for (const auto& connector : all_)
    if (connector->name() == name) return connector.get();
  return nullptr;
}

Connectors all_connectors(std::vector<std::string> file_roots) {
  std::vector<std::unique_ptr<Connector>> all;
  all.push_back(loop_connector());
  all.push_back(iscsi_connector());
  all.push_back(fc_connector());
  all.push_back(scsi_connector());
  all.push_back(nvme_connector());
  all.push_back(multipath_connector());
  all.push_back(file_connector(std::move(file_roots)));
  return Connectors(std::move(all));
}

}  // namespace volgrow
