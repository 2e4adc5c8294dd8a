// SPDX-License-Identifier: Apache-2.0
// Threads put their results into the inbox of their batch, which outlives whoever still writes to
// it.
#include "cli/step_threads.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace volgrow::cli {
namespace {

struct Inbox {
  explicit Inbox(std::size_t size) : results(size) {}

  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::optional<StepResult>> results;
};

std::jthread start(const Performer& perform, const Step& step, std::shared_ptr<Inbox> inbox,
                   std::size_t slot) {
  return std::jthread([perform, step, inbox = std::move(inbox), slot] {
    auto result = perform(step);
    const std::scoped_lock lock(inbox->mutex);
    inbox->results[slot] = std::move(result);
    inbox->arrived.notify_all();
  });
}

StepResult hung(const Step& step) {
  return {
      step.id,
      failure(ErrorCode::path_hung,
              "the kernel did not come back from this step by its deadline; it may still finish: "
              "look again with 'volgrow explain'"),
      {}};
}

/// nullopt when the step's deadline came first.
std::optional<StepResult> take(Inbox& inbox, std::size_t slot, Deadline deadline) {
  std::unique_lock lock(inbox.mutex);
  inbox.arrived.wait_until(lock, deadline.at, [&] { return inbox.results[slot].has_value(); });
  return std::exchange(inbox.results[slot], std::nullopt);
}

}  // namespace

std::vector<StepResult> StepThreads::perform(std::vector<Step> steps) {
  for (auto& step : steps)
    step.begin(SystemClock().now());
  const auto inbox = std::make_shared<Inbox>(steps.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < steps.size(); ++i)
    threads.push_back(start(perform_, steps[i], inbox, i));

  std::vector<StepResult> results;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto result = take(*inbox, i, steps[i].deadline);
    if (!result) {
      threads[i].detach();  // it sleeps in the kernel: joining it would be waiting for luck
      ++left_behind_;
    }
    results.push_back(result ? std::move(*result) : hung(steps[i]));
  }
  return results;
}

void Cancellation::request() {
  const std::scoped_lock lock(mutex_);
  requested_ = true;
  changed_.notify_all();
}

bool Cancellation::requested() const {
  const std::scoped_lock lock(mutex_);
  return requested_;
}

void Cancellation::pause(Duration span) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, span, [this] { return requested_; });
}

}  // namespace volgrow::cli
