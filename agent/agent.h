// SPDX-License-Identifier: Apache-2.0
// volgrowd's promise in one place: whoever may ask is answered, each accepted job is journaled, run
// and reported, and what the bus shows of a volume is what the kernel shows.
#pragma once

#include <map>
#include <set>
#include <string>

#include "agent/access.h"
#include "agent/commits.h"
#include "agent/config.h"
#include "agent/job_book.h"
#include "agent/journal.h"
#include "agent/lookout.h"
#include "agent/runner.h"
#include "agent/spontaneous.h"
#include "agent/stragglers.h"
#include "agent/volume_book.h"
#include "connectors/host.h"
#include "connectors/uevents.h"
#include "core/event_loop.h"
#include "dbus/server.h"
#include "dbus/service.h"
#include "service/log.h"

namespace volgrow::agent {

class Agent final : public bus::AgentService, private JobEvents {
 public:
  struct Needs {
    EventLoop& loop;
    const Clock& clock;
    Host& host;  ///< for sysfs reads, which never block
    Journal& journal;
    WorkerPool& pool;
    const Config& config;
    AccessRules access;
    std::filesystem::path locks;
    Log& log;
  };
  explicit Agent(Needs needs);

  /// Shows what the journal holds on `face`, looks at every volume once and takes up unfinished
  /// jobs. Errors: Internal, from the database.
  Result<void> start(bus::Server& face);
  /// What the kernel said: sizes are read again, nothing is taken from the event itself.
  void on_uevents(const UeventMonitor::Batch& batch);

  void volume_changed(const bus::Caller&, std::string volume_id, Bytes expected, RequestOptions,
                      bus::Reply<JobId>) override;
  void extend(const bus::Caller&, std::string subject, Bytes expected, RequestOptions,
              bus::Reply<JobId>) override;
  void plan(const bus::Caller&, std::string subject, Bytes expected, RequestOptions,
            bus::Reply<std::string>) override;
  void explain(const bus::Caller&, std::string subject, RequestOptions,
               bus::Reply<std::string>) override;
  void rescan(const bus::Caller&, std::vector<std::string> targets, RequestOptions,
              bus::Reply<std::vector<JobId>>) override;
  void register_volume(const bus::Caller&, std::string volume_id, std::string connection_info,
                       RequestOptions, bus::Reply<std::string>) override;
  void unregister_volume(const bus::Caller&, std::string volume_id, RequestOptions,
                         bus::Reply<void>) override;
  void wait(const bus::Caller&, JobId, Duration timeout, bus::Reply<bus::JobEnd>) override;
  void cancel(const bus::Caller&, JobId, bus::Reply<void>) override;
  void list_outbox(const bus::Caller&, std::uint32_t max,
                   bus::Reply<std::vector<bus::OutboxEntry>>) override;
  void acknowledge(const bus::Caller&, std::vector<std::uint64_t> sequences,
                   bus::Reply<void>) override;
  void caller_left(const std::string& name) override { jobs_.caller_left(name); }

 private:
  void job_accepted(const JobRecord&, const JobView&) override;
  void job_progressed(const JobView&) override;
  void job_ending(const JobRecord&, JobResult&, Journal&) override;
  void job_ended(const JobRecord&, const JobView&, const JobResult&) override;
  void job_forgotten(JobId) override;

  Result<Request> request_for(Operation operation, Subject subject, Bytes expected,
                              const RequestOptions& options, Origin origin) const;
  Result<const VolumeRecord*> registered(const Subject& subject,
                                         const RequestOptions& options) const;
  Result<const VolumeRecord*> named_any(const std::string& text) const;
  std::string node_name(const std::string& path) const;
  const VolumeRecord* on_device(const std::string& device) const;
  Result<JobRecord> record_for(const bus::Caller& caller, Request request,
                               const RequestOptions& options) const;
  void start_job(const bus::Caller& caller, Result<Request> request, const RequestOptions& options,
                 bus::Reply<JobId> reply);
  void inspect(Result<Request> request, const RequestOptions& options, Runner::OnEnd on_end,
               std::move_only_function<void(Error)> on_refusal);
  void answer_with_result(Result<Request> request, const RequestOptions& options,
                          bus::Reply<std::string> reply);

  void registered_now(const std::string& id, const Subject& subject, const JobResult& result,
                      bus::Reply<std::string> reply);
  void restore(const std::string& id, std::optional<VolumeRecord> before);
  Result<VolumeRecord> record_from(const std::string& id, const Subject& subject,
                                   const JobResult& result) const;

  void on_event(const Uevent& event);
  void on_block_event(const Uevent& event);
  void on_scsi_event(const Uevent& event);
  void hint_device(const std::string& device);
  void hint_transport(std::string_view kind);
  void resync_soon();
  void resync();
  void resized(const std::string& device);
  bool read_sizes(VolumeView& view) const;
  std::optional<Request> look_at(const std::string& name) const;
  std::vector<std::string> audited() const;
  std::vector<std::string> unregistered() const;
  bool carries_a_volume(const std::string& device) const;
  void seen(const std::string& name, const JobResult& result);
  void grow_spontaneously(Request request);
  void looked_at(const JobResult& result);
  void show(VolumeRecord changed);
  void show_manager();

  struct Progress {
    JobView view;
    EventLoop::Watch showing;
  };

  Needs needs_;
  bus::Server* face_ = nullptr;  ///< set by start(), before the first call can arrive
  Commits commits_;
  Runner runner_;
  VolumeBook volumes_;
  JobBook jobs_;
  Stragglers stragglers_;
  Lookout lookout_;
  Spontaneous spontaneous_;
  EventLoop::Watch resync_;
  std::map<JobId, Progress> phases_;  ///< that the bus has yet to be shown
  std::uint32_t inspections_ = 0;
  bus::ManagerProperties manager_;
};

}  // namespace volgrow::agent
