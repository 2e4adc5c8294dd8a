// SPDX-License-Identifier: Apache-2.0
// SCSI disks below an iSCSI session, over TCP, an adapter or RDMA (iSER). Sessions are found in
// sysfs by what they are connected to, never by names in /dev: a session has no link of its own
// when another goes to the same portal and target.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "connectors/all.h"
#include "connectors/iscsi_connection.h"
#include "connectors/scsi_disks.h"
#include "connectors/scsi_path.h"

namespace volgrow {
namespace {

constexpr std::string_view session_prefix = "session";
constexpr std::string_view sessions_folder = "class/iscsi_session";

std::optional<std::string> text_of(const Host& host, const std::string& attribute) {
  auto text = host.read(attribute);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::optional<std::string> session_attribute(const Host& host, std::string_view session,
                                             std::string_view attribute) {
  return text_of(host, fmt::format("{}/{}/{}", sessions_folder, session, attribute));
}

/// A session of open-iscsi has one connection, number 0.
std::optional<std::string> connection_attribute(const Host& host, std::string_view session,
                                                std::string_view attribute) {
  return text_of(host, fmt::format("class/iscsi_connection/connection{}:0/{}",
                                   session.substr(session_prefix.size()), attribute));
}

/// Where a session goes: what it was told to connect to, and what it is connected to, which differ
/// when the target redirected it.
std::vector<IscsiPortal> portals_of(const Host& host, std::string_view session) {
  std::vector<IscsiPortal> portals;
  const auto add = [&](std::string_view address, std::string_view port) {
    const auto host_text = connection_attribute(host, session, address);
    const auto port_text = connection_attribute(host, session, port);
    if (!host_text || !port_text) return;
    if (auto portal = iscsi_portal_of(*host_text, *port_text)) portals.push_back(*portal);
  };
  add("persistent_address", "persistent_port");
  add("address", "port");
  return portals;
}

/// The units of the connection that a session may lead to.
std::vector<IscsiUnit> units_behind(const Host& host, std::string_view session,
                                    const IscsiConnection& connection) {
  const auto target = session_attribute(host, session, "targetname");
  std::vector<IscsiUnit> units;
  if (!target) return units;
  const auto name = comparable_iscsi_name(*target);
  std::ranges::copy_if(connection.units, std::back_inserter(units),
                       [&](const auto& unit) { return unit.target == name; });
  if (units.empty()) return units;  // most sessions of a host are other volumes'
  const auto portals = portals_of(host, session);
  std::erase_if(units, [&](const auto& unit) {
    return unit.portal && std::ranges::find(portals, *unit.portal) == portals.end();
  });
  return units;
}

/// Adds what a session shows of the connection's volume.
Result<void> add_disks_of(Host& host, std::string_view session, const IscsiConnection& connection,
                          Devices& found) {
  for (const auto& unit : units_behind(host, session, connection)) {
    const auto luns = kernel_luns(unit.lun, connection.addressing);
    auto done = add_disks(host, fmt::format("{}/{}/device", sessions_folder, session), luns, found);
    if (!done) return done;
  }
  return {};
}

class IscsiConnector final : public ScsiPath {
 public:
  std::string_view name() const override { return "iscsi"; }
  bool speaks(std::string_view driver_volume_type) const override {
    return driver_volume_type == "iscsi" || driver_volume_type == "iser";
  }
  Result<Devices> discover(Host& host, const ConnectionInfo& info) const override;

 protected:
  bool carries(const ScsiPlace& place) const override {
    return place.folder(session_prefix).has_value();
  }
  std::string transport(const Host& host, const ScsiPlace& place) const override;
  std::string endpoint(const Host& host, const ScsiPlace& place) const override;
  std::optional<ScsiGate> gate(const Host& host, const ScsiPlace& place) const override {
    const auto session = place.folder(session_prefix).value_or("");
    return ScsiGate{"iSCSI session", session_attribute(host, session, "state"), "LOGGED_IN"};
  }
};

Result<Devices> IscsiConnector::discover(Host& host, const ConnectionInfo& info) const {
  const auto connection = parse_iscsi_connection(info);
  if (!connection) return std::unexpected(connection.error());
  const auto sessions = names_in(host, std::string(sessions_folder));
  if (!sessions) return std::unexpected(sessions.error());
  Devices found;
  for (const auto& session : *sessions)
    if (auto done = add_disks_of(host, session, *connection, found); !done)
      return std::unexpected(std::move(done.error()));
  return found;
}

/// A session does not name its transport; the SCSI host does, by its driver (iscsi_iser.c).
std::string IscsiConnector::transport(const Host& host, const ScsiPlace& place) const {
  const auto driver = text_of(host, fmt::format("class/scsi_host/{}/proc_name", place.host));
  return driver == "iscsi_iser" ? "iser" : "iscsi";
}

/// "10.0.0.1:3260,iqn…", as open-iscsi writes a portal.
std::string IscsiConnector::endpoint(const Host& host, const ScsiPlace& place) const {
  const auto session = place.folder(session_prefix).value_or("");
  auto portal = connection_attribute(host, session, "persistent_address").value_or("?");
  if (portal.find(':') != std::string::npos && !portal.starts_with('['))
    portal = fmt::format("[{}]", portal);
  return fmt::format("{}:{},{}", portal,
                     connection_attribute(host, session, "persistent_port").value_or("?"),
                     session_attribute(host, session, "targetname").value_or("?"));
}

}  // namespace

std::unique_ptr<Connector> iscsi_connector() {
  return std::make_unique<IscsiConnector>();
}

}  // namespace volgrow
