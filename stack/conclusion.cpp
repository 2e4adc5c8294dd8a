// SPDX-License-Identifier: Apache-2.0
// First every layer's action and reason, then the job's state, then the head of its result.
#include "stack/conclusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/units.h"
#include "stack/diagnosis.h"
#include "stack/riders.h"
#include "stack/verdict.h"

namespace volgrow {
namespace {

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

/// What answers under a name that another identity is pinned for is proven to be nothing.
void identify(const Job& job, JobResult& result) {
  for (const auto& finding : job.findings)
    if (finding.truth && finding.truth->identity) result.wwid = finding.truth->identity;
  const auto& pinned = job.request.pinned;
  if (!result.wwid || (pinned && *pinned != *result.wwid)) return;
  result.identity = pinned ? IdentityProof::pinned : IdentityProof::first_sight;
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

}  // namespace

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
