// SPDX-License-Identifier: Apache-2.0
// The verdict is about measured bytes, never about "the write worked".
#include "stack/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/units.h"
#include "stack/riders.h"

namespace volgrow {
namespace {

std::string node_of(const Layer& layer) {
  return layer.device.starts_with('/') ? layer.device : "/dev/" + layer.device;
}

/// Reads a finished walk: what each layer should show, and whether it does.
class Verdict {
 public:
  explicit Verdict(const Job& job) : job_(job), goals_(job.layers.size()) {
    for (std::size_t i = 0; i < goals_.size(); ++i)
      goals_[i] = goal_of(i);
  }

  const Layer& layer(std::size_t i) const { return job_.stack->layers[i]; }
  const LayerResult& record(std::size_t i) const { return job_.layers[i]; }
  const Finding& finding(std::size_t i) const { return job_.findings[i]; }
  std::optional<Bytes> goal(std::size_t i) const { return goals_[i]; }
  bool right(std::size_t i) const { return goals_[i] && record(i).after_bytes == goals_[i]; }
  bool wrong(std::size_t i) const { return goals_[i] && record(i).after_bytes != goals_[i]; }

  /// The consumer has every byte the target has, or with no target to ask, what was expected.
  bool consumer_served() const;
  bool wrote() const;
  /// Some layer is larger than it was found, whoever did it.
  bool grew() const;
  bool pending() const;

 private:
  /// The target's size for a layer that has one; above it, what is left after each layer's
  /// overhead.
  std::optional<Bytes> goal_of(std::size_t i) const;

  const Job& job_;
  std::vector<std::optional<Bytes>> goals_;
};

std::optional<Bytes> Verdict::goal_of(std::size_t i) const {
  if (layer(i).has_target) {
    const auto& truth = finding(i).truth;
    return truth ? std::optional(truth->size) : std::nullopt;
  }
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device) || !goals_[j]) continue;
    return *goals_[j] - layer(i).overhead;
  }
  return std::nullopt;
}

bool Verdict::consumer_served() const {
  if (job_.layers.empty()) return false;
  const auto top = job_.layers.size() - 1;
  if (goals_[top]) return right(top);
  const auto& size = record(top).after_bytes;
  return size && job_.request.expected && *size + layer(top).overhead >= *job_.request.expected;
}

bool Verdict::wrote() const {
  return std::ranges::any_of(job_.findings, &Finding::written);
}

bool grew_itself(const LayerResult& record) {
  return record.before_bytes && record.after_bytes && *record.before_bytes < *record.after_bytes;
}

bool Verdict::grew() const {
  return std::ranges::any_of(job_.layers, grew_itself);
}

bool Verdict::pending() const {
  return std::ranges::any_of(job_.findings, &Finding::unproven) ||
         std::ranges::any_of(job_.layers, [](const LayerResult& record) {
           return record.action == LayerAction::deferred || record.action == LayerAction::evicted;
         });
}

// --- actions ---

std::string not_followed(const LayerResult& record, Bytes goal) {
  return fmt::format("shows {}, should show {}", exact_size(record.after_bytes.value_or(Bytes())),
                     exact_size(goal));
}

/// Nobody knows how large it is: that is no success, whatever was sent.
bool settle_unmeasured(const Finding& finding, LayerResult& record) {
  if (!finding.unmeasured) return false;
  record.action = LayerAction::failed;
  record.reason = finding.trouble->message;
  return true;
}

/// A path that is no member fails nobody: it comes back another time, or is none of ours.
void settle_lost(const Verdict& verdict, std::size_t i, LayerResult& record) {
  if (record.action == LayerAction::evicted) return;
  const auto& finding = verdict.finding(i);
  record.action = finding.stranger ? LayerAction::skipped : LayerAction::deferred;
  record.reason = "is no member of " + verdict.layer(i).lost_from;
  if (finding.stranger) record.reason += ": another volume answers there";
  if (finding.trouble) record.reason += ": " + finding.trouble->message;
}

