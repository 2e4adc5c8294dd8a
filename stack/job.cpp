// SPDX-License-Identifier: Apache-2.0
// The phases of a job. Each function takes what came back and returns what to do next.
#include "stack/job.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "stack/judge.h"
#include "stack/verdict.h"

namespace volgrow {
namespace {

using What = Sent::What;

/// One call of `advance`: the job and the moment it happens.
class Turn {
 public:
  Turn(Job& job, TimePoint now) : job_(job), now_(now) {}

  Next start();
  Next resolved(const StepResult& result);
  Next probed(const std::vector<StepResult>& results);
  Next grown(const std::vector<StepResult>& results);
  Next verified(const std::vector<StepResult>& results);
  Next end();
  Next end(Error error);
  /// Ends with a batch planned and not performed.
  Next give_up(Error error) {
    forget_plan();
    return end(std::move(error));
  }

 private:
  Layer& layer(std::size_t i) { return job_.stack->layers[i]; }
  LayerResult& record(std::size_t i) { return job_.layers[i]; }
  Finding& finding(std::size_t i) { return job_.findings[i]; }
  std::size_t count() const { return job_.layers.size(); }

  bool usable_target(std::size_t i) { return layer(i).has_target && !layer(i).closed; }
  /// Layers above the targets; what lies below a target (a loop device's file) is only shown.
  bool rises(std::size_t i) { return !layer(i).has_target && !below_a_target(i); }
  bool below_a_target(std::size_t i);
  std::optional<Bytes> size_below(std::size_t i);

  /// A step that only looks may end after the job's deadline: a job past it still measures.
  Deadline own(Duration limit) const { return within(limit, now_); }
  Deadline shared(Duration limit) const { return own(limit).sooner(job_.deadline); }
  void add(Batch& batch, What what, std::size_t i, StepAction action, Deadline deadline);

  void absorb(const std::vector<StepResult>& results);
  void absorb(const StepResult& result, Sent sent);
  void take_truth(std::size_t i, const Truth& truth);
  void take_failure(std::size_t i, What what, const Error& error);
  void take_measurement(std::size_t i, const Measurement& measured);

  std::vector<Answer> answers();
  Next ask_targets(Duration pause);
  Next no_answers();
  Next judged(const Judgement& judgement);
  Next again_or_end(Error error);
  Next planned(Bytes size);
  void plan_targets(Bytes size);
  void plan_rising();
  void forget_plan();
  Next grow_targets();
  Next grow_next_above();
  Next grow(std::size_t i, Bytes to);
  std::optional<Error> laggard(std::size_t i);
  Error shrinks(std::size_t i, Bytes possible);
  std::optional<std::size_t> dead_member(std::size_t i);
  void refuse_above(std::size_t i, const Error& error);
  void defer_above(std::size_t i, std::size_t dead);
  Next verify();
  std::optional<Error> alarm_in(const std::vector<Answer>& answers) const;

  Job& job_;
  TimePoint now_;
};

bool Turn::below_a_target(std::size_t i) {
  return std::ranges::any_of(job_.stack->layers, [&](const Layer& above) {
    return above.has_target && above.is_made_of(layer(i).device);
  });
}

/// The size the layer above can have: what the smallest of those below shows now.
std::optional<Bytes> Turn::size_below(std::size_t i) {
  std::optional<Bytes> smallest;
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device) || layer(j).closed) continue;
    const auto size = record(j).after_bytes;
    if (size && (!smallest || *size < *smallest)) smallest = size;
  }
  if (!smallest) return std::nullopt;
  return *smallest - layer(i).overhead;
}

void Turn::add(Batch& batch, What what, std::size_t i, StepAction action, Deadline deadline) {
  const auto id = static_cast<std::uint32_t>(job_.sent.size());
  job_.sent.push_back({what, i});
  batch.steps.push_back({id, std::move(action), deadline});
}

// --- resolve ---

Next Turn::start() {
  Batch batch;
  job_.sent.clear();
  add(batch, What::resolve, 0, ResolveStep{job_.request.subject}, own(job_.limits.resolve));
  return batch;
}

LayerResult first_record(const Layer& layer) {
  LayerResult record;
  record.kind = layer.kind;
  record.device = layer.device;
  record.name = layer.name;
  record.address = layer.address;
  record.transport = layer.transport;
  record.endpoint = layer.endpoint;
  record.state = layer.state;
  record.before_bytes = layer.size;
  record.after_bytes = layer.size;
  return record;
}

