// SPDX-License-Identifier: Apache-2.0
// Carries jobs through the pure machine of stack/: performs each batch in workers, holds the
// stack's lock while something is written, waits where the machine says to wait.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "agent/lane.h"
#include "agent/rescans.h"
#include "agent/worker_pool.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "core/fd.h"
#include "stack/job.h"

namespace volgrow::agent {

/// A job on its way; 0 is none.
using WalkId = std::uint64_t;

class Runner {
 public:
  using OnPhase = std::function<void(Phase)>;
  using OnEnd = std::function<void(JobResult)>;

  /// `locks`: the directory of the lock files, /run/volgrow.
  Runner(EventLoop& loop, const Clock& clock, WorkerPool& pool, std::filesystem::path locks)
      : loop_(loop),
        clock_(clock),
        pool_(pool),
        multipathd_(loop, clock, pool),
        rescans_(loop, clock, pool),
        locks_(std::move(locks)) {}

  /// Both callbacks come from the loop, never from inside start(); `on_end` exactly once, last.
  WalkId start(Job job, OnPhase on_phase, OnEnd on_end);
  /// At the next layer boundary; a walk that has ended is not there any more.
  void cancel(WalkId id);

 private:
  struct Walk {
    Job job;
    OnPhase on_phase;
    OnEnd on_end;
    WallTime started_at{};
    Phase shown = Phase::done;  ///< the phase last told to on_phase
    Fd lock;
    std::vector<Step> steps;          ///< of the batch that waits for its pause
    std::vector<StepResult> results;  ///< of the batch in flight
    std::size_t outstanding = 0;
    EventLoop::Watch timer;
  };

  void take_turn(WalkId id);
  void perform(WalkId id, Batch batch);
  void submit(WalkId id);
  void collect(WalkId id, StepResult result);
  void end(WalkId id, JobResult result);
  Result<void> hold_lock(Walk& walk);
  void schedule(WalkId id, TimePoint when, void (Runner::*next)(WalkId));

  EventLoop& loop_;
  const Clock& clock_;
  WorkerPool& pool_;
  Lane multipathd_;
  Rescans rescans_;
  std::filesystem::path locks_;
  WalkId last_ = 0;
  std::map<WalkId, std::unique_ptr<Walk>> walks_;
};

}  // namespace volgrow::agent