void settle_target(const Verdict& verdict, std::size_t i, LayerResult& record) {
  if (!verdict.layer(i).lost_from.empty()) return settle_lost(verdict, i, record);
  const auto& finding = verdict.finding(i);
  if (settle_unmeasured(finding, record)) return;
  if (finding.trouble && !verdict.right(i)) {
    record.action = finding.asked ? LayerAction::failed : LayerAction::deferred;
    record.reason = finding.trouble->message;
    return;
  }
  if (verdict.wrong(i)) {
    record.action = finding.asked ? LayerAction::failed : LayerAction::skipped;
    record.reason = not_followed(record, *verdict.goal(i));
    return;
  }
  if (finding.unproven)
    record.reason = "its target could not be asked again: " + finding.trouble->message;
  if (record.action == LayerAction::readopted) return;
  // Right although the rescan gave no answer: sizes decide.
  if (record.action == LayerAction::planned) record.action = LayerAction::rescanned;
  if (record.action != LayerAction::none) return;
  const bool followed = grew_itself(record);  // its target announced it, and the kernel listens
  record.action = followed ? LayerAction::resized : LayerAction::unchanged;
  if (followed) record.reason = "followed its target by itself";
}

/// What a layer that was to grow and did not has to say for itself.
std::string why_not(const Verdict& verdict, std::size_t i) {
  const auto& trouble = verdict.finding(i).trouble;
  if (trouble) return trouble->message;
  const auto* what = verdict.layer(i).growth == Growth::by_itself
                         ? "has not followed the layers below: "
                         : "the resize was accepted and not done: ";
  return what + not_followed(verdict.record(i), *verdict.goal(i));
}

void settle_above(const Verdict& verdict, std::size_t i, LayerResult& record) {
  if (record.action == LayerAction::refused || record.action == LayerAction::deferred) return;
  const auto& finding = verdict.finding(i);
  if (verdict.goal(i) && settle_unmeasured(finding, record)) return;
  if (finding.asked && verdict.wrong(i)) {
    record.action = LayerAction::failed;
    record.reason = why_not(verdict, i);
    return;
  }
  if (verdict.wrong(i)) {
    record.action = LayerAction::skipped;
    record.reason = not_followed(record, *verdict.goal(i));
    return;
  }
  if (finding.asked) record.action = LayerAction::resized;
  if (record.action == LayerAction::none) record.action = LayerAction::unchanged;
}

/// A refusal names the layer it is about.
void settle_refusal(Job& job) {
  if (!job.failure || end_state_of(job.failure->code) != JobState::refused) return;
  for (auto& record : job.layers)
    if (record.device == job.failure->device && record.action == LayerAction::skipped)
      record.action = LayerAction::refused;
}

void settle(Job& job, const Verdict& verdict) {
  for (std::size_t i = 0; i < job.layers.size(); ++i) {
    if (verdict.layer(i).has_target) {
      settle_target(verdict, i, job.layers[i]);
    } else {
      settle_above(verdict, i, job.layers[i]);
    }
  }
  settle_refusal(job);
}

// --- state ---

/// A refusal says "nothing was written". Once something was, the same error is a pending
/// difference, except where another volume or a smaller one answers: that is a failure nobody
/// should wait out.
JobState state_for(ErrorCode code, bool wrote, bool served) {
  const auto state = end_state_of(code);
  if (state == JobState::timed_out && served) return JobState::degraded;
  if (state != JobState::refused || !wrote) return state;
  const bool alarm = code == ErrorCode::wwid_mismatch || code == ErrorCode::would_shrink;
  return alarm ? JobState::failed : JobState::degraded;
}

/// The error of the first layer that should have moved and did not.
std::optional<Error> unfinished(const Verdict& verdict, const Job& job) {
  for (std::size_t i = 0; i < job.layers.size(); ++i) {
    const auto& record = job.layers[i];
    if (record.action != LayerAction::failed) continue;
    if (verdict.finding(i).trouble) return verdict.finding(i).trouble;
    return Error{ErrorCode::size_mismatch,
                 fmt::format("{} {}; everything below it is done. Run the job again, or ask "
                             "'volgrow explain'",
                             record.device, record.reason),
                 record.device, 0};
  }
  return std::nullopt;
}

