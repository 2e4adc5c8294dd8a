// SPDX-License-Identifier: Apache-2.0
// Callers of Job.Wait: each is answered once, when its job ends or its time is over.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/clock.h"
#include "core/event_loop.h"
#include "core/model.h"
#include "dbus/service.h"

namespace volgrow::agent {

class Waiters {
 public:
  Waiters(EventLoop& loop, const Clock& clock, std::size_t most_per_caller)
      : loop_(loop), clock_(clock), most_per_caller_(most_per_caller) {}

  /// Errors to the reply: LimitsExceeded when this caller waits too often already.
  void add(JobId job, const std::string& caller, Duration timeout, bus::Reply<bus::JobEnd> reply);
  void job_ended(JobId job, const bus::JobEnd& end);
  /// Drops what a client that has left was waiting for.
  void caller_left(const std::string& caller);

 private:
  struct Waiter {
    JobId job = 0;
    std::string caller;
    bus::Reply<bus::JobEnd> reply;
    EventLoop::Watch timer;
  };
  void time_out(std::uint64_t id);

  EventLoop& loop_;
  const Clock& clock_;
  std::size_t most_per_caller_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Waiter> waiters_;
  std::map<std::string, std::size_t> per_caller_;
  std::multimap<JobId, std::uint64_t> by_job_;
  Waiter take(std::uint64_t id);
};

}  // namespace volgrow::agent
