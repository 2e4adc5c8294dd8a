// SPDX-License-Identifier: Apache-2.0
// Rescans of NVMe controllers, shared by all volumes that wait for one: a rescan freezes every
// namespace of its controller, and looks at all of them anyway. One at a time for a controller; who
// comes while one is under way is served by the next, together with all others who came meanwhile.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "agent/worker_pool.h"
#include "core/clock.h"
#include "core/event_loop.h"

namespace volgrow::agent {

class Rescans {
 public:
  Rescans(EventLoop& loop, const Clock& clock, WorkerPool& pool)
      : loop_(loop), clock_(clock), pool_(pool) {}

  /// As WorkerPool::submit. Who was served by another's rescan is answered with Done: its own disk
  /// is still to be measured.
  void submit(const std::string& controller, Step step, WorkerPool::OnResult on_result);

 private:
  struct Waiting {
    std::uint64_t number = 0;
    Step step;
    WorkerPool::OnResult on_result;
    TimePoint since;
    EventLoop::Watch alarm;  ///< at its deadline, unless the pool keeps it
  };
  struct Controller {
    std::list<Waiting> served;  ///< by the rescan under way, which is the front one's step
    std::list<Waiting> next;
  };
  void watch(const std::string& controller, Waiting& waiting);
  void start_next(const std::string& controller);
  void ended(const std::string& controller, const StepResult& result);
  void give_up(const std::string& controller, std::uint64_t number);

  EventLoop& loop_;
  const Clock& clock_;
  WorkerPool& pool_;
  std::uint64_t last_ = 0;
  std::map<std::string, Controller> controllers_;  ///< those with a rescan under way
};

/// The controller that the step rescans; none: it does something else.
std::optional<std::string> rescanned_controller(const Step& step);

}  // namespace volgrow::agent
