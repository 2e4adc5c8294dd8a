// SPDX-License-Identifier: Apache-2.0
// What the kernel says of devices, and what comes of it. Nothing is taken from an event but that
// something happened there: sizes are read again, and the volume is looked at.
#include "agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/units.h"

namespace volgrow::agent {
namespace {

using Names = std::vector<std::string>;

/// Names the lookout has for devices that belong to no registered volume; no volume id has a colon.
constexpr std::string_view device_prefix = "dev:";
/// While events are lost more are, and to read everything for each loss would lose yet more.
constexpr Duration resync_pause = std::chrono::seconds(1);

/// "1:0:0:" of "1:0:0:4": what the units behind one port of a target have in common.
std::string_view nexus_of(std::string_view address) {
  return address.substr(0, address.rfind(':') + 1);
}

}  // namespace

void Agent::on_uevents(const UeventMonitor::Batch& batch) {
  stragglers_.wake();
  if (batch.lost) resync_soon();
  for (const auto& event : batch.events)
    on_event(event);
}

/// A controller names no namespace and a port no unit: all volumes of their kind are looked at.
void Agent::on_event(const Uevent& event) {
  if (event.subsystem == "block") return on_block_event(event);
  if (event.subsystem == "scsi") return on_scsi_event(event);
  if (event.subsystem == "fc_remote_ports") return hint_transport("fc");
  if (event.subsystem != "nvme") return;
  for (const auto* transport : {"tcp", "rdma", "fc", "pcie"})
    hint_transport(transport);
}

/// Any event of a device is a hint: a size that goes to 0 or comes from it has no RESIZE=1. A
/// device that comes may belong to a volume that had none.
void Agent::on_block_event(const Uevent& event) {
  resized(event.device);
  if (!event.announcement.empty() || event.action == "add") hint_device(event.device);
  // Of a registered volume the sizes tell whether there is anything new: mostly it was our job.
  if (event.resized && volumes_.on_device(event.device).empty()) hint_device(event.device);
  if (event.action != "add") return;
  for (const auto& id : volumes_.ids())
    if (volumes_.find(id)->view.state == VolumeState::unknown) lookout_.hint(id);
}

/// Unit attentions. That its list of units has changed, a target says to whichever unit is asked
/// next.
void Agent::on_scsi_event(const Uevent& event) {
  if (event.announcement.empty()) return;
  const bool all = event.announcement == "REPORTED_LUNS_DATA_HAS_CHANGED";
  for (const auto& address : needs_.host.list("class/scsi_device").value_or(Names{})) {
    if (all ? nexus_of(address) != nexus_of(event.device) : address != event.device) continue;
    const auto folder = fmt::format("class/scsi_device/{}/device/block", address);
    for (const auto& disk : needs_.host.list(folder).value_or(Names{}))
      hint_device(disk);
  }
}

void Agent::hint_device(const std::string& device) {
  const auto ids = volumes_.on_device(device);
  for (const auto& id : ids)
    lookout_.hint(id);
  const bool wanted = ids.empty() && needs_.config.auto_growth == AutoGrowth::all;
  if (wanted && carries_a_volume(device)) lookout_.hint(std::string(device_prefix) + device);
}

void Agent::hint_transport(std::string_view kind) {
  for (const auto& id : volumes_.ids())
    if (volumes_.find(id)->view.kind == kind) lookout_.hint(id);
}

void Agent::resync_soon() {
  if (resync_) return;
  auto timer = needs_.loop.at(needs_.clock.now() + resync_pause, [this] { resync(); });
  if (timer) resync_ = std::move(*timer);
}

void Agent::resync() {
  resync_.reset();
  needs_.log.warning("device events were lost; every volume is looked at");
  for (const auto& id : volumes_.ids()) {
    resized(kernel_name(volumes_.find(id)->view.device));
    lookout_.hint(id);
  }
  if (needs_.config.auto_growth != AutoGrowth::all) return;
  for (const auto& name : unregistered())
    lookout_.hint(name);
}

// --- what is shown ---

/// Sizes from sysfs, which never blocks; true when one differs from what is shown.
bool Agent::read_sizes(VolumeView& view) const {
  const auto before = view;
  const auto size_of = [this](std::string_view device) -> std::optional<Bytes> {
    const auto text = needs_.host.read(fmt::format("block/{}/size", device));
    if (!text) return std::nullopt;
    return from_sectors(std::strtoull(text->c_str(), nullptr, 10));
  };
  if (auto size = size_of(kernel_name(view.device))) view.size = *size;
  for (auto& path : view.paths)
    if (auto size = size_of(path.device)) path.size = *size;
  return view != before;
}

/// During a job only the sizes follow the kernel; without one somebody else did something to the
/// volume, and it is looked at as a whole.
void Agent::resized(const std::string& device) {
  for (const auto& id : volumes_.on_device(device)) {
    const auto* volume = volumes_.find(id);
    auto changed = *volume;
    const auto before = changed.view.size;
    const bool gone = !needs_.host.list(fmt::format("block/{}", device));
    if (!read_sizes(changed.view) && !gone) continue;
    const auto after = changed.view.size;
    show(std::move(changed));
    lookout_.outdate(id);
    if (jobs_.busy(id)) continue;
    if (before != after) face_->announce_volume_resized(id, before, after, Origin::spontaneous);
    lookout_.hint(id);
  }
}

// --- what is looked at, and what is found ---

std::optional<Request> Agent::look_at(const std::string& name) const {
  Request look;
  look.operation = Operation::explain;
  const auto* volume = volumes_.find(name);
  if (volume == nullptr && !name.starts_with(device_prefix)) return std::nullopt;
  auto subject = parse_subject(volume == nullptr ? name : volume->subject);
  if (!subject) return std::nullopt;
  look.subject = std::move(*subject);
  if (volume == nullptr) return look;
  look.volume_id = volume->id;
  look.pinned = volume->pinned;
  return look;
}

std::vector<std::string> Agent::audited() const {
  auto names = volumes_.ids();
  if (needs_.config.auto_growth == AutoGrowth::all)
    std::ranges::copy(unregistered(), std::back_inserter(names));
  std::ranges::sort(names);
  return names;
}

/// What nothing stands on is the top of its volume.
std::vector<std::string> Agent::unregistered() const {
  Names names;
  for (const auto& device : needs_.host.list("block").value_or(Names{})) {
    if (!carries_a_volume(device) || !volumes_.on_device(device).empty()) continue;
    const auto holders = needs_.host.list(fmt::format("block/{}/holders", device));
    if (!holders || holders->empty()) names.push_back(std::string(device_prefix) + device);
  }
  return names;
}

/// Loop devices and files have an owner on this host, who grows them; a hidden disk is a path of
/// another.
bool Agent::carries_a_volume(const std::string& device) const {
  if (needs_.host.read(fmt::format("block/{}/hidden", device)).value_or("") == "1") return false;
  if (device.starts_with("sd") || device.starts_with("nvme")) return true;
  const auto uuid = needs_.host.read(fmt::format("block/{}/dm/uuid", device));
  return uuid && uuid->starts_with("mpath-");
}

void Agent::seen(const std::string& name, const JobResult& result) {
  const auto look = look_at(name);
  if (!look) return;
  const bool registered = !look->volume_id.empty();
  const auto* known = registered || !result.wwid ? nullptr : volumes_.find_by_wwid(*result.wwid);
  if (known != nullptr) return lookout_.hint(known->id);
  if (registered) looked_at(result);
  // A volume without an id is known by its top device: its paths must not be jobs of their own.
  const auto top = fmt::format("{}{}", device_prefix, kernel_name(result.device));
  if (!registered && top != name) {
    lookout_.forget(name);
    spontaneous_.forget(name);
    if (!result.device.empty()) lookout_.hint(top);
    return;
  }
  const auto queue = queue_of(*look);
  const auto state = registered ? volumes_.find(name)->view.state : state_in(result);
  if (!jobs_.busy(queue) && !stragglers_.knows(queue))
    spontaneous_.seen(name, *look, result, state);
}

/// Nobody waits for the size: no reason to give up a path that may come back.
void Agent::grow_spontaneously(Request request) {
  request.dead_paths = DeadPaths::wait;
  request.pin_required = needs_.config.require_identity;
  JobRecord job;
  job.request = std::move(request);
  job.started_at = needs_.clock.wall();
  job.deadline = job.started_at + needs_.config.default_deadline;
  jobs_.accept(std::move(job), [this](const Result<JobId>& accepted) {
    if (!accepted) needs_.log.warning(accepted.error().message);
  });
}

/// Whoever asked for the look, what it found is what is shown; a job that runs will say more.
void Agent::looked_at(const JobResult& result) {
  const auto* volume = volumes_.find(result.volume_id);
  if (volume == nullptr || jobs_.busy(result.volume_id)) return;
  show(seen_in(result, *volume));
}

}  // namespace volgrow::agent
