// SPDX-License-Identifier: Apache-2.0
// Paths that jobs had to leave behind: remembered in the journal, looked for when the kernel says
// something and now and then anyway (a session that comes back sends no event), and finished by a
// job of their own when a plan shows that something can be done.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/commits.h"
#include "agent/config.h"
#include "agent/journal.h"
#include "agent/runner.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "dbus/service.h"
#include "service/log.h"

namespace volgrow::agent {

class Stragglers {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Commits& commits;
    Runner& runner;
    const Config& config;
    Log& log;
  };
  /// Starts a job.
  using Finish = std::function<void(JobRecord, bus::Reply<JobId>)>;

  Stragglers(Needs needs, Finish finish) : needs_(needs), finish_(std::move(finish)) {}

  /// Takes up what the journal holds. Errors: Internal, from the database.
  Result<void> resume(Journal& journal);
  /// What the end of a job of `queue` says of its volume's paths, in the job's transaction. May
  /// come again if the transaction is lost.
  void job_ending(const std::string& queue, const JobRecord& job, const JobResult& result,
                  Journal& journal);
  /// That end is durable.
  void job_ended(const std::string& queue);
  /// The volume is nobody's business any more.
  void forget(const std::string& queue);
  /// The kernel said something: every straggler is looked at now.
  void wake();

  bool knows(const std::string& queue) const { return stragglers_.contains(queue); }
  /// Paths left behind, of all volumes.
  std::uint32_t paths() const;

 private:
  struct Straggler {
    JobRecord left_by;
    std::uint32_t paths = 0;  ///< 0: finished, and not yet durably so
    TimePoint since;
    TimePoint looked_at;
    Duration pause{};      ///< until it is looked at again
    bool looking = false;  ///< a look or its job is under way
    EventLoop::Watch timer;
  };

  void keep(const std::string& queue, const JobRecord& job, std::uint32_t paths);
  void look_in(const std::string& queue, Duration pause);
  void look(const std::string& queue);
  void looked(const std::string& queue, const JobResult& result);
  void finish(const std::string& queue, const Straggler& straggler);
  Request request(const Straggler& straggler, Operation operation) const;

  Needs needs_;
  Finish finish_;
  std::map<std::string, Straggler> stragglers_;
};

/// Paths that a job's result leaves to be finished later.
std::uint32_t paths_left(const JobResult& result);

}  // namespace volgrow::agent
