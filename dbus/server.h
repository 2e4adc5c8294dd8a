// SPDX-License-Identifier: Apache-2.0
// The daemon's face on the bus: owns the name, exports Manager, Outbox, volumes and jobs,
// translates calls into AgentService and values into properties and signals. Single-threaded, on
// the event loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/event_loop.h"
#include "core/model.h"
#include "dbus/service.h"

namespace volgrow::bus {

inline constexpr const char* service_name = "org.volgrow.Agent1";
inline constexpr const char* root_path = "/org/volgrow/Agent1";

/// "/org/volgrow/Agent1/volumes/<sd_bus_path_encode(id)>"
std::string volume_path(const std::string& volume_id);
/// "/org/volgrow/Agent1/jobs/<n>"
std::string job_path(JobId id);

struct ManagerProperties {
  std::string version;
  std::uint32_t stragglers = 0;
  std::uint32_t outbox_depth = 0;
  std::uint32_t stuck_workers = 0;
  std::string multipathd;  ///< "absent", or its version

  bool operator==(const ManagerProperties&) const = default;
};

class Server {
 public:
  /// Connects to `address` ("" = the system bus) and exports everything, but does not own the name
  /// yet. Errors: Unreachable.
  static Result<std::unique_ptr<Server>> connect(EventLoop& loop, const std::string& address,
                                                 AgentService& service);
  virtual ~Server() = default;

  /// `lost` is called once when the bus hangs up; nothing is served from then on. Without it the
  /// loop ends as failed.
  virtual void on_lost(std::function<void()> lost) = 0;
  /// From now on calls arrive. Errors: Unreachable (the name is taken or the policy denies it).
  virtual Result<void> own_name() = 0;

  /// Each shows the object as given, announcing what changed: InterfacesAdded for a new one,
  /// PropertiesChanged with only the properties that differ for a known one.
  virtual void show(const VolumeView& volume) = 0;
  virtual void show(const JobView& job) = 0;
  virtual void show(const ManagerProperties& manager) = 0;
  virtual void hide_volume(const std::string& id) = 0;
  virtual void hide_job(JobId id) = 0;

  virtual void announce_job_new(JobId id) = 0;
  virtual void announce_job_removed(JobId id, JobState state) = 0;
  virtual void announce_volume_resized(const std::string& id, Bytes before, Bytes after,
                                       Origin origin) = 0;
};

}  // namespace volgrow::bus
