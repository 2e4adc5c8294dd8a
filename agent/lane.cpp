// SPDX-License-Identifier: Apache-2.0
// One step in the pool, the others behind it.
#include "agent/lane.h"

#include <iterator>
#include <utility>

#include "agent/step_words.h"

namespace volgrow::agent {

void Lane::submit(Step step, WorkerPool::OnResult on_result) {
  waiting_.push_back({std::move(step), std::move(on_result), clock_.now(), {}});
  if (waiting_.size() == 1) return start_next();
  const auto last = std::prev(waiting_.end());
  auto alarm = loop_.at(last->step.deadline.at, [this, last] { give_up(last); });
  if (alarm) last->alarm = std::move(*alarm);
}

void Lane::start_next() {
  auto& next = waiting_.front();
  next.alarm.reset();
  pool_.submit(next.step, [this](StepResult result) {
    const auto on_result = std::move(waiting_.front().on_result);
    waiting_.pop_front();
    if (!waiting_.empty()) start_next();
    on_result(std::move(result));
  });
}

void Lane::give_up(std::list<Waiting>::iterator late) {
  const auto before = static_cast<std::size_t>(std::distance(waiting_.begin(), late));
  const auto waited = clock_.now() - late->since;
  auto error = kept_waiting(late->step, before, waited);
  const auto given_up = std::move(*late);
  waiting_.erase(late);
  given_up.on_result({given_up.step.id, std::unexpected(std::move(error)), waited});
}

bool commands_multipathd(const Step& step) {
  if (const auto* grow = std::get_if<GrowStep>(&step.action))
    return grow->layer.kind == LayerKind::multipath;
  return std::holds_alternative<EvictStep>(step.action) ||
         std::holds_alternative<AdoptStep>(step.action);
}

}  // namespace volgrow::agent