Next Turn::resolved(const StepResult& result) {
  if (!result.answer) return end(result.answer.error());
  const auto* stack = std::get_if<Stack>(&*result.answer);
  if (stack == nullptr || stack->layers.empty())
    return end(Error{ErrorCode::internal, "resolving gave no layers", "", 0});
  job_.stack = *stack;
  job_.findings.resize(stack->layers.size());
  for (const auto& layer : stack->layers) {
    job_.layers.push_back(first_record(layer));
    job_.findings[job_.layers.size() - 1].trouble = layer.closed;
  }
  return ask_targets(Duration::zero());
}

// --- probe ---

Next Turn::ask_targets(Duration pause) {
  Batch batch{{}, pause};
  job_.sent.clear();
  for (std::size_t i = 0; i < count(); ++i)
    if (usable_target(i))
      add(batch, What::probe, i, ProbeStep{layer(i)}, within(pause + job_.limits.probe, now_));
  if (batch.steps.empty()) return no_answers();
  job_.phase = pause == Duration::zero() ? Phase::probing : Phase::waiting;
  return batch;
}

std::vector<Answer> Turn::answers() {
  std::vector<Answer> all;
  for (std::size_t i = 0; i < count(); ++i)
    if (const auto& truth = finding(i).truth; usable_target(i) && truth)
      all.push_back({layer(i).device, record(i).after_bytes, *truth});
  return all;
}

Next Turn::probed(const std::vector<StepResult>& results) {
  absorb(results);
  if (job_.cancel_requested) return verify();
  const auto truths = answers();
  if (truths.empty()) return no_answers();
  if (job_.request.operation != Operation::registration &&
      job_.request.operation != Operation::explain)
    return judged(judge(job_.request, truths));
  if (auto wrong = wrong_identity(job_.request, truths)) return end(*wrong);
  return end();
}

/// Nobody who knows the volume's size can be asked; its layers stay as they are.
Next Turn::no_answers() {
  Error why{ErrorCode::no_usable_path, "this volume has no path that can be asked", "", 0};
  for (std::size_t i = 0; i < count(); ++i)
    if (const auto& trouble = finding(i).trouble; layer(i).has_target && trouble) {
      why = *trouble;
      if (why.code != ErrorCode::path_hung && why.code != ErrorCode::no_such_device)
        why.code = ErrorCode::no_usable_path;
      break;
    }
  return end(std::move(why));
}

Next Turn::judged(const Judgement& judgement) {
  if (const auto* error = std::get_if<Error>(&judgement)) return end(*error);
  if (const auto* again = std::get_if<AskAgain>(&judgement)) return again_or_end(again->error);
  return planned(std::get<Agreed>(judgement).size);
}

/// The array may lag behind whoever told us: it is asked again, ever more slowly, until the
/// deadline.
Next Turn::again_or_end(Error error) {
  if (only_looks(job_.request) || job_.deadline.passed(now_)) return end(std::move(error));
  job_.pause = std::clamp(job_.pause * 2, job_.limits.first_retry, job_.limits.slowest_retry);
  return ask_targets(std::min(job_.pause, job_.deadline.remaining(now_)));
}

// --- plan ---

void Turn::plan_targets(Bytes size) {
  for (std::size_t i = 0; i < count(); ++i) {
    if (!usable_target(i) || !finding(i).truth) continue;
    finding(i).asked = record(i).after_bytes != size;
    if (!finding(i).asked) continue;
    record(i).action = LayerAction::planned;
    record(i).reason = fmt::format("the target says {}", human_size(size));
  }
}

void Turn::plan_rising() {
  for (std::size_t i = 0; i < count(); ++i) {
    if (!rises(i)) continue;
    const bool below = std::ranges::any_of(job_.layers, [&](const LayerResult& lower) {
      return lower.action == LayerAction::planned && layer(i).is_made_of(lower.device);
    });
    const auto possible = size_below(i);
    if (!below && (!possible || possible == record(i).after_bytes)) continue;
    if (!below && *possible < record(i).after_bytes) {
      refuse_above(i, shrinks(i, *possible));
      return;
    }
    record(i).action = LayerAction::planned;
    record(i).reason = "follows the layers below";
  }
}

/// Steps that were planned and will not be sent.
void Turn::forget_plan() {
  for (std::size_t i = 0; i < count(); ++i) {
    if (record(i).action != LayerAction::planned) continue;
    record(i).action = LayerAction::none;
    record(i).reason.clear();
    finding(i).asked = false;
  }
}

Next Turn::planned(Bytes size) {
  plan_targets(size);
  if (only_looks(job_.request)) {
    plan_rising();
    return end();
  }
  if (!job_.deadline.passed(now_)) return grow_targets();
  forget_plan();
  return verify();
}

// --- grow ---

