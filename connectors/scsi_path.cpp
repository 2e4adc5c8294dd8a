// SPDX-License-Identifier: Apache-2.0
// The gates, the probe and the rescan that all SCSI paths share.
#include "connectors/scsi_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "connectors/block_device.h"
#include "connectors/scsi_questions.h"

namespace volgrow {
namespace {

ScsiPlace place_from(std::string_view canonical) {
  ScsiPlace place;
  while (!canonical.empty()) {
    const auto end = std::min(canonical.find('/'), canonical.size());
    place.folders.emplace_back(canonical.substr(0, end));
    canonical.remove_prefix(std::min(end + 1, canonical.size()));
  }
  if (!place.folders.empty()) place.address = place.folders.back();
  place.host = "host" + place.address.substr(0, place.address.find(':'));
  return place;
}

Result<ScsiPlace> place_of(const Host& host, std::string_view device) {
  auto where = host.canonical_sysfs(fmt::format("block/{}/device", device));
  if (!where) return std::unexpected(std::move(where.error()));
  auto place = place_from(*where);
  if (is_scsi_address(place.address)) return place;
  return failure(ErrorCode::no_such_device, fmt::format("{} is no SCSI disk", device),
                 std::string(device));
}

bool carries_commands(std::string_view access_state) {
  return access_state.starts_with("active/") || access_state == "lba-dependent";
}

/// 2-host §2: a rescan of a path that cannot carry commands sets its size to 0 or blocks for
/// minutes.
std::optional<Error> closed(const Host& host, std::string_view device, const ScsiPlace& place,
                            const std::string& state, std::optional<ScsiGate> of_transport) {
  const auto closing = [&](std::string message) {
    return Error{ErrorCode::no_usable_path, std::move(message), std::string(device), 0};
  };
  auto of_host = host.read(fmt::format("class/scsi_host/{}/state", place.host));
  std::vector<ScsiGate> gates{
      ScsiGate{"device state", state, "running"},
      ScsiGate{"SCSI " + place.host, of_host ? std::optional(*of_host) : std::nullopt, "running"},
  };
  if (of_transport) gates.push_back(*std::move(of_transport));
  for (const auto& gate : gates)
    if (gate.found && *gate.found != gate.wanted)
      return closing(
          fmt::format("{}: {} is '{}', not '{}'", device, gate.what, *gate.found, gate.wanted));
  auto access = host.read(fmt::format("block/{}/device/access_state", device));
  if (!access || carries_commands(*access)) return std::nullopt;
  return closing(fmt::format("{}: ALUA state is '{}', not active", device, *access));
}

}  // namespace

std::optional<std::string> ScsiPlace::folder(std::string_view prefix) const {
  for (const auto& name : folders | std::views::reverse)
    if (name.starts_with(prefix)) return name;
  return std::nullopt;
}

bool is_scsi_address(std::string_view text) {
  const bool characters = text.find_first_not_of("0123456789:") == std::string_view::npos;
  return characters && std::ranges::count(text, ':') == 3;
}

bool ScsiPath::claims(const Host& host, std::string_view device) const {
  if (!device.starts_with("sd") || device.find('/') != std::string_view::npos) return false;
  const auto place = place_of(host, device);
  return place && carries(*place);
}

Result<Layer> ScsiPath::describe(Host& host, std::string_view device) const {
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
  layer.transport = transport(host, *place);
  layer.endpoint = endpoint(host, *place);
  layer.state = host.read(fmt::format("block/{}/device/state", device)).value_or("");
  if (auto size = kernel_size_of(host, device)) layer.size = *size;
  layer.has_target = true;
  layer.closed = closed(host, device, *place, layer.state, gate(host, *place));
  return layer;
}

Result<Standing> ScsiPath::standing(Host& host, std::string_view device) const {
  auto place = place_of(host, device);
  if (!place) return std::unexpected(std::move(place.error()));
  auto identity = identity_of(host, device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  const auto state = host.read(fmt::format("block/{}/device/state", device)).value_or("");
  return Standing{*identity, closed(host, device, *place, state, gate(host, *place))};
}

Result<Truth> ScsiPath::probe(Host& host, const Layer& layer, Deadline deadline) const {
  const auto send = host.scsi(layer.device, deadline);
  if (!send) return std::unexpected(send.error());
  auto capacity = scsi::ask_capacity(*send, layer.device);
  if (!capacity) return std::unexpected(std::move(capacity.error()));
  auto identity = scsi::ask_identity(*send, layer.device);
  if (!identity) return std::unexpected(std::move(identity.error()));
  return Truth{capacity->size, std::move(*identity)};
}

Result<void> ScsiPath::grow(Host& host, const Layer& layer, Bytes, Deadline deadline) const {
  if (deadline.passed(host.clock().now()))
    return failure(ErrorCode::timed_out, fmt::format("no time was left to rescan {}", layer.device),
                   layer.device);
  auto done = host.write(fmt::format("block/{}/device/rescan", layer.device), "1");
  if (done) return {};
  auto error = std::move(done.error()).during("rescan of " + layer.device);
  error.device = layer.device;
  return std::unexpected(std::move(error));
}

Result<Measurement> ScsiPath::measure(Host& host, const Layer& layer, bool consumer) const {
  return measure_block(host, layer, consumer);
}

}  // namespace volgrow
