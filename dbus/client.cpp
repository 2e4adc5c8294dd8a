// SPDX-License-Identifier: Apache-2.0
// The client half over sdbus-c++: proxies generated from the contract, one connection pumped by the
// calling thread itself. No event loop, no thread.
#include "dbus/client.h"

#include <agent1_proxy.h>
#include <fmt/format.h>
#include <poll.h>
#include <sdbus-c++/sdbus-c++.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/text.h"
#include "dbus/call_error.h"
#include "dbus/object_path.h"
#include "dbus/options.h"
#include "dbus/server.h"

namespace volgrow::bus {
namespace {

namespace contract = ::org::volgrow::Agent1;
using Event = Client::Event;
using Properties = std::map<std::string, sdbus::Variant>;
using Interfaces = std::map<std::string, Properties>;
using Objects = std::map<sdbus::ObjectPath, Interfaces>;
using WirePath = sdbus::Struct<std::string, std::string, std::uint64_t, std::string>;

constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

// Methods that start work answer at once; Plan and Explain ask targets and end at their deadline.
// volgrowd keeps both promises by itself, the slack is for a busy host.
constexpr Duration answer_slack = std::chrono::seconds(25);

// Plan, Explain and Register look once and do not wait for a target that lags: without a deadline
// of their own the contract's default is more than they take.
Duration patience_for(const RequestOptions& options) {
  return options.deadline.value_or(usual_deadline) + answer_slack;
}

// ---- errors -------------------------------------------------------------------------------------

bool no_such_object(const sdbus::Error& error) {
  return error.getName() == "org.freedesktop.DBus.Error.UnknownObject";
}

Error from_wire(const sdbus::Error& error) {
  return error_of_call(error.getName(), error.getMessage());
}

/// Runs what may throw at the library's edge; `translate` says what an error means there.
template <class Ask, class Translate = Error (*)(const sdbus::Error&)>
auto asked(Ask ask, Translate translate = from_wire) -> Result<std::invoke_result_t<Ask>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Ask>>) {
      ask();
      return {};
    } else {
      return ask();
    }
  } catch (const sdbus::Error& error) {
    return std::unexpected(translate(error));
  }
}

[[noreturn]] void not_the_contract(std::string_view what) {
  throw sdbus::Error(
      dbus_name_of(ErrorCode::internal),
      fmt::format("volgrowd's answer is not understood: {}; is it of another version "
                  "than this program?",
                  what));
}

// ---- values -------------------------------------------------------------------------------------

struct ToVariant {
  sdbus::Variant operator()(const std::string& text) const { return text; }
  sdbus::Variant operator()(std::uint32_t number) const { return number; }
  sdbus::Variant operator()(bool flag) const { return flag; }
  sdbus::Variant operator()(PassedDescriptor) const { return {}; }  // options_of() makes neither
  sdbus::Variant operator()(const OtherType&) const { return {}; }
};

Result<Properties> variants_of(const RequestOptions& request) {
  const auto options = options_of(request);
  if (!options) return std::unexpected(options.error());
  Properties variants;
  for (const auto& [key, value] : *options)
    variants.emplace(key, std::visit(ToVariant{}, value));
  return variants;
}

template <class T>
T property(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  if (found == properties.end() || !found->second.containsValueOfType<T>())
    not_the_contract("property " + name);
  return found->second.get<T>();
}

template <class T>
T known(std::optional<T> value, std::string_view what) {
  if (!value) not_the_contract(what);
  return *value;
}

std::optional<VolumeState> volume_state_named(std::string_view name) {
  using enum VolumeState;
  for (const auto state : {ok, growing, degraded, mismatch, shrunk, unknown})
    if (name_of(state) == name) return state;
  return std::nullopt;
}

std::vector<PathView> paths_of(const Properties& properties) {
  std::vector<PathView> paths;
  for (const auto& path : property<std::vector<WirePath>>(properties, "Paths"))
    paths.push_back({path.get<0>(), path.get<1>(), Bytes(path.get<2>()), path.get<3>()});
  return paths;
}

VolumeView volume_from(const Properties& from) {
  VolumeView volume;
  volume.id = property<std::string>(from, "Id");
  volume.wwid = property<std::string>(from, "Wwid");
  volume.kind = property<std::string>(from, "Kind");
  volume.device = property<std::string>(from, "Device");
  volume.size = Bytes(property<std::uint64_t>(from, "Size"));
  volume.target_size = Bytes(property<std::uint64_t>(from, "TargetSize"));
  volume.state = known(volume_state_named(property<std::string>(from, "State")), "State");
  volume.paths = paths_of(from);
  volume.last_job = job_at(property<sdbus::ObjectPath>(from, "LastJob")).value_or(0);
  return volume;
}

