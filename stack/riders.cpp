// SPDX-License-Identifier: Apache-2.0
// Walks holders/ and partitions up from a volume, in sysfs alone.
#include "stack/riders.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "connectors/block_device.h"

namespace volgrow {
namespace {

using Names = std::vector<std::string>;

/// A partition has no folder of its own in block/.
std::string folder_of(const Host& host, std::string_view device) {
  auto folder = fmt::format("block/{}", device);
  return host.list(folder) ? folder : fmt::format("class/block/{}", device);
}

/// Their names begin with the disk's; the folder holds dozens of others.
Names partitions_of(const Host& host, const std::string& folder, const std::string& disk) {
  auto names = host.list(folder).value_or(Names{});
  std::erase_if(names, [&](const std::string& name) {
    return !name.starts_with(disk) || !host.read(fmt::format("{}/{}/partition", folder, name));
  });
  return names;
}

std::optional<LayerKind> kind_of(const Host& host, std::string_view device,
                                 const std::string& folder) {
  if (host.read(folder + "/partition")) return LayerKind::partition;
  if (device.starts_with("md")) return LayerKind::md;
  const auto uuid = host.read(folder + "/dm/uuid").value_or("");
  if (uuid.starts_with("LVM-")) return LayerKind::lvm;
  if (uuid.starts_with("CRYPT-")) return LayerKind::crypt;
  if (uuid.starts_with("part")) return LayerKind::partition;
  return std::nullopt;
}

std::optional<Bytes> size_of(const Host& host, const std::string& folder) {
  const auto text = host.read(folder + "/size");
  if (!text) return std::nullopt;
  const auto sectors = parse_number(*text, folder);
  return sectors ? std::optional(from_sectors(*sectors)) : std::nullopt;
}

/// Nothing, where it is of no kind that has a name here.
std::optional<Layer> rider(const Host& host, const std::string& device, const std::string& below) {
  const auto folder = folder_of(host, device);
  const auto kind = kind_of(host, device, folder);
  if (!kind) return std::nullopt;
  Layer layer;
  layer.kind = *kind;
  layer.device = device;
  layer.name = host.read(folder + "/dm/name").value_or("");
  layer.size = size_of(host, folder);
  layer.below = {below};
  return layer;
}

/// Only what is encrypted as a whole: who encrypts a partition or a logical volume sees more when
/// he has made that larger.
void close_encryption(Layer& rider) {
  if (rider.kind != LayerKind::crypt) return;
  rider.closed = Error{ErrorCode::not_supported,
                       fmt::format("{} (CRYPT) is on top of {} and this version cannot grow it",
                                   rider.device, rider.below.front()),
                       rider.device, 0};
}

bool is_among(const std::vector<Layer>& layers, const std::string& device) {
  return std::ranges::find(layers, device, &Layer::device) != layers.end();
}

std::string command_for(const Layer& rider) {
  switch (rider.kind) {
    case LayerKind::partition:
      return "growpart, or parted resizepart";
    case LayerKind::lvm:
      return fmt::format("pvresize /dev/{}, then lvextend", rider.below.front());
    case LayerKind::md:
      return fmt::format("mdadm --grow /dev/{} --size=max", rider.device);
    default:
      return fmt::format("cryptsetup resize {}", rider.name);
  }
}

}  // namespace

std::vector<Layer> riders_on(const Host& host, const std::vector<Layer>& volume) {
  std::vector<Layer> riders;
  std::deque<std::pair<std::string, std::string>> waiting;  // device, what it stands on
  const auto find_above = [&](const std::string& device, bool with_partitions) {
    const auto folder = folder_of(host, device);
    auto above = host.list(folder + "/holders").value_or(Names{});
    if (with_partitions)
      std::ranges::copy(partitions_of(host, folder, device), std::back_inserter(above));
    for (auto& name : above)
      waiting.emplace_back(std::move(name), device);
  };
  // A path's own partitions are the map's, seen twice.
  for (const auto& layer : volume)
    if (layer.kind != LayerKind::file) find_above(layer.device, &layer == &volume.back());
  while (!waiting.empty()) {
    const auto [device, below] = std::move(waiting.front());
    waiting.pop_front();
    if (is_among(volume, device) || is_among(riders, device)) continue;
    auto found = rider(host, device, below);
    if (!found) continue;
    if (is_among(volume, below)) close_encryption(*found);
    riders.push_back(std::move(*found));
    find_above(device, true);
  }
  return riders;
}

LayerResult shown_rider(const Layer& rider) {
  LayerResult shown;
  shown.kind = rider.kind;
  shown.device = rider.device;
  shown.name = rider.name;
  shown.before_bytes = rider.size;
  shown.after_bytes = rider.size;
  shown.reason = "not grown by volgrow: " + command_for(rider);
  return shown;
}

}  // namespace volgrow
