// SPDX-License-Identifier: Apache-2.0
// Performs a batch of steps at once, each in a thread of its own: what --direct has instead of
// worker processes. A thread that is not back at its step's deadline is left behind, its step ends
// as PathHung.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "core/clock.h"
#include "stack/step.h"

namespace volgrow::cli {

/// Does one step. It is copied into every thread and must share nothing that is not const.
using Performer = std::function<StepResult(const Step&)>;

/// Blocks in kernel calls made by this process; so deadlines are met by not waiting any longer.
class StepThreads {
 public:
  explicit StepThreads(Performer perform) : perform_(std::move(perform)) {}

  /// One result for each step, in the order of the steps.
  std::vector<StepResult> perform(std::vector<Step> steps);
  /// Threads that never came back; they hold their copies and nothing of this object.
  std::size_t left_behind() const { return left_behind_; }

 private:
  Performer perform_;
  std::size_t left_behind_ = 0;
};

/// A wish to stop, raised from any thread, that also ends a pause.
class Cancellation {
 public:
  void request();
  bool requested() const;
  /// Returns when `span` is over or stopping is wished for, whichever comes first.
  void pause(Duration span) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool requested_ = false;
};

}  // namespace volgrow::cli
