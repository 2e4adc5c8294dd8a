// SPDX-License-Identifier: Apache-2.0
// The jobs of this host, from acceptance to oblivion: journaled before anybody hears of them, one
// at a time for each volume, ended in one transaction with their report, shown for a while, then
// forgotten.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "agent/commits.h"
#include "agent/config.h"
#include "agent/journal.h"
#include "agent/runner.h"
#include "agent/waiters.h"
#include "core/clock.h"
#include "core/event_loop.h"
#include "core/model.h"
#include "dbus/service.h"
#include "service/log.h"

namespace volgrow::agent {

/// Who is told what happens to jobs.
class JobEvents {
 public:
  virtual ~JobEvents() = default;
  virtual void job_accepted(const JobRecord& record, const JobView& view) = 0;
  virtual void job_progressed(const JobView& view) = 0;
  /// Before the end is journaled, in the same transaction: the place to complete the result and to
  /// store what it says of its volume. May come again if the transaction is lost.
  virtual void job_ending(const JobRecord& record, JobResult& result, Journal& journal) = 0;
  /// The end is durable.
  virtual void job_ended(const JobRecord& record, const JobView& view, const JobResult& result) = 0;
  virtual void job_forgotten(JobId id) = 0;
};

/// Jobs of one volume wait for each other: its id, or how it was named.
std::string queue_of(const Request& request);

class JobBook {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Commits& commits;
    Runner& runner;
    const Config& config;
    Log& log;
  };
  JobBook(Needs needs, JobEvents& events);

  /// Takes up what the journal holds: unfinished jobs start again at resolve, recent ends are
  /// shown. Errors: Internal, from the database.
  Result<void> resume();

  /// Answers with the job that now stands for the request: a new one, the running one it is
  /// identical to, or the one its idempotency key stands for. Errors: InvalidArgs (the key stands
  /// for another request), LimitsExceeded, Internal.
  void accept(JobRecord record, bus::Reply<JobId> reply);
  void wait(JobId id, const std::string& caller, Duration timeout, bus::Reply<bus::JobEnd> reply);
  void cancel(JobId id, bus::Reply<void> reply);
  void caller_left(const std::string& caller) { waiters_.caller_left(caller); }

  /// Whether this user may have `more` jobs. Errors: LimitsExceeded.
  Result<void> room_for(std::uint32_t uid, std::size_t more) const;

  /// Whether a job of this volume is queued or running.
  bool busy(const std::string& volume_id) const { return queues_.contains(volume_id); }

 private:
  struct Entry {
    JobRecord record;
    JobView view;
    std::string queue;
    WalkId walk = 0;
    bool measured = false;  ///< it looks for the last time, or has: nobody joins it any more
  };

  Result<std::optional<JobId>> recall(const JobRecord& record);
  std::optional<JobId> identical(const JobRecord& record) const;
  void store(JobRecord record, bus::Reply<JobId> reply);
  void stored(JobId id, const Result<void>& committed, bus::Reply<JobId>& reply);
  Entry& enter(JobRecord record);
  void leave(JobId id);

  void start_next(const std::string& queue);
  void start(Entry& entry);
  void progressed(JobId id, Phase phase);
  void finish(JobId id, const JobResult& result);
  void store_end(JobId id, const JobResult& result);
  Result<JobResult> write_end(Entry& entry, JobResult result);
  void end_stored(JobId id, const Result<void>& committed, const JobResult& result);
  void try_again(JobId id, const JobResult& result, const Error& error);

  void keep_until_forgotten(JobId id, Duration age);
  void arm_forgetting();
  void forget_old();
  void forget_oldest();
  Result<void> show_again(JobId id);
  void show_ended(const FinishedJob& finished);

  Needs needs_;
  JobEvents& events_;
  Waiters waiters_;
  std::map<JobId, Entry> entries_;
  std::map<std::string, std::deque<JobId>> queues_;  ///< the front one is running
  std::map<std::uint32_t, std::uint32_t> open_by_uid_;
  std::uint32_t open_ = 0;
  std::deque<std::pair<TimePoint, JobId>> ended_;
  EventLoop::Watch forgetting_;
  std::map<JobId, EventLoop::Watch> retries_;
};

}  // namespace volgrow::agent
