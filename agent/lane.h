// SPDX-License-Identifier: Apache-2.0
// Steps of all jobs that must not overlap on this host, one at a time in the order they were given:
// multipathd carries out one command after the other, and answers `timeout` to those it keeps
// waiting. A step whose deadline passes before its turn ends without having been begun.
#pragma once

#include <list>

#include "agent/worker_pool.h"
#include "core/clock.h"
#include "core/event_loop.h"

namespace volgrow::agent {

class Lane {
 public:
  Lane(EventLoop& loop, const Clock& clock, WorkerPool& pool)
      : loop_(loop), clock_(clock), pool_(pool) {}

  /// As WorkerPool::submit.
  void submit(Step step, WorkerPool::OnResult on_result);

 private:
  struct Waiting {
    Step step;
    WorkerPool::OnResult on_result;
    TimePoint since;
    EventLoop::Watch alarm;  ///< at its deadline, until its turn
  };
  void start_next();
  void give_up(std::list<Waiting>::iterator late);

  EventLoop& loop_;
  const Clock& clock_;
  WorkerPool& pool_;
  std::list<Waiting> waiting_;  ///< the front one is in the pool
};

/// Whether the step sends multipathd a command that changes something.
bool commands_multipathd(const Step& step);

}  // namespace volgrow::agent
