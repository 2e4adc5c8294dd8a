// SPDX-License-Identifier: Apache-2.0
// The phases of a job that look, and what comes back from any of them. Each function takes what
// came back and returns what to do next.
#include "stack/job.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/conclusion.h"
#include "stack/turn.h"

namespace volgrow {

namespace {

bool has_size(const StepResult& result) {
  return result.answer && (std::holds_alternative<Measurement>(*result.answer) ||
                           std::holds_alternative<Verified>(*result.answer));
}

}  // namespace

bool Turn::below_a_target(std::size_t i) {
  return std::ranges::any_of(job_.stack->layers, [&](const Layer& above) {
    return above.has_target && above.is_made_of(layer(i).device);
  });
}

/// The size the layer above can have: what the smallest of those below shows now.
std::optional<Bytes> Turn::size_below(std::size_t i) {
  std::optional<Bytes> smallest;
  for (std::size_t j = 0; j < i; ++j) {
    if (!layer(i).is_made_of(layer(j).device) || dead(j)) continue;
    const auto size = record(j).after_bytes;
    if (size && (!smallest || *size < *smallest)) smallest = size;
  }
  if (!smallest) return std::nullopt;
  return *smallest - layer(i).overhead;
}

void Turn::add(Batch& batch, Sent sent, StepAction action, Duration limit) {
  const auto id = static_cast<std::uint32_t>(job_.sent.size());
  const auto alone = within(batch.pause + limit, now_);
  const auto deadline = only_looks(action) && job_.deadline.at < alone.at ? alone : job_.deadline;
  job_.sent.push_back(sent);
  batch.steps.push_back({id, std::move(action), deadline, limit});
}

Duration Turn::next_pause() {
  job_.pause = std::clamp(job_.pause * 2, job_.limits.first_retry, job_.limits.slowest_retry);
  return std::min(job_.pause, job_.deadline.remaining(now_));
}

// --- resolve ---

Next Turn::start() {
  return resolve(Duration::zero());
}

Next Turn::resolve(Duration pause) {
  Batch batch{{}, pause};
  job_.phase = Phase::resolving;
  job_.sent.clear();
  add(batch, {What::resolve}, ResolveStep{job_.request.subject}, job_.limits.resolve);
  return batch;
}

namespace {

LayerResult first_record(const Layer& layer) {
  LayerResult record;
  record.kind = layer.kind;
  record.device = layer.device;
  record.name = layer.name;
  record.address = layer.address;
  record.transport = layer.transport;
  record.endpoint = layer.endpoint;
  record.state = layer.state;
  if (!layer.lost_from.empty()) record.reason = "is no member of " + layer.lost_from;
  record.before_bytes = layer.size;
  record.after_bytes = layer.size;
  return record;
}

}  // namespace

Next Turn::resolved(const StepResult& result) {
  if (!result.answer) return end(result.answer.error());
  const auto* stack = std::get_if<Stack>(&*result.answer);
  if (stack == nullptr || stack->layers.empty())
    return end(Error{ErrorCode::internal, "resolving gave no layers", "", 0});
  job_.stack = *stack;
  job_.layers.clear();
  job_.findings.assign(stack->layers.size(), Finding());
  for (const auto& layer : stack->layers)
    job_.layers.push_back(first_record(layer));
  if (job_.request.operation != Operation::explain)
    for (const auto& rider : stack->riders)
      if (rider.closed) return end(*rider.closed);
  return ask(targets(), Duration::zero());
}

// --- probe ---

Turn::Indices Turn::targets() {
  Indices all;
  for (std::size_t i = 0; i < count(); ++i)
    if (layer(i).has_target) all.push_back(i);
  return all;
}

/// What follows later may follow without us too (a target that announces its growth): its size is
/// read with each question, so that nothing is sent for what is done already.
Next Turn::ask(const Indices& whom, Duration pause) {
  Batch batch{{}, pause};
  job_.sent.clear();
  for (const auto i : whom)
    if (layer(i).growth == Growth::later) {
      add(batch, {What::probe, i}, VerifyStep{layer(i), false}, job_.limits.probe);
    } else {
      add(batch, {What::probe, i}, ProbeStep{layer(i)}, job_.limits.probe);
    }
  if (batch.steps.empty()) return no_answers();
  job_.phase = pause == Duration::zero() ? Phase::probing : Phase::waiting;
  return batch;
}

/// What the targets say; a path that is no member has no voice.
std::vector<Answer> Turn::answers() {
  std::vector<Answer> all;
  for (std::size_t i = 0; i < count(); ++i)
    if (const auto& truth = finding(i).truth; truth && layer(i).has_target && !lost(i))
      all.push_back({layer(i).device, record(i).after_bytes, *truth});
  return all;
}

/// A path that had this volume's identity for the kernel and has another one for its target.
void Turn::disown_strangers() {
  const auto members = answers();
  const auto must =
      job_.request.pinned || members.empty() ? job_.request.pinned : members.front().truth.identity;
  for (std::size_t i = 0; i < count(); ++i) {
    if (!lost(i) || !finding(i).truth || finding(i).truth->identity == must) continue;
    finding(i).truth.reset();
    finding(i).stranger = true;
  }
}

Next Turn::probed(const std::vector<StepResult>& results) {
  absorb(results);
  if (job_.cancel_requested) return verify();
  disown_strangers();
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
  if (only_looks(job_.request) || late()) return end(std::move(error));
  return ask(targets(), next_pause());
}

// --- verify ---

Next Turn::verify() {
  Batch batch;
  job_.sent.clear();
  job_.phase = Phase::verifying;
  for (std::size_t i = 0; i < count(); ++i) {
    if (dead(i)) continue;
    const bool consumer = i + 1 == count();
    if (layer(i).has_target && !finding(i).trouble) {
      add(batch, {What::verify, i}, VerifyStep{layer(i), consumer},
          job_.limits.measure + job_.limits.probe);
    } else {
      add(batch, {What::measure, i}, MeasureStep{layer(i), consumer}, job_.limits.measure);
    }
  }
  return batch.steps.empty() ? end() : Next(std::move(batch));
}

/// Another volume answers, or the same one has shrunk, while we worked.
std::optional<Error> Turn::alarm_in(const std::vector<Answer>& answers) const {
  if (auto wrong = wrong_identity(job_.request, answers)) return wrong;
  return shrinking(answers);
}

std::vector<std::optional<Truth>> Turn::truths() {
  std::vector<std::optional<Truth>> all;
  for (const auto& known : job_.findings)
    all.push_back(known.truth);
  return all;
}

Next Turn::verified(const std::vector<StepResult>& results) {
  const auto before = truths();
  absorb(results);
  if (auto sizes = measure_unanswered(results, What::verify)) return std::move(*sizes);
  if (auto next = heard_again(before)) return std::move(*next);
  if (auto again = prove_again()) return std::move(*again);
  return end();
}

/// Targets were asked once more. One that grew again while we worked starts the round again, until
/// the deadline.
std::optional<Next> Turn::heard_again(const std::vector<std::optional<Truth>>& before) {
  const auto truths = answers();
  if (truths.empty()) return std::nullopt;
  if (auto alarm = alarm_in(truths)) {
    job_.failure = std::move(alarm);  // whatever else went wrong, this is what people must hear
    return end();
  }
  bool grew_again = false;
  for (std::size_t i = 0; i < count(); ++i)
    grew_again = grew_again || (!lost(i) && before[i] && finding(i).truth &&
                                before[i]->size < finding(i).truth->size);
  const bool may_go_on = !job_.failure && !job_.cancel_requested && !late();
  if (!grew_again || !may_go_on) return std::nullopt;
  job_.rising = 0;
  for (auto& known : job_.findings)
    known.asked = false;
  return judged(judge(job_.request, truths));
}

/// A path that cannot be asked in just this moment (its adapter recovers, its port is blocked) is
/// asked again for as long as a silent one is waited for. Nobody waits behind a worker that hangs.
std::optional<Batch> Turn::prove_again() {
  if (job_.failure || job_.cancel_requested || late()) return std::nullopt;
  Batch batch{{}, next_pause()};
  job_.sent.clear();
  for (std::size_t i = 0; i < count(); ++i) {
    const auto& known = finding(i);
    const bool closed = known.unproven && known.trouble->code == ErrorCode::no_usable_path;
    if (!closed || lost(i) || now_ - *known.silent_since >= job_.limits.dead_path_grace) continue;
    add(batch, {What::verify, i}, VerifyStep{layer(i), i + 1 == count()},
        job_.limits.measure + job_.limits.probe);
  }
  return batch.steps.empty() ? std::nullopt : std::optional(std::move(batch));
}

/// Of the steps just absorbed: the sizes that those of this kind were to bring and did not.
std::optional<Batch> Turn::measure_unanswered(const std::vector<StepResult>& results, What what) {
  const auto asked = job_.sent;
  Batch batch;
  job_.sent.clear();
  for (const auto& result : results) {
    if (result.id >= asked.size() || asked[result.id].what != what || has_size(result)) continue;
    const auto i = asked[result.id].layer;
    add(batch, {What::measure, i}, MeasureStep{layer(i), false}, job_.limits.measure);
  }
  return batch.steps.empty() ? std::nullopt : std::optional(std::move(batch));
}

// --- what came back ---

void Turn::take_truth(std::size_t i, const Truth& truth) {
  auto& known = finding(i);
  known.truth = truth;
  known.unproven = false;
  known.silent_since.reset();
  if (!known.unmeasured) known.trouble.reset();
  record(i).target_bytes = truth.size;
}

void Turn::take_measurement(std::size_t i, const Measurement& measured) {
  finding(i).unmeasured = false;
  record(i).after_bytes = measured.size;
  if (!measured.state.empty()) record(i).state = measured.state;
}

void Turn::take_verified(std::size_t i, const Verified& verified) {
  take_measurement(i, verified.measured);
  if (verified.truth) return take_truth(i, *verified.truth);
  take_failure({What::probe, i}, verified.truth.error());
}

namespace {

/// Every other error says that nothing was sent, or that it was refused.
bool may_have_written(ErrorCode code) {
  return code == ErrorCode::path_hung || code == ErrorCode::timed_out ||
         code == ErrorCode::multipath_unavailable || code == ErrorCode::internal;
}

}  // namespace

/// A step that was not answered may have had its effect; a size that was not read is not known; a
/// target that answered before the growth and not after it leaves the growth unproven.
void Turn::take_failure(Sent sent, const Error& error) {
  auto& known = finding(sent.what == What::adopt ? sent.member : sent.layer);
  const bool measures = sent.what == What::measure;
  const bool asks = sent.what == What::probe || sent.what == What::verify;
  if (!measures && !asks) known.written = known.written || may_have_written(error.code);
  if (measures) {
    known.unmeasured = true;
    record(sent.layer).after_bytes.reset();
  }
  if (asks && !known.silent_since) known.silent_since = now_;
  if (asks && job_.phase == Phase::verifying) known.unproven = true;
  if (asks && job_.phase != Phase::verifying) {
    known.truth.reset();
    known.asked = false;  // it went while the kernel was to follow it: a path left behind
  }
  if (!known.trouble) known.trouble = error;
}

void Turn::take_done(Sent sent) {
  finding(sent.layer).written = true;
  if (sent.what == What::evict) return leave(sent.layer, sent.member);
  if (sent.what == What::adopt) return join(sent.layer, sent.member);
  record(sent.layer).action =
      layer(sent.layer).has_target ? LayerAction::rescanned : LayerAction::resized;
}

void Turn::absorb(const StepResult& result, Sent sent) {
  const auto i = sent.what == What::evict || sent.what == What::adopt ? sent.member : sent.layer;
  record(i).duration += result.took;
  if (!result.answer) return take_failure(sent, result.answer.error());
  const auto& answer = *result.answer;
  if (const auto* truth = std::get_if<Truth>(&answer)) return take_truth(i, *truth);
  if (const auto* verified = std::get_if<Verified>(&answer)) return take_verified(i, *verified);
  if (sent.what != What::measure) take_done(sent);
  if (const auto* measured = std::get_if<Measurement>(&answer)) take_measurement(i, *measured);
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
