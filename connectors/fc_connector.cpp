// SPDX-License-Identifier: Apache-2.0
// SCSI disks behind a remote port of Fibre Channel: the port of the storage as one of our ports
// sees it. A virtual port (NPIV) is an fc_host like any other, though its folder is below that of
// the physical one.
#include <fmt/format.h>

#include <algorithm>

#include "connectors/all.h"
#include "connectors/fc_connection.h"
#include "connectors/scsi_disks.h"
#include "connectors/scsi_path.h"
#include "connectors/wwn.h"

namespace volgrow {
namespace {

constexpr std::string_view port_prefix = "rport-";
constexpr std::string_view ports_folder = "class/fc_remote_ports";

std::optional<std::string> text_of(const Host& host, const std::string& attribute) {
  auto text = host.read(attribute);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::optional<std::string> port_attribute(const Host& host, std::string_view port,
                                          std::string_view attribute) {
  return text_of(host, fmt::format("{}/{}/{}", ports_folder, port, attribute));
}

std::optional<std::string> initiator_of(const Host& host, std::string_view fc_host) {
  return text_of(host, fmt::format("class/fc_host/{}/port_name", fc_host));
}

/// As Cinder's are compared; "" for a port that went away while it was looked at.
std::string comparable(const std::optional<std::string>& name) {
  return name ? parse_wwn(*name).value_or("") : "";
}

/// "host4" of "rport-4:0-1".
std::string host_of(std::string_view port) {
  const auto number = port.substr(port.find('-') + 1);
  return fmt::format("host{}", number.substr(0, number.find(':')));
}

using TargetsOfInitiator = decltype(FcConnection::targets_of_initiator);

/// What of a connection's initiator_target_map counts here. None of it when it names no port of
/// this host: it was made for another one, and the volume has moved since.
Result<TargetsOfInitiator> targets_of_our_ports(Host& host, const FcConnection& connection) {
  auto ours = connection.targets_of_initiator;
  const auto fc_hosts = names_in(host, "class/fc_host");
  if (!fc_hosts) return std::unexpected(fc_hosts.error());
  std::set<std::string> names;
  for (const auto& fc_host : *fc_hosts)
    names.insert(comparable(initiator_of(host, fc_host)));
  std::erase_if(ours, [&](const auto& entry) { return !names.contains(entry.first); });
  return ours;
}

bool may_use(const TargetsOfInitiator& map, const std::string& initiator,
             const std::string& target) {
  const auto entry = map.find(initiator);
  return map.empty() || (entry != map.end() && entry->second.contains(target));
}

/// Adds what a remote port shows of the connection's volume.
Result<void> add_disks_of(Host& host, const std::string& port, const FcConnection& connection,
                          const TargetsOfInitiator& map, Devices& found) {
  const auto initiator = comparable(initiator_of(host, host_of(port)));
  const auto target = comparable(port_attribute(host, port, "port_name"));
  if (!may_use(map, initiator, target)) return {};
  for (const auto& unit : connection.units) {
    if (unit.target != target) continue;
    const auto luns = kernel_luns(unit.lun, connection.addressing);
    auto done = add_disks(host, fmt::format("{}/{}/device", ports_folder, port), luns, found);
    if (!done) return done;
  }
  return {};
}

class FcConnector final : public ScsiPath {
 public:
  std::string_view name() const override { return "fc"; }
  bool speaks(std::string_view driver_volume_type) const override {
    return driver_volume_type == "fibre_channel";
  }
  Result<Devices> discover(Host& host, const ConnectionInfo& info) const override;

 protected:
  bool carries(const ScsiPlace& place) const override {
    return place.folder(port_prefix).has_value();
  }
  std::string transport(const Host&, const ScsiPlace&) const override { return "fc"; }
  std::string endpoint(const Host& host, const ScsiPlace& place) const override;
  std::optional<ScsiGate> gate(const Host& host, const ScsiPlace& place) const override;
};

Result<Devices> FcConnector::discover(Host& host, const ConnectionInfo& info) const {
  const auto connection = parse_fc_connection(info);
  if (!connection) return std::unexpected(connection.error());
  const auto map = targets_of_our_ports(host, *connection);
  if (!map) return std::unexpected(map.error());
  const auto ports = names_in(host, std::string(ports_folder));
  if (!ports) return std::unexpected(ports.error());
  Devices found;
  for (const auto& port : *ports)
    if (auto done = add_disks_of(host, port, *connection, *map, found); !done)
      return std::unexpected(std::move(done.error()));
  return found;
}

/// "0x2000000000000006 to 0x2000000000000008": our port and the storage's, as sysfs has them. Who
/// looks for a lost path needs both, because a zone of the fabric is made of both.
std::string FcConnector::endpoint(const Host& host, const ScsiPlace& place) const {
  const auto port = place.folder(port_prefix).value_or("");
  return fmt::format("{} to {}", initiator_of(host, place.host).value_or("?"),
                     port_attribute(host, port, "port_name").value_or("?"));
}

/// 'Blocked': the port was lost, and the kernel holds commands back until it returns or
/// fast_io_fail_tmo has passed. 'Not Present': dev_loss_tmo has passed too (scsi_transport_fc.c).
std::optional<ScsiGate> FcConnector::gate(const Host& host, const ScsiPlace& place) const {
  const auto port = place.folder(port_prefix).value_or("");
  return ScsiGate{
      fmt::format("FC remote port {}", port_attribute(host, port, "port_name").value_or(port)),
      port_attribute(host, port, "port_state"), "Online"};
}

}  // namespace

std::unique_ptr<Connector> fc_connector() {
  return std::make_unique<FcConnector>();
}

}  // namespace volgrow