Error timed_out(const Job& job) {
  const auto& top = job.layers.back();
  return {ErrorCode::timed_out,
          fmt::format("the deadline passed; {} shows {}. Run the job again: it goes on where it is",
                      top.device, exact_size(top.after_bytes.value_or(Bytes()))),
          top.device, 0};
}

void judge_end(const Job& job, const Verdict& verdict, TimePoint now, JobResult& result) {
  if (job.cancel_requested) {
    result.state = JobState::cancelled;
    result.error = Error{ErrorCode::cancelled, "cancelled on request", "", 0};
    return;
  }
  result.error = job.failure ? job.failure : unfinished(verdict, job);
  const bool late = job.deadline.passed(now) && !job.layers.empty() && !verdict.consumer_served();
  if (!result.error && late) result.error = timed_out(job);
  if (result.error) {
    result.state = state_for(result.error->code, verdict.wrote(), verdict.consumer_served());
    return;
  }
  if (verdict.pending()) {
    result.state = JobState::degraded;
    return;
  }
  result.state = verdict.wrote() || verdict.grew() ? JobState::complete : JobState::unchanged;
}

// --- the result's head ---

void identify(const Job& job, JobResult& result) {
  for (const auto& finding : job.findings)
    if (finding.truth && finding.truth->identity) result.wwid = finding.truth->identity;
  if (result.wwid)
    result.identity = job.request.pinned ? IdentityProof::pinned : IdentityProof::first_sight;
}

void measure(const Job& job, JobResult& result) {
  if (job.layers.empty()) return;
  const auto& top = job.layers.back();
  result.previous = top.before_bytes;
  result.size = top.after_bytes;
  result.device = node_of(job.stack->top());
  for (const auto& layer : job.layers)
    if (layer.kind != LayerKind::crypt) result.volume = layer.after_bytes;
}

JobResult head_of(const Job& job, TimePoint now) {
  JobResult result;
  result.operation = job.request.operation;
  result.volume_id = job.request.volume_id;
  result.expected = job.request.expected;
  result.duration = now - job.started;
  identify(job, result);
  measure(job, result);
  return result;
}

void end_of_looking(const Job& job, JobResult& result) {
  result.error = job.failure;
  result.state = job.failure ? end_state_of(job.failure->code) : JobState::unchanged;
}

// --- explain ---

std::string name_for_command(const Job& job) {
  if (!job.request.volume_id.empty()) return job.request.volume_id;
  return node_of(job.stack->top());
}

const LayerResult* layer_of(const Job& job, const std::string& device) {
  const auto found = std::ranges::find(job.layers, device, &LayerResult::device);
  return found == job.layers.end() ? nullptr : &*found;
}

/// Where to look for what keeps a path away.
std::string mend_for_path(const LayerResult& path) {
  if (path.state == "offline")
    return fmt::format("echo running > /sys/block/{}/device/state when its target is well",
                       path.device);
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

/// A path has a transport that can bring it back; a loop device has only its attachment.
std::string mend_for(const Job& job, const std::string& device, ErrorCode code) {
  const auto* layer = layer_of(job, device);
  if (code == ErrorCode::multipath_unavailable) return "systemctl start multipathd";
  const bool is_path =
      layer != nullptr && (layer->kind == LayerKind::path || layer->kind == LayerKind::nvme_path);
  if (!is_path) return "detach the volume and attach it again, then unregister and register it";
  if (code == ErrorCode::wwid_mismatch)
    return "correct the mapping at the target, then detach the volume and attach it again";
  return fmt::format("{}; then volgrow rescan {}", mend_for_path(*layer), name_for_command(job));
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

JobResult conclude(Job& job, TimePoint now) {
  auto result = head_of(job, now);
  if (only_looks(job.request)) {
    end_of_looking(job, result);
    if (job.request.operation == Operation::explain) result.diagnosis = diagnose(job);
  } else {
    const Verdict verdict(job);
    settle(job, verdict);
    judge_end(job, verdict, now, result);
  }
  result.layers = job.layers;
  if (job.stack && only_looks(job.request))
    std::ranges::transform(job.stack->riders, std::back_inserter(result.layers), shown_rider);
  return result;
}

}  // namespace volgrow
