// SPDX-License-Identifier: Apache-2.0
// One path to a SCSI logical unit: an sd disk, over iSCSI, Fibre Channel or local. Which paths
// belong to one volume, and what to do with them, is decided elsewhere.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "connectors/all.h"
#include "connectors/block_device.h"
#include "connectors/scsi.h"

namespace volgrow {
namespace {

/// More than one unit attention can be queued (a reset, then a changed capacity); a target that
/// never runs out of them is no use.
constexpr int attempts = 4;

/// Where the disk is in the device tree: the folder names say which transport carries it.
struct Place {
  std::string address;                 ///< "1:0:0:1"
  std::string host;                    ///< "host1"
  std::optional<std::string> session;  ///< "session1" of iSCSI
  std::optional<std::string> port;     ///< "rport-1:0-2" of Fibre Channel
};

bool is_address(std::string_view text) {
  const bool characters = text.find_first_not_of("0123456789:") == std::string_view::npos;
  return characters && std::ranges::count(text, ':') == 3;
}

Place place_from(std::string_view canonical) {
  Place place;
  while (!canonical.empty()) {
    const auto end = std::min(canonical.find('/'), canonical.size());
    const std::string part(canonical.substr(0, end));
    if (part.starts_with("session")) place.session = part;
    if (part.starts_with("rport-")) place.port = part;
    place.address = part;
    canonical.remove_prefix(std::min(end + 1, canonical.size()));
  }
  place.host = "host" + place.address.substr(0, place.address.find(':'));
  return place;
}

Result<Place> place_of(const Host& host, std::string_view device) {
  auto where = host.canonical_sysfs(fmt::format("block/{}/device", device));
  if (!where) return std::unexpected(std::move(where.error()));
  auto place = place_from(*where);
  if (is_address(place.address)) return place;
  return failure(ErrorCode::no_such_device, fmt::format("{} is no SCSI disk", device),
                 std::string(device));
}

std::optional<std::string> session_attribute(const Host& host, const Place& place,
                                             std::string_view attribute) {
  if (!place.session) return std::nullopt;
  auto text = host.read(fmt::format("class/iscsi_session/{}/{}", *place.session, attribute));
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::string> port_attribute(const Host& host, const Place& place,
                                          std::string_view attribute) {
  if (!place.port) return std::nullopt;
  auto text = host.read(fmt::format("class/fc_remote_ports/{}/{}", *place.port, attribute));
  return text ? std::optional(*text) : std::nullopt;
}

std::string transport_of(const Place& place) {
  if (place.session) return "iscsi";
  return place.port ? "fc" : "local";
}

/// "10.0.0.1:3260,iqn…", as open-iscsi writes a portal; the remote port's WWN for Fibre Channel.
std::string endpoint_of(const Host& host, const Place& place) {
  if (place.port) return port_attribute(host, place, "port_name").value_or("");
  if (!place.session) return "";
  const auto number = place.session->substr(std::string_view("session").size());
  const auto connection = fmt::format("class/iscsi_connection/connection{}:0", number);
  auto portal = host.read(connection + "/persistent_address").value_or("?");
  if (portal.find(':') != std::string::npos && !portal.starts_with('['))
    portal = fmt::format("[{}]", portal);
  return fmt::format("{}:{},{}", portal, host.read(connection + "/persistent_port").value_or("?"),
                     session_attribute(host, place, "targetname").value_or("?"));
}

/// One word of the kernel's that must be `wanted` before anything is sent down this path.
struct Gate {
  std::string what;
  std::optional<std::string> found;  ///< none: this path has no such gate
  std::string_view wanted;
};

bool carries_commands(std::string_view access_state) {
  return access_state.starts_with("active/") || access_state == "lba-dependent";
}

/// 2-host §2: a rescan of a path that cannot carry commands sets its size to 0 or blocks for
/// minutes.
std::optional<Error> closed(const Host& host, std::string_view device, const Place& place,
                            const std::string& state) {
  const auto closing = [&](std::string message) {
    return Error{ErrorCode::no_usable_path, std::move(message), std::string(device), 0};
  };
  auto of_host = host.read(fmt::format("class/scsi_host/{}/state", place.host));
  const std::array gates{
      Gate{"device state", state, "running"},
      Gate{"SCSI " + place.host, of_host ? std::optional(*of_host) : std::nullopt, "running"},
      Gate{"iSCSI session", session_attribute(host, place, "state"), "LOGGED_IN"},
      Gate{"FC remote port", port_attribute(host, place, "port_state"), "Online"},
  };
  for (const auto& gate : gates)
    if (gate.found && *gate.found != gate.wanted)
      return closing(
          fmt::format("{}: {} is '{}', not '{}'", device, gate.what, *gate.found, gate.wanted));
  auto access = host.read(fmt::format("block/{}/device/access_state", device));
  if (!access || carries_commands(*access)) return std::nullopt;
  return closing(fmt::format("{}: ALUA state is '{}', not active", device, *access));
}

using Cdb = std::span<const std::uint8_t>;

/// Sends it again while the target only has unit attentions to report.
Result<ScsiAnswer> command(Host& host, const Layer& layer, Cdb cdb, std::size_t reply_size,
                           Deadline deadline) {
  Result<ScsiAnswer> answer;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    answer = host.scsi(layer.device, cdb, reply_size, deadline);
    if (!answer || answer->status != scsi::check_condition) return answer;
    const auto sense = scsi::parse_sense(answer->sense);
    if (!sense || !scsi::is_unit_attention(*sense)) return answer;
  }
  return answer;
}

std::unexpected<Error> about(const Layer& layer, std::string_view action, Error error) {
  error.device = layer.device;
  return std::unexpected(std::move(error).during(fmt::format("{} of {}", action, layer.device)));
}

Result<Bytes> ask_capacity(Host& host, const Layer& layer, Deadline deadline) {
  constexpr std::string_view action = "READ CAPACITY(16)";
  auto answer = command(host, layer, scsi::read_capacity_16(), scsi::capacity_reply_size, deadline);
  if (!answer) return about(layer, action, std::move(answer.error()));
  if (answer->status != scsi::good)
    return about(layer, action, scsi::refusal(answer->status, answer->sense, layer.device));
  auto size = scsi::parse_capacity(answer->data);
  if (!size) return about(layer, action, std::move(size.error()));
  return size;
}

/// The page as it is now, not the copy the kernel keeps in sysfs since the device appeared.
Result<ScsiAnswer> ask_identification(Host& host, const Layer& layer, Deadline deadline) {
  constexpr std::uint16_t usual = 0xff;
  auto answer = command(host, layer, scsi::inquire_identification(usual), usual, deadline);
  if (!answer || answer->status != scsi::good) return answer;
  const auto needed = std::min<std::size_t>(scsi::identification_size(answer->data), 0xffff);
  if (needed <= usual) return answer;
  const auto all = static_cast<std::uint16_t>(needed);
  return command(host, layer, scsi::inquire_identification(all), all, deadline);
}

Result<std::optional<Wwid>> ask_identity(Host& host, const Layer& layer, Deadline deadline) {
  constexpr std::string_view action = "INQUIRY";
  auto answer = ask_identification(host, layer, deadline);
  if (!answer) return about(layer, action, std::move(answer.error()));
  if (answer->status != scsi::good) {
    const auto sense = scsi::parse_sense(answer->sense);
    if (sense && scsi::is_unsupported(*sense)) return std::nullopt;
    return about(layer, action, scsi::refusal(answer->status, answer->sense, layer.device));
  }
  auto identity = scsi::parse_identification(answer->data);
  if (!identity) return about(layer, action, std::move(identity.error()));
  return identity;
}

class ScsiConnector final : public Connector {
 public:
  std::string_view name() const override { return "scsi"; }