Next Turn::grow_targets() {
  Batch batch;
  job_.sent.clear();
  for (std::size_t i = 0; i < count(); ++i)
    if (finding(i).asked && record(i).action == LayerAction::planned)
      add(batch, What::grow, i, GrowStep{layer(i), finding(i).truth->size},
          shared(job_.limits.grow));
  if (batch.steps.empty()) return grow_next_above();
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

Next Turn::grow(std::size_t i, Bytes to) {
  Batch batch;
  job_.sent.clear();
  finding(i).asked = true;
  record(i).action = LayerAction::planned;
  add(batch, What::grow, i, GrowStep{layer(i), to}, shared(job_.limits.grow));
  job_.phase = Phase::growing;
  job_.writes = true;
  return batch;
}

/// After rescans or a resize: the layers that were asked are measured, then the next one rises.
Next Turn::grown(const std::vector<StepResult>& results) {
  const auto asked = job_.sent;
  absorb(results);
  if (asked.front().what == What::measure) return grow_next_above();
  Batch batch;
  job_.sent.clear();
  for (const auto& sent : asked)
    add(batch, What::measure, sent.layer, MeasureStep{layer(sent.layer), false},
        own(job_.limits.measure));
  return batch;
}

/// A live member that did not follow its target: the kernel would refuse a table longer than it,
/// and what is above must not pretend.
std::optional<Error> Turn::laggard(std::size_t i) {
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device)) continue;
    if (!layer(j).has_target || !finding(j).asked || !finding(j).truth) continue;
    if (record(j).after_bytes == finding(j).truth->size) continue;
    return Error{
        ErrorCode::paths_disagree,
        fmt::format("PathsDisagree: {} still shows {} after its rescan, the target says {}; "
                    "{} was left alone",
                    layer(j).device, human_size(record(j).after_bytes.value_or(Bytes())),
                    human_size(finding(j).truth->size), layer(i).device),
        layer(j).device, 0};
  }
  return std::nullopt;
}

/// A member nothing can be sent to keeps its old size, and the kernel refuses a table longer than
/// it.
std::optional<std::size_t> Turn::dead_member(std::size_t i) {
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device)) continue;
    if (layer(j).has_target && finding(j).trouble && !finding(j).asked) return j;
  }
  return std::nullopt;
}

void Turn::defer_above(std::size_t i, std::size_t dead) {
  record(i).action = LayerAction::deferred;
  record(i).reason =
      fmt::format("waits for {}: {}", layer(dead).device, finding(dead).trouble->message);
}

/// Below, somebody shrank what this layer is made of: it is never made to follow.
Error Turn::shrinks(std::size_t i, Bytes possible) {
  return {
      ErrorCode::would_shrink,
      fmt::format("{} has {} and the layers below have become {}: following them would shrink a "
                  "volume in use. It was left alone; look at what is below",
                  layer(i).device, human_size(*record(i).after_bytes), human_size(possible)),
      layer(i).device, 0};
}

void Turn::refuse_above(std::size_t i, const Error& error) {
  record(i).action = LayerAction::refused;
  record(i).reason = error.message;
  finding(i).trouble = error;
  if (!job_.failure) job_.failure = error;
}

Next Turn::grow_next_above() {
  if (job_.cancel_requested) return verify();
  for (; job_.rising < count(); ++job_.rising) {
    const auto i = job_.rising;
    if (!rises(i) || finding(i).asked) continue;
    if (auto behind = laggard(i)) {
      refuse_above(i, *behind);
      break;
    }
    const auto possible = size_below(i);
    if (!possible || possible == record(i).after_bytes) continue;
    if (*possible < record(i).after_bytes) {
      refuse_above(i, shrinks(i, *possible));
      break;
    }
    if (const auto dead = dead_member(i)) {
      defer_above(i, *dead);
      break;
    }
    if (job_.deadline.passed(now_)) break;
    return grow(i, *possible);
  }
  return verify();
}

// --- verify ---

Next Turn::verify() {
  Batch batch;
  job_.sent.clear();
  job_.phase = Phase::verifying;
  for (std::size_t i = 0; i < count(); ++i) {
    if (layer(i).closed) continue;
    add(batch, What::measure, i, MeasureStep{layer(i), i + 1 == count()}, own(job_.limits.measure));
    if (usable_target(i) && finding(i).truth && !finding(i).trouble)
      add(batch, What::probe, i, ProbeStep{layer(i)}, own(job_.limits.probe));
  }
  return batch.steps.empty() ? end() : Next(std::move(batch));
}

/// Another volume answers, or the same one has shrunk, while we worked.
std::optional<Error> Turn::alarm_in(const std::vector<Answer>& answers) const {
  if (auto wrong = wrong_identity(job_.request, answers)) return wrong;
  return shrinking(answers);
}

