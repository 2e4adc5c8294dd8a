// SPDX-License-Identifier: Apache-2.0
// A look is a plan: it changes nothing. Looks become rarer with a straggler's age; a job that could
// not finish it makes the next one rarer still.
#include "agent/stragglers.h"

#include <fmt/format.h>

#include <algorithm>

namespace volgrow::agent {
namespace {

constexpr Duration first_look = std::chrono::seconds(1);
constexpr Duration rarest_look = std::chrono::seconds(15);
constexpr Duration longest_rest = std::chrono::minutes(5);
constexpr int looks_per_age = 8;

bool is_left(const LayerResult& layer) {
  return layer.action == LayerAction::evicted || layer.action == LayerAction::deferred;
}

bool is_settled(const JobResult& result) {
  return result.state == JobState::complete || result.state == JobState::unchanged;
}

bool is_gone(const JobResult& result) {
  return result.error && (result.error->code == ErrorCode::no_such_device ||
                          result.error->code == ErrorCode::no_such_volume);
}

/// A plan has steps, or every path answers and none is needed: then too a job measures and reports
/// it.
bool can_be_finished(const JobResult& result) {
  if (result.error) return false;
  const bool planned =
      std::ranges::count(result.layers, LayerAction::planned, &LayerResult::action) > 0;
  return planned || std::ranges::all_of(result.layers, [](const LayerResult& layer) {
           const bool is_path = layer.kind == LayerKind::path || layer.kind == LayerKind::nvme_path;
           return !is_path || layer.target_bytes.has_value();
         });
}

}  // namespace

std::uint32_t paths_left(const JobResult& result) {
  return static_cast<std::uint32_t>(std::ranges::count_if(result.layers, is_left));
}

Result<void> Stragglers::resume(Journal& journal) {
  auto known = journal.stragglers();
  if (!known) return std::unexpected(std::move(known.error()));
  for (const auto& straggler : *known) {
    keep(straggler.queue, straggler.left_by, straggler.paths);
    look_in(straggler.queue, Duration::zero());
  }
  return {};
}

void Stragglers::keep(const std::string& queue, const JobRecord& job, std::uint32_t paths) {
  const auto [entry, is_new] = stragglers_.try_emplace(queue);
  entry->second.left_by = job;
  entry->second.paths = paths;
  if (is_new) entry->second.since = needs_.clock.now();
}

void Stragglers::job_ending(const std::string& queue, const JobRecord& job, const JobResult& result,
                            Journal& journal) {
  const auto left = paths_left(result);
  Result<void> stored;
  if (left > 0) {
    keep(queue, job, left);
    stored = journal.remember_straggler(queue, job.id, left);
  } else if (is_settled(result) && stragglers_.contains(queue)) {
    stragglers_.at(queue).paths = 0;
    stored = journal.forget_straggler(queue);
  }
  if (!stored)
    needs_.log.warning(
        fmt::format("what was left of {} is not remembered: {}", queue, stored.error().message));
}

/// A job of its own that left it as it was is not repeated at once.
void Stragglers::job_ended(const std::string& queue) {
  const auto found = stragglers_.find(queue);
  if (found == stragglers_.end()) return;
  auto& straggler = found->second;
  if (straggler.paths == 0) return void(stragglers_.erase(found));
  const bool was_ours = std::exchange(straggler.looking, false);
  straggler.pause =
      was_ours ? std::min(std::max(straggler.pause, first_look) * 2, longest_rest) : first_look;
  look_in(queue, straggler.pause);
}

void Stragglers::forget(const std::string& queue) {
  if (stragglers_.erase(queue) == 0) return;
  auto journal = needs_.commits.open();
  if (journal) (*journal)->forget_straggler(queue);
  needs_.commits.after([](const auto&) {});
}

void Stragglers::wake() {
  for (auto& [queue, straggler] : stragglers_) {
    if (straggler.looking || straggler.pause > rarest_look) continue;
    const auto since_last = needs_.clock.now() - straggler.looked_at;
    look_in(queue, std::max(Duration(first_look - since_last), Duration::zero()));
  }
}

std::uint32_t Stragglers::paths() const {
  std::uint32_t all = 0;
  for (const auto& [queue, straggler] : stragglers_)
    all += straggler.paths;
  return all;
}

void Stragglers::look_in(const std::string& queue, Duration pause) {
  auto& straggler = stragglers_.at(queue);
  // By value: a look ends the timer, and with it what the timer holds.
  auto timer =
      needs_.loop.at(needs_.clock.now() + pause, [this, queue] { look(std::string(queue)); });
  if (timer) straggler.timer = std::move(*timer);
  if (!timer)
    needs_.log.error(fmt::format("nobody will look at {} again: {}", queue, timer.error().message));
}

Request Stragglers::request(const Straggler& straggler, Operation operation) const {
  auto request = straggler.left_by.request;
  request.operation = operation;
  request.expected.reset();
  request.origin = Origin::straggler;
  request.dry_run = false;
  return request;
}

void Stragglers::look(const std::string& queue) {
  auto& straggler = stragglers_.at(queue);
  straggler.timer.reset();
  straggler.looking = true;
  straggler.looked_at = needs_.clock.now();
  needs_.runner.start(
      new_job(request(straggler, Operation::plan), needs_.config.limits,
              needs_.config.default_deadline, needs_.clock.now()),
      [](Phase) {}, [this, queue](const JobResult& result) { looked(queue, result); });
}

void Stragglers::looked(const std::string& queue, const JobResult& result) {
  const auto found = stragglers_.find(queue);
  if (found == stragglers_.end()) return;
  auto& straggler = found->second;
  if (is_gone(result)) return forget(queue);
  if (can_be_finished(result)) return finish(queue, straggler);
  straggler.looking = false;
  const auto age = needs_.clock.now() - straggler.since;
  straggler.pause = std::clamp(Duration(age / looks_per_age), first_look, rarest_look);
  look_in(queue, straggler.pause);
}

void Stragglers::finish(const std::string& queue, const Straggler& straggler) {
  JobRecord job;
  job.request = request(straggler, Operation::rescan);
  job.uid = straggler.left_by.uid;
  job.started_at = needs_.clock.wall();
  job.deadline = job.started_at + needs_.config.default_deadline;
  needs_.log.info(fmt::format("what was left of {} can be finished", queue));
  finish_(std::move(job), [this, queue](const Result<JobId>& accepted) {
    if (!accepted) job_ended(queue);
  });
}

}  // namespace volgrow::agent
