// SPDX-License-Identifier: Apache-2.0
// Lookups by id, identity and device, and the step from a job's result to what the bus shows.
#include "agent/volume_book.h"

#include <algorithm>

namespace volgrow::agent {
namespace {

std::vector<std::string> devices_of(const VolumeRecord& record) {
  std::vector<std::string> devices;
  if (!record.view.device.empty()) devices.push_back(kernel_name(record.view.device));
  for (const auto& path : record.view.paths)
    if (std::ranges::find(devices, path.device) == devices.end()) devices.push_back(path.device);
  return devices;
}

/// A layer that has a target, whether it answered or not: a path of the volume.
bool is_path(const LayerResult& layer) {
  return layer.kind == LayerKind::path || layer.kind == LayerKind::nvme_path ||
         layer.kind == LayerKind::loop || layer.target_bytes.has_value();
}

VolumeState state_by_layers(const JobResult& result) {
  bool behind = false;
  for (const auto& layer : result.layers) {
    const auto& target = layer.target_bytes;
    if (target && layer.after_bytes && *target < *layer.after_bytes) return VolumeState::shrunk;
    behind = behind || (is_path(layer) && !target) || (target && layer.after_bytes != target);
  }
  return behind ? VolumeState::degraded : VolumeState::ok;
}

std::string kind_of(const LayerResult& layer) {
  return layer.transport.empty() ? std::string(name_of(layer.kind)) : layer.transport;
}

}  // namespace

std::string kernel_name(std::string_view node) {
  return std::string(node.substr(node.rfind('/') + 1));
}

VolumeState state_in(const JobResult& result) {
  if (result.layers.empty()) return VolumeState::unknown;
  if (result.error && result.error->code == ErrorCode::wwid_mismatch) return VolumeState::mismatch;
  if (result.state == JobState::degraded) return VolumeState::degraded;
  return state_by_layers(result);
}

VolumeRecord seen_in(const JobResult& result, VolumeRecord before) {
  auto record = std::move(before);
  auto& view = record.view;
  view.state = state_in(result);
  if (result.layers.empty()) return record;
  view.device = result.device;
  view.size = result.size.value_or(view.size);
  view.paths.clear();
  for (const auto& layer : result.layers) {
    if (!is_path(layer)) continue;
    view.kind = kind_of(layer);
    view.target_size = layer.target_bytes.value_or(view.target_size);
    view.paths.push_back(
        {layer.device, layer.endpoint, layer.after_bytes.value_or(Bytes()), layer.state});
  }
  const bool smaller = result.size && *result.size < record.largest;
  if (smaller && view.state != VolumeState::mismatch) view.state = VolumeState::shrunk;
  record.largest = std::max(record.largest, view.size);
  return record;
}

VolumeBook::VolumeBook(std::vector<VolumeRecord> records) {
  for (auto& record : records)
    put(std::move(record));
}

const VolumeRecord* VolumeBook::find(const std::string& id) const {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

const VolumeRecord* VolumeBook::find_by_wwid(const Wwid& wwid) const {
  const auto found = std::ranges::find_if(
      records_, [&](const auto& entry) { return entry.second.pinned == wwid; });
  return found == records_.end() ? nullptr : &found->second;
}

std::vector<std::string> VolumeBook::on_device(const std::string& device) const {
  std::vector<std::string> ids;
  const auto [first, last] = by_device_.equal_range(device);
  for (auto entry = first; entry != last; ++entry)
    ids.push_back(entry->second);
  return ids;
}

std::vector<std::string> VolumeBook::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, record] : records_)
    ids.push_back(id);
  return ids;
}

void VolumeBook::put(VolumeRecord record) {
  erase(record.id);
  index(record);
  auto id = record.id;
  records_.emplace(std::move(id), std::move(record));
}

void VolumeBook::erase(const std::string& id) {
  const auto found = records_.find(id);
  if (found == records_.end()) return;
  unindex(found->second);
  records_.erase(found);
}

void VolumeBook::index(const VolumeRecord& record) {
  for (auto& device : devices_of(record))
    by_device_.emplace(std::move(device), record.id);
}

void VolumeBook::unindex(const VolumeRecord& record) {
  for (const auto& device : devices_of(record)) {
    const auto [first, last] = by_device_.equal_range(device);
    const auto mine =
        std::find_if(first, last, [&](const auto& entry) { return entry.second == record.id; });
    if (mine != last) by_device_.erase(mine);
  }
}

}  // namespace volgrow::agent