WallTime wall_time(std::uint64_t microseconds) {
  return WallTime(Duration(static_cast<Duration::rep>(microseconds)));
}

JobView job_from(const Properties& from) {
  JobView job;
  job.id = property<std::uint32_t>(from, "Id");
  job.operation = known(operation_named(property<std::string>(from, "Operation")), "Operation");
  job.volume_id = property<std::string>(from, "VolumeId");
  job.state = known(job_state_named(property<std::string>(from, "State")), "State");
  job.phase = property<std::string>(from, "Phase");
  job.result_json = property<std::string>(from, "Result");
  job.error_name = property<std::string>(from, "ErrorName");
  job.error_message = property<std::string>(from, "ErrorMessage");
  job.started_by_uid = property<std::uint32_t>(from, "StartedByUid");
  job.started_at = wall_time(property<std::uint64_t>(from, "StartedAt"));
  return job;
}

JobId job_id(const sdbus::ObjectPath& path) {
  return known(job_at(path), "job " + path);
}

// ---- proxies ------------------------------------------------------------------------------------
// None of them calls registerProxy(): signals are followed with one match for all objects, and a
// client that only calls then costs the bus no match at all.

class ManagerProxy final
    : public sdbus::ProxyInterfaces<contract::Manager_proxy, contract::Outbox_proxy> {
 public:
  explicit ManagerProxy(sdbus::IConnection& connection)
      : ProxyInterfaces(connection, service_name, root_path) {}

 private:
  void onJobNew(const std::uint32_t&, const sdbus::ObjectPath&) override {}
  void onJobRemoved(const std::uint32_t&, const sdbus::ObjectPath&, const std::string&) override {}
  void onVolumeResized(const std::string&, const std::uint64_t&, const std::uint64_t&,
                       const std::string&) override {}
};

class JobProxy final : public sdbus::ProxyInterfaces<contract::Job_proxy> {
 public:
  JobProxy(sdbus::IConnection& connection, JobId id)
      : ProxyInterfaces(connection, service_name, job_path(id)) {}
};

/// For the calls made while it lives.
class CallTimeout {
 public:
  CallTimeout(sdbus::IConnection& connection, Duration limit) : connection_(connection) {
    connection_.setMethodCallTimeout(limit);
  }
  CallTimeout(const CallTimeout&) = delete;
  CallTimeout& operator=(const CallTimeout&) = delete;
  ~CallTimeout() { connection_.setMethodCallTimeout(answer_slack); }

 private:
  sdbus::IConnection& connection_;
};

// ---- events -------------------------------------------------------------------------------------

template <class... T>
std::tuple<T...> read(sdbus::Message& message) {
  std::tuple<T...> values;
  message >> values;
  return values;
}

Event job_event(Event::Kind kind, JobId job, std::string text) {
  Event event;
  event.kind = kind;
  event.job = job;
  event.text = std::move(text);
  return event;
}

std::optional<Event> job_progress(sdbus::Message& message) {
  const auto job = job_at(message.getPath());
  const auto [interface, changed] = read<std::string, Properties>(message);
  if (!job || interface != contract::Job_proxy::INTERFACE_NAME || !changed.contains("Phase"))
    return std::nullopt;
  return job_event(Event::Kind::job_progress, *job, property<std::string>(changed, "Phase"));
}

Event job_new(sdbus::Message& message) {
  const auto [id, path] = read<std::uint32_t, sdbus::ObjectPath>(message);
  return job_event(Event::Kind::job_new, id, {});
}

Event job_removed(sdbus::Message& message) {
  const auto [id, path, state] = read<std::uint32_t, sdbus::ObjectPath, std::string>(message);
  return job_event(Event::Kind::job_removed, id, state);
}

Event volume_resized(sdbus::Message& message) {
  const auto [id, before, after, origin] =
      read<std::string, std::uint64_t, std::uint64_t, std::string>(message);
  Event event;
  event.kind = Event::Kind::volume_resized;
  event.volume_id = id;
  event.text = origin;
  event.before = Bytes(before);
  event.after = Bytes(after);
  return event;
}

std::optional<Event> event_from(sdbus::Message& message) {
  const auto member = message.getMemberName();
  if (member == "PropertiesChanged") return job_progress(message);
  if (member == "JobNew") return job_new(message);
  if (member == "JobRemoved") return job_removed(message);
  if (member == "VolumeResized") return volume_resized(message);
  return std::nullopt;
}

