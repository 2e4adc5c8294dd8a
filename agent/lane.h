// SPDX-License-Identifier: Apache-2.0
// Steps of all jobs that must not overlap on this host, one at a time in the order they were given:
// multipathd carries out one command after the other, and answers `timeout` to those it keeps
// waiting.
#pragma once

#include <deque>

#include "agent/worker_pool.h"

namespace volgrow::agent {

class Lane {
 public:
  explicit Lane(WorkerPool& pool) : pool_(pool) {}

  /// As WorkerPool::submit.
  void submit(Step step, WorkerPool::OnResult on_result);

 private:
  struct Waiting {
    Step step;
    WorkerPool::OnResult on_result;
  };
  void start_next();

  WorkerPool& pool_;
  std::deque<Waiting> waiting_;  ///< the front one is in the pool
};

/// Whether the step sends multipathd a command that changes something.
bool commands_multipathd(const Step& step);

}  // namespace volgrow::agent
