// SPDX-License-Identifier: Apache-2.0
// SCSI disks behind a remote port of Fibre Channel. Which disks a connection_info means is not
// known here yet.
#include <fmt/format.h>

#include "connectors/all.h"
#include "connectors/scsi_path.h"

namespace volgrow {
namespace {

constexpr std::string_view port_prefix = "rport-";

std::optional<std::string> port_attribute(const Host& host, const ScsiPlace& place,
                                          std::string_view attribute) {
  const auto port = place.folder(port_prefix);
  if (!port) return std::nullopt;
  auto text = host.read(fmt::format("class/fc_remote_ports/{}/{}", *port, attribute));
  return text ? std::optional(*text) : std::nullopt;
}

class FcConnector final : public ScsiPath {
 public:
  std::string_view name() const override { return "fc"; }

 protected:
  bool carries(const ScsiPlace& place) const override {
    return place.folder(port_prefix).has_value();
  }
  std::string transport(const Host&, const ScsiPlace&) const override { return "fc"; }
  /// The remote port's WWN.
  std::string endpoint(const Host& host, const ScsiPlace& place) const override {
    return port_attribute(host, place, "port_name").value_or("");
  }
  std::optional<ScsiGate> gate(const Host& host, const ScsiPlace& place) const override {
    return ScsiGate{"FC remote port", port_attribute(host, place, "port_state"), "Online"};
  }
};

}  // namespace

std::unique_ptr<Connector> fc_connector() {
  return std::make_unique<FcConnector>();
}

}  // namespace volgrow
