// SPDX-License-Identifier: Apache-2.0
// One walk: advance, perform, collect, advance … until the machine says how it ended.
#include "agent/runner.h"

#include <fmt/format.h>

#include "core/files.h"
#include "stack/lock.h"

namespace volgrow::agent {

WalkId Runner::start(Job job, OnPhase on_phase, OnEnd on_end) {
  auto walk = std::make_unique<Walk>();
  walk->job = std::move(job);
  walk->on_phase = std::move(on_phase);
  walk->on_end = std::move(on_end);
  walk->started_at = clock_.wall();
  const auto id = ++last_;
  walks_.emplace(id, std::move(walk));
  schedule(id, clock_.now(), &Runner::take_turn);
  return id;
}

void Runner::cancel(WalkId id) {
  const auto found = walks_.find(id);
  if (found == walks_.end()) return;
  auto& walk = *found->second;
  walk.job.cancel_requested = true;
  if (walk.outstanding > 0) return;  // the batch in flight is the layer boundary to wait for
  walk.results.clear();
  schedule(id, clock_.now(), &Runner::take_turn);
}

void Runner::schedule(WalkId id, TimePoint when, void (Runner::*next)(WalkId)) {
  auto& walk = *walks_.at(id);
  auto watch = loop_.at(when, [this, id, next] { (this->*next)(id); });
  if (watch) walk.timer = std::move(*watch);
  if (!watch) end(id, abandon(walk.job, watch.error(), clock_.now()));
}

void Runner::take_turn(WalkId id) {
  auto& walk = *walks_.at(id);
  walk.timer.reset();
  auto next = advance(walk.job, std::exchange(walk.results, {}), clock_.now());
  if (auto* result = std::get_if<JobResult>(&next)) return end(id, std::move(*result));
  perform(id, std::move(std::get<Batch>(next)));
}

void Runner::perform(WalkId id, Batch batch) {
  auto& walk = *walks_.at(id);
  if (auto held = hold_lock(walk); !held)
    return end(id, abandon(walk.job, std::move(held.error()), clock_.now()));
  if (std::exchange(walk.shown, walk.job.phase) != walk.job.phase) walk.on_phase(walk.job.phase);
  walk.steps = std::move(batch.steps);
  if (batch.pause == Duration::zero()) return submit(id);
  schedule(id, clock_.now() + batch.pause, &Runner::submit);
}

/// From the first step that writes, nobody else on this host may write to the same stack.
Result<void> Runner::hold_lock(Walk& walk) {
  if (!walk.job.writes || walk.lock) return {};
  auto lock = lock_file(locks_ / lock_name(walk.job.stack->top()));
  if (!lock) return std::unexpected(std::move(lock.error()));
  walk.lock = std::move(*lock);
  return {};
}

void Runner::submit(WalkId id) {
  auto& walk = *walks_.at(id);
  auto steps = std::exchange(walk.steps, {});
  walk.outstanding = steps.size();
  for (auto& step : steps) {
    auto on_result = [this, id](StepResult result) { collect(id, std::move(result)); };
    if (commands_multipathd(step)) {
      multipathd_.submit(std::move(step), std::move(on_result));
    } else if (const auto controller = rescanned_controller(step)) {
      rescans_.submit(*controller, std::move(step), std::move(on_result));
    } else {
      pool_.submit(std::move(step), std::move(on_result));
    }
  }
}

void Runner::collect(WalkId id, StepResult result) {
  auto& walk = *walks_.at(id);
  walk.results.push_back(std::move(result));
  if (--walk.outstanding == 0) take_turn(id);
}

void Runner::end(WalkId id, JobResult result) {
  const auto walk = std::move(walks_.at(id));
  walks_.erase(id);
  result.started_at = walk->started_at;
  walk->lock = Fd();
  walk->on_end(std::move(result));
}

}  // namespace volgrow::agent
