// SPDX-License-Identifier: Apache-2.0
// A sentence for who is called at night: which layer, what it shows, and the command or place to go
// to.
#include "stack/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "stack/verdict.h"

namespace volgrow {
namespace {

std::string name_for_command(const Job& job) {
  if (!job.request.volume_id.empty()) return job.request.volume_id;
  return node_of(job.stack->top());
}

const LayerResult* layer_of(const Job& job, const std::string& device) {
  const auto found = std::ranges::find(job.layers, device, &LayerResult::device);
  return found == job.layers.end() ? nullptr : &*found;
}

/// Where to look for what keeps a path away.
std::string place_to_look(const LayerResult& path) {
  if (path.transport == "iscsi" || path.transport == "iser")
    return fmt::format("iscsiadm -m session -P 1 shows its session; is {} reachable?",
                       path.endpoint.substr(0, path.endpoint.find(',')));
  if (path.kind == LayerKind::nvme_path || path.device.starts_with("nvme"))
    return "nvme list-subsys shows its controller; is its target reachable?";
  if (path.transport == "fc")
    return "look at the link and zoning of its port: grep . "
           "/sys/class/fc_remote_ports/*/port_state";
  return "bring the path back";
}

std::string mend_for_path(const LayerResult& path, ErrorCode code) {
  if (path.state == "offline")
    return fmt::format("echo running > /sys/block/{}/device/state when its target is well",
                       path.device);
  if (code == ErrorCode::no_such_device) return "map the volume to this host at the target again";
  const bool link_looks_well = path.state == "running" || path.state.starts_with("live");
  if (!link_looks_well) return place_to_look(path);
  return "see at the target whether it maps the volume to this host; " + place_to_look(path);
}

/// A path has a transport that can bring it back; a loop device has only its attachment.
std::string mend_for(const Job& job, const std::string& device, ErrorCode code) {
  const auto* layer = layer_of(job, device);
  if (code == ErrorCode::multipath_unavailable) return "systemctl start multipathd";
  const bool is_path =
      layer != nullptr && (layer->kind == LayerKind::path || layer->kind == LayerKind::nvme_path);
  if (!is_path) return "detach the volume and attach it again, then unregister and register it";
  if (code == ErrorCode::wwid_mismatch)
    return "correct the mapping at the target, then detach the volume and attach it again";
  return fmt::format("{}; then volgrow rescan {}", mend_for_path(*layer, code),
                     name_for_command(job));
}

Diagnosis trouble_with(const Job& job, const std::string& device, const Error& error) {
  return {device, error.message, mend_for(job, device, error.code)};
}

/// A path beside its map: nobody uses it, and nobody will by itself.
std::optional<Diagnosis> lost_path(const Job& job, const Verdict& verdict, std::size_t i) {
  const auto& layer = verdict.layer(i);
  if (layer.lost_from.empty()) return std::nullopt;
  if (verdict.finding(i).stranger)
    return Diagnosis{layer.device,
                     fmt::format("{} was a path to {}; another volume answers there now",
                                 layer.device, layer.lost_from),
                     mend_for(job, layer.device, ErrorCode::wwid_mismatch)};
  return Diagnosis{
      layer.device,
      fmt::format("{} is a path to this volume and no member of {}", layer.device, layer.lost_from),
      fmt::format("volgrow rescan {}", name_for_command(job))};
}

std::optional<Diagnosis> wrong_size(const Job& job, const Verdict& verdict, std::size_t i) {
  if (!verdict.wrong(i)) return std::nullopt;
  const auto& record = job.layers[i];
  const auto goal = *verdict.goal(i);
  const auto shown = record.after_bytes.value_or(Bytes());
  const auto whose = verdict.layer(i).has_target ? "its target says" : "the layers below allow";
  if (shown > goal)
    return Diagnosis{
        record.device,
        fmt::format("{} shows {}, {} only {}", record.device, exact_size(shown), whose,
                    exact_size(goal)),
        "look at the target: it has become smaller; nothing here will shrink the volume"};
  return Diagnosis{record.device,
                   fmt::format("{} still shows {}, {} {}", record.device, exact_size(shown), whose,
                               exact_size(goal)),
                   fmt::format("volgrow extend {}", name_for_command(job))};
}

}  // namespace

std::optional<Diagnosis> diagnose(const Job& job) {
  if (!job.stack) return std::nullopt;
  const Verdict verdict(job);
  if (job.failure) return trouble_with(job, job.failure->device, *job.failure);
  for (std::size_t i = 0; i < job.layers.size(); ++i) {
    if (const auto& trouble = job.findings[i].trouble)
      return trouble_with(job, job.layers[i].device, *trouble);
    if (auto lost = lost_path(job, verdict, i)) return lost;
    if (auto wrong = wrong_size(job, verdict, i)) return wrong;
  }
  return std::nullopt;
}

}  // namespace volgrow