/// A target that grew once more while we worked starts the round again, until the deadline.
Next Turn::verified(const std::vector<StepResult>& results) {
  std::vector<std::optional<Truth>> before;
  for (const auto& known : job_.findings)
    before.push_back(known.truth);
  absorb(results);
  const auto truths = answers();
  if (!truths.empty())
    if (auto alarm = alarm_in(truths)) {
      job_.failure = std::move(alarm);  // whatever else went wrong, this is what people must hear
      return end();
    }
  bool grew_again = false;
  for (std::size_t i = 0; i < count(); ++i)
    grew_again =
        grew_again || (before[i] && finding(i).truth && before[i]->size < finding(i).truth->size);
  const bool may_go_on = !job_.failure && !job_.cancel_requested && !job_.deadline.passed(now_);
  if (!grew_again || !may_go_on) return end();
  job_.rising = 0;
  for (auto& known : job_.findings)
    known.asked = false;
  return judged(judge(job_.request, truths));
}

// --- what came back ---

void Turn::take_truth(std::size_t i, const Truth& truth) {
  finding(i).truth = truth;
  finding(i).unproven = false;
  if (!finding(i).unmeasured) finding(i).trouble.reset();
  record(i).target_bytes = truth.size;
}

void Turn::take_measurement(std::size_t i, const Measurement& measured) {
  finding(i).unmeasured = false;
  record(i).after_bytes = measured.size;
  if (!measured.state.empty()) record(i).state = measured.state;
}

/// Every other error says that nothing was sent, or that it was refused.
bool may_have_written(ErrorCode code) {
  return code == ErrorCode::path_hung || code == ErrorCode::timed_out ||
         code == ErrorCode::internal;
}

/// A step that was not answered may have had its effect; a size that was not read is not known; a
/// target that answered before the growth and not after it leaves the growth unproven.
void Turn::take_failure(std::size_t i, What what, const Error& error) {
  auto& known = finding(i);
  if (what == What::grow) known.written = known.written || may_have_written(error.code);
  if (what == What::measure) {
    known.unmeasured = true;
    record(i).after_bytes.reset();
  }
  if (what == What::probe && job_.phase == Phase::verifying) known.unproven = true;
  if (what == What::probe && job_.phase != Phase::verifying) known.truth.reset();
  if (!known.trouble) known.trouble = error;
}

void Turn::absorb(const StepResult& result, Sent sent) {
  const auto i = sent.layer;
  record(i).duration += result.took;
  if (!result.answer) return take_failure(i, sent.what, result.answer.error());
  if (const auto* truth = std::get_if<Truth>(&*result.answer)) return take_truth(i, *truth);
  if (const auto* measured = std::get_if<Measurement>(&*result.answer))
    return take_measurement(i, *measured);
  finding(i).written = true;
  record(i).action = layer(i).has_target ? LayerAction::rescanned : LayerAction::resized;
}

void Turn::absorb(const std::vector<StepResult>& results) {
  for (const auto& result : results)
    if (result.id < job_.sent.size()) absorb(result, job_.sent[result.id]);
}

// --- end ---

Next Turn::end() {
  job_.phase = Phase::done;
  return conclude(job_, now_);
}

Next Turn::end(Error error) {
  if (!job_.failure) job_.failure = std::move(error);
  return end();
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::resolving:
      return "resolving";
    case Phase::probing:
      return "probing";
    case Phase::waiting:
      return "waiting";
    case Phase::growing:
      return "growing";
    case Phase::verifying:
      return "verifying";
    case Phase::done:
      return "done";
  }
  return "";
}

Job new_job(Request request, const JobLimits& limits, Duration time, TimePoint now) {
  Job job;
  job.request = std::move(request);
  job.limits = limits;
  job.deadline = within(time, now);
  job.started = now;
  return job;
}

Next advance(Job& job, const std::vector<StepResult>& results, TimePoint now) {
  Turn turn(job, now);
  if (job.cancel_requested && !job.writes) return turn.end();
  switch (job.phase) {
    case Phase::resolving:
      return results.empty() ? turn.start() : turn.resolved(results.front());
    case Phase::probing:
    case Phase::waiting:
      return turn.probed(results);
    case Phase::growing:
      return turn.grown(results);
    case Phase::verifying:
      return turn.verified(results);
    case Phase::done:
      return turn.end();
  }
  return turn.end();
}

JobResult abandon(Job& job, Error error, TimePoint now) {
  Turn turn(job, now);
  return std::get<JobResult>(turn.give_up(std::move(error)));
}

}  // namespace volgrow
