// SPDX-License-Identifier: Apache-2.0
// One step in the pool, the others behind it.
#include "agent/lane.h"

#include <utility>

namespace volgrow::agent {

void Lane::submit(Step step, WorkerPool::OnResult on_result) {
  waiting_.push_back({std::move(step), std::move(on_result)});
  if (waiting_.size() == 1) start_next();
}

void Lane::start_next() {
  pool_.submit(waiting_.front().step, [this](StepResult result) {
    const auto on_result = std::move(waiting_.front().on_result);
    waiting_.pop_front();
    if (!waiting_.empty()) start_next();
    on_result(std::move(result));
  });
}

bool commands_multipathd(const Step& step) {
  if (const auto* grow = std::get_if<GrowStep>(&step.action))
    return grow->layer.kind == LayerKind::multipath;
  return std::holds_alternative<EvictStep>(step.action) ||
         std::holds_alternative<AdoptStep>(step.action);
}

}  // namespace volgrow::agent