  bool claims(const Host& host, std::string_view device) const override {
    return device.starts_with("sd") && device.find('/') == std::string_view::npos &&
           place_of(host, device).has_value();
  }

  Result<Layer> describe(Host& host, std::string_view device) const override;
  Result<Truth> probe(Host& host, const Layer& layer, Deadline deadline) const override;
  Result<void> grow(Host& host, const Layer& layer, Bytes to, Deadline deadline) const override;
  Result<Measurement> measure(Host& host, const Layer& layer, bool consumer) const override {
    return measure_block(host, layer, consumer);
  }
};

Result<Layer> ScsiConnector::describe(Host& host, std::string_view device) const {
  auto place = place_of(host, device);
  if (!place) return std::unexpected(std::move(place.error()));
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  Layer layer;
  layer.connector = name();
  layer.kind = LayerKind::path;
  layer.device = device;
  layer.identity = *identity;
  layer.address = place->address;
  layer.transport = transport_of(*place);
  layer.endpoint = endpoint_of(host, *place);
  layer.state = host.read(fmt::format("block/{}/device/state", device)).value_or("");
  if (auto size = kernel_size_of(host, device)) layer.size = *size;
  layer.has_target = true;
  layer.closed = closed(host, device, *place, layer.state);
  return layer;
}

Result<Truth> ScsiConnector::probe(Host& host, const Layer& layer, Deadline deadline) const {
  auto size = ask_capacity(host, layer, deadline);
  if (!size) return std::unexpected(std::move(size.error()));
  auto identity = ask_identity(host, layer, deadline);
  if (!identity) return std::unexpected(std::move(identity.error()));
  return Truth{*size, std::move(*identity)};
}

Result<void> ScsiConnector::grow(Host& host, const Layer& layer, Bytes, Deadline deadline) const {
  if (deadline.passed(host.clock().now()))
    return failure(ErrorCode::timed_out, fmt::format("no time was left to rescan {}", layer.device),
                   layer.device);
  auto done = host.write(fmt::format("block/{}/device/rescan", layer.device), "1");
  if (done) return {};
  return about(layer, "rescan", std::move(done.error()));
}

}  // namespace

std::unique_ptr<Connector> scsi_connector() {
  return std::make_unique<ScsiConnector>();
}

}  // namespace volgrow