Duration sooner(std::optional<Duration> a, std::optional<Duration> b) {
  return std::min(a.value_or(Duration::max()), b.value_or(Duration::max()));
}

/// Until there is something to read or `limit` is over. A signal may end it early.
Result<void> wait_for(const sdbus::IConnection::PollData& data, std::optional<Duration> limit) {
  pollfd descriptor{data.fd, data.events, 0};
  const auto span = sooner(limit, data.getRelativeTimeout());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
  const timespec timeout{seconds.count(), std::chrono::nanoseconds(span - seconds).count()};
  const bool forever = span == Duration::max();
  if (::ppoll(&descriptor, 1, forever ? nullptr : &timeout, nullptr) < 0 && errno != EINTR)
    return system_failure(errno, "wait for the bus");
  return {};
}

// ---- the client ---------------------------------------------------------------------------------

class BusClient final : public Client {
 public:
  explicit BusClient(std::unique_ptr<sdbus::IConnection> connection)
      : connection_(std::move(connection)), manager_(*connection_) {
    connection_->setMethodCallTimeout(answer_slack);
  }

  Result<JobId> volume_changed(const std::string& volume_id, Bytes expected,
                               const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    return asked(
        [&] { return job_id(manager_.VolumeChanged(volume_id, expected.count(), *variants)); });
  }

  Result<JobId> extend(const std::string& subject, Bytes expected,
                       const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    return asked([&] { return job_id(manager_.Extend(subject, expected.count(), *variants)); });
  }

  Result<std::string> plan(const std::string& subject, Bytes expected,
                           const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    const CallTimeout patience(*connection_, patience_for(options));
    return asked([&] { return manager_.Plan(subject, expected.count(), *variants); });
  }

  Result<std::string> explain(const std::string& subject, const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    const CallTimeout patience(*connection_, patience_for(options));
    return asked([&] { return manager_.Explain(subject, *variants); });
  }

  Result<std::vector<JobId>> rescan(const std::vector<std::string>& targets,
                                    const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    return asked([&] {
      std::vector<JobId> jobs;
      for (const auto& path : manager_.Rescan(targets, *variants))
        jobs.push_back(job_id(path));
      return jobs;
    });
  }

  // Registering asks the target for its identity, within the same deadline as any other request.
  Result<std::string> register_volume(const std::string& volume_id,
                                      const std::string& connection_info,
                                      const RequestOptions& options) override {
    const auto variants = variants_of(options);
    if (!variants) return std::unexpected(variants.error());
    const CallTimeout patience(*connection_, patience_for(options));
    return asked([&] {
      const auto path = manager_.Register(volume_id, connection_info, *variants);
      return known(volume_at(path), "volume " + path);
    });
  }

  Result<void> unregister_volume(const std::string& volume_id) override {
    return asked([&] { manager_.Unregister(volume_id, {}); });
  }

  // volgrowd answers at `timeout`; giving up at the same moment would lose that answer.
  Result<JobEnd> wait(JobId job, Duration timeout) override {
    const CallTimeout patience(*connection_, timeout + answer_slack);
    return about_job(job, [&] {
      auto [state, result] = JobProxy(*connection_, job).Wait(whole_milliseconds(timeout));
      return JobEnd{std::move(state), std::move(result)};
    });
  }

  Result<void> cancel(JobId job) override {
    return about_job(job, [&] { JobProxy(*connection_, job).Cancel({}); });
  }

  Result<std::vector<OutboxEntry>> list_outbox(std::uint32_t max) override {
    return asked([&] {
      std::vector<OutboxEntry> entries;
      for (const auto& report : manager_.List(max))
        entries.emplace_back(report.get<0>(), report.get<1>());
      return entries;
    });
  }

  Result<void> acknowledge(const std::vector<std::uint64_t>& sequences) override {
    return asked([&] { manager_.Acknowledge(sequences); });
  }

  Result<std::vector<VolumeView>> volumes() override {
    return objects_with(contract::Volume_proxy::INTERFACE_NAME, volume_from);
  }

  Result<std::vector<JobView>> jobs() override {
    auto jobs = objects_with(contract::Job_proxy::INTERFACE_NAME, job_from);
    if (jobs) std::ranges::sort(*jobs, {}, &JobView::id);  // paths sort "10" before "9"
    return jobs;
  }

  Result<VolumeView> volume(const std::string& id) override {
    return asked(
        [&] {
          return volume_from(
              properties_of(volume_path(id), contract::Volume_proxy::INTERFACE_NAME));
        },
        [&](const sdbus::Error& error) {
          if (!no_such_object(error)) return from_wire(error);
          return Error{ErrorCode::no_such_volume,
                       fmt::format("no volume {} is registered here", printable(id)),
                       {},
                       0};
        });
  }

