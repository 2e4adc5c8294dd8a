// SPDX-License-Identifier: Apache-2.0
// What the daemon must not forget: pinned volumes, jobs, the outbox. One SQLite database; every
// method is one transaction unless a Transaction is open, then all until its commit are one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/identity.h"
#include "core/model.h"
#include "core/request.h"
#include "core/result.h"
#include "service/commits.h"

namespace volgrow::agent {

/// A registered volume: its pin and what was last seen of it.
struct VolumeRecord {
  std::string id;
  std::string subject;         ///< text that parse_subject() reads; no secrets
  std::optional<Wwid> pinned;  ///< none: its target reports no identity
  VolumeView view;             ///< as last shown
  /// That its consumer had since it was registered. Less than that is an alarm, whoever did it.
  Bytes largest{};

  bool operator==(const VolumeRecord&) const = default;
};

/// A job as accepted. Ends are written by `finish`.
struct JobRecord {
  JobId id = 0;  ///< given by `accept`
  Request request;
  WallTime deadline{};  ///< absolute, survives restarts
  std::uint32_t uid = 0;
  std::string idempotency_key;  ///< empty: none; unique per uid for 24 h
  WallTime started_at{};

  bool operator==(const JobRecord&) const = default;
};

struct FinishedJob {
  JobView view;
  WallTime ended_at{};
};

/// Paths that a job had to leave behind.
struct StragglerRecord {
  std::string queue;  ///< the volume, as JobBook queues its jobs
  JobRecord left_by;
  std::uint32_t paths = 0;
};

class Journal : public Grouping {
 public:
  /// Opens or creates `path` (0600), checks its schema version, removes what has expired. Errors:
  /// Internal that says what is wrong with the database and what to do.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path,
                                               const std::string& host, const Clock& clock);

  /// Made with the database; part of every report's key.
  virtual const std::string& uuid() const = 0;

  virtual Result<void> pin(const VolumeRecord& volume) = 0;  ///< inserts or replaces
  virtual Result<void> unpin(const std::string& volume_id) = 0;
  virtual Result<std::vector<VolumeRecord>> volumes() = 0;

  /// Stores the job and gives its id: never reused, not even after a restart.
  virtual Result<JobId> accept(const JobRecord& job) = 0;
  /// The job that (uid, key) already stands for, within 24 h.
  virtual Result<std::optional<JobRecord>> accepted(std::uint32_t uid, const std::string& key) = 0;
  virtual Result<std::vector<JobRecord>> unfinished() = 0;
  /// Ends younger than `since`, oldest first.
  virtual Result<std::vector<FinishedJob>> finished(WallTime since) = 0;

  /// A job's end *and* its outbox row, in one transaction. Returns the report's sequence.
  /// `operation` explain/plan never come here.
  virtual Result<std::uint64_t> finish(JobId job, const JobResult& result, WallTime ended_at) = 0;

  /// Replaces what an earlier job left of that queue's volume. The job stays as long as this does.
  virtual Result<void> remember_straggler(const std::string& queue, JobId job,
                                          std::uint32_t paths) = 0;
  virtual Result<void> forget_straggler(const std::string& queue) = 0;
  virtual Result<std::vector<StragglerRecord>> stragglers() = 0;

  virtual Result<std::vector<std::pair<std::uint64_t, std::string>>> outbox(std::uint32_t max) = 0;
  virtual Result<void> acknowledge(const std::vector<std::uint64_t>& sequences) = 0;
  virtual Result<std::uint32_t> outbox_depth() = 0;

  /// Forgets ends and keys older than a day.
  virtual Result<void> expire(WallTime now) = 0;
};

}  // namespace volgrow::agent
