// SPDX-License-Identifier: Apache-2.0
// The step of whoever came first is performed; the others' are not.
#include "agent/rescans.h"

#include <algorithm>
#include <utility>

#include "agent/step_words.h"

namespace volgrow::agent {

void Rescans::submit(const std::string& controller, Step step, WorkerPool::OnResult on_result) {
  auto& of = controllers_[controller];
  of.next.push_back({++last_, std::move(step), std::move(on_result), clock_.now(), {}});
  if (of.served.empty()) return start_next(controller);
  watch(controller, of.next.back());
}

void Rescans::watch(const std::string& controller, Waiting& waiting) {
  const auto number = waiting.number;
  // By value: what is given up ends the timer, and with it what the timer holds.
  auto alarm = loop_.at(waiting.step.deadline.at,
                        [this, controller, number] { give_up(std::string(controller), number); });
  if (alarm) waiting.alarm = std::move(*alarm);
}

/// Only what was asked for before it begins counts on a rescan: it may have looked already.
void Rescans::start_next(const std::string& controller) {
  auto& of = controllers_.at(controller);
  of.served = std::exchange(of.next, {});
  if (of.served.empty()) return void(controllers_.erase(controller));
  of.served.front().alarm.reset();
  pool_.submit(of.served.front().step, [this, controller](const StepResult& result) {
    ended(std::string(controller), result);
  });
}

/// One that failed may have failed for its own volume alone: the others are first among the next.
void Rescans::ended(const std::string& controller, const StepResult& result) {
  auto& of = controllers_.at(controller);
  auto served = std::exchange(of.served, {});
  std::list<Waiting> answered;
  answered.splice(answered.end(), served, served.begin());
  (result.answer ? answered : of.next)
      .splice(result.answer ? answered.end() : of.next.begin(), served);
  start_next(controller);
  answered.front().on_result(result);
  answered.pop_front();
  for (const auto& other : answered)
    other.on_result({other.step.id, Done{}, clock_.now() - other.since});
}

/// The rescan it counted on goes on for the others.
void Rescans::give_up(const std::string& controller, std::uint64_t number) {
  auto& of = controllers_.at(controller);
  std::list<Waiting> late;
  for (auto* list : {&of.served, &of.next}) {
    const auto found = std::ranges::find(*list, number, &Waiting::number);
    if (found != list->end()) late.splice(late.end(), *list, found);
  }
  const auto waited = clock_.now() - late.front().since;
  auto error = rescan_under_way(late.front().step, controller, waited);
  late.front().on_result({late.front().step.id, std::unexpected(std::move(error)), waited});
}

std::optional<std::string> rescanned_controller(const Step& step) {
  const auto* grow = std::get_if<GrowStep>(&step.action);
  if (grow == nullptr || grow->layer.kind != LayerKind::nvme_path) return std::nullopt;
  return grow->layer.address;
}

}  // namespace volgrow::agent