  Result<JobView> job(JobId id) override {
    return about_job(id, [&] {
      return job_from(properties_of(job_path(id), contract::Job_proxy::INTERFACE_NAME));
    });
  }

  Result<std::string> daemon_version() override {
    return asked([&] { return manager_.Version(); });
  }

  Result<void> subscribe() override {
    if (!matches_.empty()) return {};
    return asked([&] { add_matches(); });
  }

  Result<void> follow(std::function<bool(const Event&)> on_event,
                      std::optional<Deadline> until) override {
    if (auto subscribed = subscribe(); !subscribed) return subscribed;
    const SystemClock clock;
    while (true) {
      if (!hand_out(on_event)) return {};
      if (until && until->passed(clock.now())) return {};
      const auto limit = until ? std::optional(until->remaining(clock.now())) : std::nullopt;
      if (auto read = read_more(limit); !read) return read;
    }
  }

 private:
  /// What is asked of a job that is not there gets one sentence, whichever call it was.
  template <class Ask>
  auto about_job(JobId id, Ask ask) -> Result<std::invoke_result_t<Ask>> {
    return asked(std::move(ask), [id](const sdbus::Error& error) {
      if (!no_such_object(error)) return from_wire(error);
      return Error{ErrorCode::internal,
                   fmt::format("no job {} (volgrowd forgets a job 15 minutes after its end)", id),
                   {},
                   0};
    });
  }

  Properties properties_of(const std::string& path, const std::string& interface) {
    Properties properties;
    sdbus::createProxy(*connection_, service_name, path)
        ->callMethod("GetAll")
        .onInterface(properties_interface)
        .withArguments(interface)
        .storeResultsTo(properties);
    return properties;
  }

  Objects managed_objects() {
    Objects objects;
    sdbus::createProxy(*connection_, service_name, root_path)
        ->callMethod("GetManagedObjects")
        .onInterface("org.freedesktop.DBus.ObjectManager")
        .storeResultsTo(objects);
    return objects;
  }

  template <class View>
  Result<std::vector<View>> objects_with(const char* interface, View (*make)(const Properties&)) {
    return asked([&] {
      std::vector<View> views;
      for (const auto& [path, interfaces] : managed_objects())
        if (const auto found = interfaces.find(interface); found != interfaces.end())
          views.push_back(make(found->second));
      return views;
    });
  }

  void add_matches() {
    matches_.push_back(connection_->addMatch(
        fmt::format("type='signal',sender='{}',path_namespace='{}'", service_name, root_path),
        [this](sdbus::Message& message) { note(message); }));
    matches_.push_back(connection_->addMatch(
        fmt::format("type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                    "member='NameOwnerChanged',arg0='{}',arg2=''",
                    service_name),
        [this](sdbus::Message&) {
          events_.push_back(job_event(Event::Kind::daemon_gone, 0, {}));
        }));
  }

  /// A signal that is not the contract's is not ours to report.
  void note(sdbus::Message& message) {
    try {
      if (auto event = event_from(message)) events_.push_back(std::move(*event));
    } catch (const sdbus::Error&) {
    }
  }

  /// False when `on_event` has seen enough.
  bool hand_out(const std::function<bool(const Event&)>& on_event) {
    while (!events_.empty()) {
      const auto event = std::move(events_.front());
      events_.pop_front();
      if (!on_event(event)) return false;
    }
    return true;
  }

  Result<void> read_more(std::optional<Duration> limit) {
    try {
      if (connection_->processPendingRequest()) return {};
      return wait_for(connection_->getEventLoopPollData(), limit);
    } catch (const sdbus::Error& error) {
      return failure(ErrorCode::unreachable,
                     fmt::format("the bus went away: {}", printable(error.getMessage())));
    }
  }

  std::unique_ptr<sdbus::IConnection> connection_;
  ManagerProxy manager_;
  std::deque<Event> events_;
  std::vector<sdbus::Slot> matches_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const std::string& address) {
  try {
    return std::make_unique<BusClient>(address.empty()
                                           ? sdbus::createSystemBusConnection()
                                           : sdbus::createSessionBusConnectionWithAddress(address));
  } catch (const sdbus::Error& error) {
    return failure(
        ErrorCode::unreachable,
        fmt::format("cannot reach the {} bus: {}", address.empty() ? "system" : printable(address),
                    printable(error.getMessage())));
  }
}

}  // namespace volgrow::bus
