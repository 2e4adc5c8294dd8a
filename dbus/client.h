// SPDX-License-Identifier: Apache-2.0
// The client half: what the CLI and the relay call. Every call has an explicit time-out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/model.h"
#include "core/request.h"
#include "dbus/service.h"

namespace volgrow::bus {

/// Blocking, for one thread. Errors of every method: what the daemon answered, or Unreachable with
/// what to do about it ("volgrowd is not running: systemctl start volgrowd").
class Client {
 public:
  /// `address` "" = the system bus.
  static Result<std::unique_ptr<Client>> connect(const std::string& address);
  virtual ~Client() = default;

  virtual Result<JobId> volume_changed(const std::string& volume_id, Bytes expected,
                                       const RequestOptions& options) = 0;
  virtual Result<JobId> extend(const std::string& subject, Bytes expected,
                               const RequestOptions& options) = 0;
  virtual Result<std::string> plan(const std::string& subject, Bytes expected,
                                   const RequestOptions& options) = 0;
  virtual Result<std::string> explain(const std::string& subject,
                                      const RequestOptions& options) = 0;
  virtual Result<std::vector<JobId>> rescan(const std::vector<std::string>& targets,
                                            const RequestOptions& options) = 0;
  virtual Result<std::string> register_volume(const std::string& volume_id,
                                              const std::string& connection_info,
                                              const RequestOptions& options) = 0;
  virtual Result<void> unregister_volume(const std::string& volume_id) = 0;

  virtual Result<JobEnd> wait(JobId job, Duration timeout) = 0;
  virtual Result<void> cancel(JobId job) = 0;
  virtual Result<std::vector<OutboxEntry>> list_outbox(std::uint32_t max) = 0;
  virtual Result<void> acknowledge(const std::vector<std::uint64_t>& sequences) = 0;

  virtual Result<std::vector<VolumeView>> volumes() = 0;
  virtual Result<std::vector<JobView>> jobs() = 0;
  /// Errors: NoSuchVolume, Internal ("no job 17").
  virtual Result<VolumeView> volume(const std::string& id) = 0;
  virtual Result<JobView> job(JobId id) = 0;
  virtual Result<std::string> daemon_version() = 0;

  /// What happens on the daemon, as it happens.
  struct Event {
    enum class Kind : std::uint8_t {
      job_new,
      job_progress,
      job_removed,
      volume_resized,
      daemon_gone
    };
    Kind kind = Kind::job_new;
    JobId job = 0;
    std::string volume_id;
    std::string text;  ///< phase of job_progress, state of job_removed, origin of volume_resized
    Bytes before, after;
  };
  /// Calls `on_event` for every event until it returns false or the deadline passes. Subscribes
  /// before it returns to the caller for the first time, so `subscribe()` first, then start the
  /// job.
  virtual Result<void> subscribe() = 0;
  virtual Result<void> follow(std::function<bool(const Event&)> on_event,
                              std::optional<Deadline> until) = 0;
};

}  // namespace volgrow::bus
