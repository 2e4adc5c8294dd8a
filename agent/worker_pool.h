// SPDX-License-Identifier: Apache-2.0
// Disposable worker processes that perform steps. A worker that is not back at its step's deadline
// is given up: its step ends as PathHung, the worker is killed and replaced; if it sleeps
// uninterruptibly it is left behind, counted, and holds nothing of the daemon's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "agent/processors.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/fd.h"
#include "stack/step.h"

namespace volgrow::agent {

/// What runs in a worker: one step, one result. May block; the worker is disposable.
using Performer = std::function<StepResult(const Step&)>;
/// Called once in every worker, after it closed everything it inherited: descriptors that steps
/// need (a root of sysfs) are opened here, not captured.
using MakePerformer = std::function<Performer()>;

/// The process that forks workers. It must be started before the bus, the database or any thread is
/// there, so that a worker holds none of them.
class Zygote {
 public:
  /// Forks the zygote; returns in the parent only. It ends, and kills its workers, when the parent
  /// ends. Errors: Internal with errno.
  static Result<Zygote> start(MakePerformer make_performer);

  Zygote(Zygote&& other) noexcept
      : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, -1)) {}
  Zygote& operator=(Zygote&& other) noexcept;
  /// Ends it and its workers. Returns when it is gone; a worker that is asleep in the kernel is
  /// left to die later.
  ~Zygote();
  /// The socket to it, for WorkerPool.
  const Fd& socket() const { return socket_; }
  pid_t pid() const { return pid_; }

 private:
  Zygote(Fd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  Fd socket_;
  pid_t pid_ = -1;
};

struct PoolLimits {
  std::size_t most = 32;                          ///< workers at once, stuck ones included
  std::size_t kept = 1;                           ///< idle workers kept for the next job
  Duration idle_time = std::chrono::seconds(10);  ///< after which others end

  bool operator==(const PoolLimits&) const = default;
};

class WorkerPool {
 public:
  using OnResult = std::function<void(StepResult)>;

  /// More workers are started while steps wait and workers sleep, not while they compute.
  static Result<std::unique_ptr<WorkerPool>> create(EventLoop& loop, const Clock& clock,
                                                    Zygote zygote, PoolLimits limits,
                                                    Processors processors = real_processors());
  virtual ~WorkerPool() = default;

  /// Performs `step` as soon as a worker is free; steps start in the order they were given. Calls
  /// `on_result` exactly once, from the loop: the worker's answer, or PathHung at the step's
  /// deadline (also when it never started), or Internal when its worker died.
  /// Destroying the pool drops what is pending.
  virtual void submit(Step step, OnResult on_result) = 0;

  virtual std::size_t workers() const = 0;
  /// Given up but not gone: asleep in the kernel.
  virtual std::size_t stuck() const = 0;
  /// Called when `stuck()` changes.
  virtual void on_stuck_change(std::function<void()> callback) = 0;
  /// Called once if the zygote ends: from then on every step ends as Internal, and only a restart
  /// of the daemon helps, because nothing else may fork workers.
  virtual void on_zygote_end(std::function<void(Error)> callback) = 0;
};

}  // namespace volgrow::agent
